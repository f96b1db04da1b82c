"""The nouns of the product, as frozen values.

Times are aware datetimes in UTC. Numbers are E.164 with ``+``. Ids are the database's, keys are what
the outside sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NewType

if TYPE_CHECKING:
    from router.domain.rules.tree import Rule

OrganisationId = NewType("OrganisationId", int)
SiteId = NewType("SiteId", int)
PoolId = NewType("PoolId", int)
NumberId = NewType("NumberId", int)
TargetId = NewType("TargetId", int)
SessionId = NewType("SessionId", int)
CallId = NewType("CallId", int)

Device = Literal["mobile", "desktop"]
PoolKind = Literal["static", "dynamic"]
Policy = Literal["balanced", "exclusive", "longest_idle", "uis", "ringostat", "mango"]
Goal = Literal["coverage", "accuracy"]
Parameter = Literal["source", "medium", "campaign", "term", "content"]
Standing = Literal["in_use", "listening", "quarantined", "shared", "resting"]
Method = Literal["reservation", "static", "default", "without_session", "unknown_number"]
Level = Literal["session", "campaign", "source", "none"]
RouteSource = Literal["router", "failsafe_number", "failsafe_trunk", "failsafe_default"]
CallState = Literal["arrived", "ringing", "talking", "ended"]
Outcome = Literal["answered", "busy", "no_answer", "cancelled", "failed", "refused", "lost"]
Scope = Literal["read", "write"]
HungUpBy = Literal["caller", "company", "system"]


def require_aware(**times: datetime | None) -> None:
    """Refuse naive datetimes: a time without a zone is a bug one summer later."""
    for name, value in times.items():
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{name} is a naive datetime")


class Origin(NamedTuple):
    """What visits are added up by: their channel, their campaign of it, and what these were read from.

    A campaign's key contains its channel: equal names in two channels are two campaigns. Visits from before
    there were channels have ``source / medium`` in its place.
    """

    channel: str
    campaign: str = ""
    source: str = ""
    medium: str = ""

    @property
    def campaign_key(self) -> tuple[str, str]:
        return (self.channel, self.campaign)

    @property
    def source_key(self) -> tuple[str]:
        return (self.channel,)

    @property
    def touch(self) -> Touch:
        """A touch that says no more than this does."""
        channel = "" if self.channel == f"{self.source} / {self.medium}" else self.channel
        return Touch(
            source=self.source, medium=self.medium, campaign=self.campaign, channel=channel
        )


@dataclass(frozen=True, kw_only=True)
class Touch:
    """Where a visitor came from, read from the landing URL and the referrer. Empty string = none.

    `channel` is what the traffic rules made of it: a channel's key.
    """

    source: str
    medium: str
    campaign: str = ""
    term: str = ""
    content: str = ""
    click_ids: Mapping[str, str] = field(default_factory=dict)
    channel: str = ""

    @property
    def origin(self) -> Origin:
        channel = self.channel or f"{self.source} / {self.medium}"
        return Origin(channel, self.campaign, self.source, self.medium)

    @property
    def campaign_key(self) -> tuple[str, str]:
        return self.origin.campaign_key

    @property
    def source_key(self) -> tuple[str]:
        return self.origin.source_key


@dataclass(frozen=True, kw_only=True)
class Site:
    id: SiteId
    organisation_id: OrganisationId
    key: str
    name: str
    origins: tuple[str, ...]
    region: str
    time_zone: str
    default_number: str
    page_numbers: tuple[str, ...]
    target_id: TargetId


@dataclass(frozen=True, kw_only=True)
class Pool:
    """`closed_seconds` to `tapped_seconds`: reservation times of the policies balanced and exclusive, by how
    a visit ended; the others know `reservation_seconds` alone. `binding`: empty, or the parameters whose
    combination holds a number instead of a visitor. It serves visits for which all of `rules` hold. `grows`:
    from the organisation's shared pool."""

    id: PoolId
    organisation_id: OrganisationId
    site_id: SiteId
    name: str
    kind: PoolKind
    policy: Policy
    priority: int
    reservation_seconds: int
    rules: tuple[Rule, ...]
    default_number: str | None
    target_id: TargetId | None
    record: bool
    source: str | None
    medium: str | None
    campaign: str | None
    closed_seconds: int = 600
    left_seconds: int = 1200
    idle_seconds: int = 900
    bounce_seconds: int = 180
    tapped_seconds: int = 1800
    price: float = 3.0
    goal: Goal = "coverage"
    aim: float = 0.9
    binding: tuple[Parameter, ...] = ()
    grows: bool = False
    channel: str | None = None
    region: str | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A company line: a SIP endpoint, or a PSTN number through a trunk."""

    id: TargetId
    name: str
    kind: Literal["endpoint", "pstn"]
    endpoint: str | None
    e164: str | None
    trunk: str | None
    ring_seconds: int


@dataclass(frozen=True, kw_only=True)
class SessionTimes:
    """What the server knows of a visit, as times; its state at a moment is computed from them."""

    started_at: datetime
    seen_at: datetime
    input_at: datetime
    gone_at: datetime | None
    gone_kind: Literal["hide", "close"] | None
    tapped_at: datetime | None
    device: Device | None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A call as Asterisk announces it. `did` is digits without +, `raw_did` what the trunk sent."""

    linkedid: str
    did: str
    raw_did: str
    caller: str
    trunk: str


@dataclass(frozen=True, kw_only=True)
class Route:
    """What the router tells Asterisk to do with one call; see telephony/variables for its JSON."""

    ref: str
    targets: tuple[Target, ...] = ()
    code: int | None = None
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    record: bool = True


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One reason for a decision, in words and in figures."""

    words: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """What a call is credited to. `confidence` is a probability: of the session, or the sum over the
    campaign's or source's sessions, as `level` says; 0 at level none."""

    method: Method
    level: Level
    confidence: float
    model: str
    session_id: SessionId | None = None
    pool_id: PoolId | None = None
    touch: Touch | None = None
    evidence: tuple[Evidence, ...] = ()
    runners_up: tuple[Mapping[str, Any], ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CallEvent:
    """One row of what Asterisk said about a call (CEL, over AMI or from its file; or a live AMI event).

    `digest` is the same for the same row whichever way it came."""

    linkedid: str
    uniqueid: str
    kind: str
    at: datetime
    data: Mapping[str, str]
    digest: bytes


def hundredths(confidence: float) -> int:
    """A probability in whole per cent. What is not certain is never rounded up to a hundred."""
    return 100 if confidence >= 1 else min(99, round(confidence * 100))


def confidence_in_words(confidence: float) -> str:
    """A probability as staff read it."""
    if confidence >= 0.95:
        return "almost certain"
    if confidence >= 0.8:
        return "very likely"
    if confidence >= 0.5:
        return "likely"
    return "unknown"
