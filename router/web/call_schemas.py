"""Calls as the staff API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from router.domain import phone
from router.domain.channels import name_of
from router.domain.model import CallState, Device, HungUpBy, Level, Method, Outcome, RouteSource
from router.domain.model import confidence_in_words as in_words
from router.domain.touches import Landed, models
from router.services.reports import CallPage, Explanation, Filter
from router.store.reports import CallLine, Decision
from router.web.schemas import Answer


class CallsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(50, ge=1, le=200, examples=[50])
    before: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The ref of the last call seen: asks for those before it.",
        examples=["Zx3bQ9fKp2mN7vT4wR8yLg"],
    )
    state: Filter = Field("all", description="live: every state but ended.", examples=["live"])


class Party(Answer):
    """A number: as Asterisk gave it, and as people read it."""

    text: str = Field(examples=["+74951234567"])
    readable: str = Field(examples=["+7 495 123-45-67"])

    @classmethod
    def of(cls, text: str) -> Party:
        return cls(text=text, readable=phone.readable(text))


class AttributionOut(Answer):
    """What the call is credited to. `words`: almost certain, very likely, likely, unknown."""

    method: Method
    level: Level
    confidence: float = Field(ge=0, le=1, examples=[0.97])
    words: str = Field(examples=["almost certain"])
    channel: str | None = Field(
        examples=["google_ads"], description="A channel's key; null before there were channels."
    )
    channel_name: str | None = Field(
        examples=["Google Ads"], description="Of an own channel its key."
    )
    source: str | None
    medium: str | None
    campaign: str | None
    term: str | None
    content: str | None
    pool: str | None = None
    landing_url: str | None = None


class RecordingOut(Answer):
    id: int
    url: str = Field(examples=["/v1/calls/8sJ2…/recordings/7"])
    duration_ms: int
    bytes: int
    truncated: bool = Field(description="The disk was full, or Asterisk died: the end is missing.")


class CallOut(Answer):
    """One call. `target` is the company line; times are Asterisk's."""

    ref: str
    linkedid: str
    state: CallState
    outcome: Outcome | None
    caller: Party | None = Field(description="null: the caller hides the number.")
    caller_region: str | None = Field(
        description="ISO 3166-2, or a country, where his number is.", examples=["RU-MOW"]
    )
    number: Party
    trunk: str
    site: str | None
    target: str | None
    route_source: RouteSource | None
    arrived_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    ring_ms: int | None
    talk_ms: int | None
    hung_up_by: HungUpBy | None
    hangup_cause: int | None
    attribution: AttributionOut | None
    recordings: list[RecordingOut]

    @classmethod
    def of(cls, line: CallLine) -> CallOut:
        return cls(
            ref=line.ref,
            linkedid=line.linkedid,
            state=line.state,
            outcome=line.outcome,
            caller=Party.of(line.caller) if line.caller else None,
            caller_region=line.caller_region,
            number=Party.of(line.did),
            trunk=line.trunk,
            site=line.site,
            target=line.target,
            route_source=line.route_source,
            arrived_at=line.arrived_at,
            ringing_at=line.ringing_at,
            answered_at=line.answered_at,
            ended_at=line.ended_at,
            ring_ms=line.ring_ms,
            talk_ms=line.talk_ms,
            hung_up_by=line.hung_up_by,
            hangup_cause=line.hangup_cause,
            attribution=_attribution(line),
            recordings=[
                RecordingOut(
                    id=found.id,
                    url=f"/v1/calls/{line.ref}/recordings/{found.id}",
                    duration_ms=found.duration_ms,
                    bytes=found.bytes,
                    truncated=found.truncated,
                )
                for found in line.recordings
            ],
        )


def _attribution(line: CallLine) -> AttributionOut | None:
    if line.method is None or line.level is None or line.confidence is None:
        return None
    return AttributionOut(
        method=line.method,
        level=line.level,
        confidence=line.confidence,
        words=in_words(line.confidence),
        channel=line.channel,
        channel_name=name_of(line.channel) if line.channel else None,
        source=line.source,
        medium=line.medium,
        campaign=line.campaign,
        term=line.term,
        content=line.content,
        pool=line.pool,
        landing_url=line.landing_url,
    )


class CallsOut(Answer):
    """Newest first. `before`: the query for the calls that follow; null at the end."""

    now: datetime = Field(description="The router's clock, for timers of calls that go on.")
    calls: list[CallOut]
    before: str | None

    @classmethod
    def of(cls, page: CallPage, now: datetime) -> CallsOut:
        return cls(now=now, calls=[CallOut.of(line) for line in page.calls], before=page.before)


class SessionOut(Answer):
    """The visit behind the call. Every text in it was written by the visitor's browser."""

    session: UUID
    visitor: UUID
    ordinal: int = Field(description="1 = the visitor's first visit.")
    started_at: datetime
    seen_at: datetime
    gone_at: datetime | None
    gone_kind: Literal["hide", "close"] | None
    tapped_at: datetime | None
    tapped_number: str | None
    copied_at: datetime | None
    device: Device | None
    region: str | None = Field(description="Of the visitor's address.", examples=["RU-MOW"])
    city: str | None
    landing_url: str
    referrer: str
    channel: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    click_ids: Mapping[str, str]


class TouchOut(Answer):
    """One landing, with what it was read from as it was."""

    at: datetime
    visit: int = Field(description="1 = the visitor's first visit.")
    url: str
    referrer: str
    channel: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    click_ids: Mapping[str, str]

    @classmethod
    def of(cls, landed: Landed) -> TouchOut:
        touch = landed.touch
        return cls(
            at=landed.at,
            visit=landed.visit,
            url=landed.url,
            referrer=landed.referrer,
            channel=touch.channel,
            source=touch.source,
            medium=touch.medium,
            campaign=touch.campaign,
            term=touch.term,
            content=touch.content,
            click_ids=touch.click_ids,
        )


class TouchesOut(Answer):
    """How the visitor came before the call: each landing, oldest first, and those that models ask for."""

    first: TouchOut | None
    last: TouchOut | None
    last_non_direct: TouchOut | None
    all: list[TouchOut]

    @classmethod
    def of(cls, touches: Sequence[Landed]) -> TouchesOut:
        found = models(touches)
        return cls(
            first=TouchOut.of(found.first) if found.first else None,
            last=TouchOut.of(found.last) if found.last else None,
            last_non_direct=TouchOut.of(found.last_non_direct) if found.last_non_direct else None,
            all=[TouchOut.of(landed) for landed in touches],
        )


class EvidenceOut(Answer):
    """One reason, in words and in figures."""

    words: str
    figures: dict[str, Any]


class DecisionOut(Answer):
    """One decision about the call; `in_force` is the one that counts."""

    in_force: bool
    decided_at: datetime
    model: str
    attribution: AttributionOut
    evidence: list[EvidenceOut]
    runners_up: list[dict[str, Any]]
    inputs: dict[str, Any]

    @classmethod
    def of(cls, decision: Decision) -> DecisionOut:
        return cls(
            in_force=decision.in_force,
            decided_at=decision.decided_at,
            model=decision.model,
            attribution=AttributionOut(
                method=decision.method,
                level=decision.level,
                confidence=decision.confidence,
                words=in_words(decision.confidence),
                channel=decision.channel,
                channel_name=name_of(decision.channel) if decision.channel else None,
                source=decision.source,
                medium=decision.medium,
                campaign=decision.campaign,
                term=decision.term,
                content=decision.content,
            ),
            evidence=[
                EvidenceOut(words=str(e.get("words", "")), figures=dict(e.get("figures", {})))
                for e in decision.evidence
            ],
            runners_up=[dict(runner) for runner in decision.runners_up],
            inputs=dict(decision.inputs),
        )


class EventOut(Answer):
    at: datetime
    kind: str
    uniqueid: str
    data: dict[str, Any]


class ExplanationOut(Answer):
    """One call, whom it is credited to and why, and what Asterisk said of it."""

    now: datetime
    call: CallOut
    session: SessionOut | None
    touches: TouchesOut
    decisions: list[DecisionOut]
    events: list[EventOut]

    @classmethod
    def of(cls, explanation: Explanation, now: datetime) -> ExplanationOut:
        visit = explanation.session
        return cls(
            now=now,
            call=CallOut.of(explanation.call),
            session=SessionOut(session=visit.key, **_without_key(vars(visit))) if visit else None,
            touches=TouchesOut.of(explanation.touches),
            decisions=[DecisionOut.of(decision) for decision in explanation.decisions],
            events=[
                EventOut(at=e.at, kind=e.kind, uniqueid=e.uniqueid, data=dict(e.data))
                for e in explanation.events
            ],
        )


def _without_key(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "key"}
