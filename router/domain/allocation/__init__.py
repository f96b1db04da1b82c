"""Handing out numbers: which one a visit shows, until when, and whether it is still the same visit.

Pure: the store loads candidates, `own_number` and `choose` decide, the store takes the chosen number under
the condition that its version is unchanged, and what lost the race is decided again.

    values     what a decision is made from and what it says
    times      until when a number stays reserved; the same visit or another
    own        a visit's own number: kept, retaken, moved
    choice     `choose`: by the pool's policy, one of
    tiers          balanced, exclusive: tiers, shortlist, the least score
    timed          longest_idle, uis, ringostat, mango
    scoring    expected wrong calls of a number for a visit
    keys       by what sources and campaigns are told apart
    masses     what a number remembers of holders who left
    handover   ring and masses of a number after a hand-out
    binding    one number for each combination of parameters, instead of for each visitor
    fold       a pool in memory, for vectors and simulator; `pages` keeps its visits
"""

from router.domain.allocation.choice import choose
from router.domain.allocation.handover import hand_over, ring_size
from router.domain.allocation.own import own_number
from router.domain.allocation.scoring import PRICE, score
from router.domain.allocation.times import (
    ReservationTimes,
    activity_end,
    reserved_until,
    session_goes_on,
)
from router.domain.allocation.values import (
    GROW,
    OVERFLOW,
    RATE,
    CampaignKey,
    Candidate,
    Claim,
    Decision,
    Holder,
    How,
    Mass,
    Masses,
    Visit,
)

__all__ = [
    "GROW",
    "OVERFLOW",
    "PRICE",
    "RATE",
    "CampaignKey",
    "Candidate",
    "Claim",
    "Decision",
    "Holder",
    "How",
    "Mass",
    "Masses",
    "ReservationTimes",
    "Visit",
    "activity_end",
    "choose",
    "hand_over",
    "own_number",
    "reserved_until",
    "ring_size",
    "score",
    "session_goes_on",
]
