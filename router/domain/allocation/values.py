"""What a decision is made from and what it says: numbers as they were read, a visit, a decision.

Plain values that the store, the vectors and the simulator build alike. A *source* is the session's channel,
and a campaign's key contains it: equal names in two sources are two campaigns, and "no campaign" is one
campaign of each source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from router.domain.model import Device, NumberId, SessionId, SessionTimes

CampaignKey = tuple[str, str]
# one mass for each time constant of the profile, see `masses`
Mass = tuple[float, float, float, float]

How = Literal[
    "free", "shared", "kept", "retaken", "new", "default", "taken_from_oldest", "kept_on_screen"
]
Ends = Literal["expired", "taken", "moved"]

# Calls per visit before anything was learned.
RATE = 0.03


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A session that was handed a number, with its own present state, wherever it holds a number now.

    `rate`: calls expected of it, fixed when it began. `device` and `region` are None where unknown.
    `verified`: its page has spoken since it was answered.
    """

    session: SessionId
    source: str
    campaign: CampaignKey
    device: Device | None
    region: str | None
    times: SessionTimes
    rate: float = RATE
    verified: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Masses:
    """What is left of the holders who fell out of a number's ring, as it stood `at` that moment.

    For scoring alone, `by_source` and `by_campaign` need not contain more than the visit's own; for handing
    the number over they are whole.
    """

    at: datetime
    total: Mass
    by_source: Mapping[str, Mass] = field(default_factory=dict)
    by_campaign: Mapping[CampaignKey, Mass] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A number as it was read.

    holder          has it, or had it until `reserved_until`; None after it was swept free
    newest_holder   was handed it last, known also after the sweep; None if nobody was
    issued_at       when the newest holder was handed it; None if nobody was
    reserved_until  as `times.reserved_until` says, if nothing more is heard of the holder; a number that was
                    never held has any time long past
    ring            the last three holders, newest first. What picks by time alone does not look at it:
                    without it, a holder counts as active.
    """

    number_id: NumberId
    e164: str
    version: int
    holder: SessionId | None
    newest_holder: SessionId | None
    reserved_until: datetime
    issued_at: datetime | None = None
    ring: tuple[Holder, ...] = ()
    masses: Masses | None = None

    def free(self, now: datetime) -> bool:
        """Also at the very moment its reservation ends; and one that was swept free, whatever a clock says
        that was set back since."""
        return self.holder is None or self.reserved_until <= now


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Who wants a number. `session` is None for one that begins with this hand-out."""

    session: SessionId | None
    source: str
    campaign: CampaignKey
    device: Device | None
    region: str | None
    rate: float = RATE
    verified: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A visit's own number `own`, if it may still have it: the one that its page shows.

    `session` is the session that was handed it. `goes_on`: that session continues; otherwise it is
    the visitor's earlier one, and the number moves only while it is still reserved.
    """

    session: SessionId
    goes_on: bool
    own: Candidate


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is done, and with which number.

    how   free               handed out; nobody had it reserved
          shared             handed out, although it was still reserved
          taken_from_oldest  the same, by the policy `ringostat`
          kept               the visit's own: not handed out, so its time of issue and its ring stay
          retaken            the visit's own, handed out anew: somebody else has had it meanwhile
          kept_on_screen     the page goes on showing a number that is another's: nothing is written
          new                one more number is wanted from the shared pool (`candidate` is None)
          default            overflow: the page shows the default number (`candidate` is None)

    `take`: the number's row gets this holder, under the condition that its version is unchanged; without it
    the holder stays and the reservation is renewed. `ends`: why the number's earlier reservation ends by
    that. `score`: expected wrong calls, `margin`: by how much the second best candidate's is larger (0: a
    tie); both None where nothing was scored, the margin also where there was one candidate only.
    """

    how: How
    candidate: Candidate | None = None
    take: bool = False
    ends: Ends = "expired"
    score: float | None = None
    margin: float | None = None


OVERFLOW = Decision(how="default")
GROW = Decision(how="new")
