"""Events of real calls, folded into facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.callflow import LOST, CallFacts, fold
from router.domain.model import CallEvent
from tests.transcripts.read import NAMES, heard, rows

ENDS = {
    "answered": ("answered", "router", "caller", 16),
    "company_hangs_up": ("answered", "router", "company", 16),
    "busy": ("busy", "router", "system", 17),
    "cancelled": ("cancelled", "router", "caller", 127),
    "refused_by_code": ("refused", "router", "system", 1),
    "refused_target_then_two_together": ("answered", "router", "caller", 16),
    "failsafe_number": ("answered", "failsafe_number", "caller", 16),
    "failsafe_default": ("answered", "failsafe_default", "caller", 16),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_call_ended(name: str) -> None:
    """Outcome, who chose the target, who hung up and the cause, as the calls were made."""
    facts = fold(rows(name))

    assert (facts.outcome, facts.route_source, facts.hung_up_by, facts.hangup_cause) == ENDS[name]
    assert facts.state == "ended"


def test_an_answered_call() -> None:
    """What came in, what answered, and its times, to the millisecond."""
    facts = fold(rows("company_hangs_up"))

    assert facts.did == "74951234567"
    assert facts.caller == "+79161234567"
    assert facts.trunk == "trunk1"
    assert facts.ref == "Zx3_demo-ref"
    assert facts.target == "PJSIP/company"
    assert facts.talk_ms == 1007
    assert facts.ring_ms == 209
    assert facts.arrived_at == datetime(2026, 11, 23, 15, 41, 24, 453467, UTC)


def test_a_busy_line_never_rang() -> None:
    """Nothing rang, so there is no time of ringing."""
    facts = fold(rows("busy"))

    assert (facts.ringing_at, facts.ring_ms, facts.talk_ms) == (None, None, None)


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_tell_the_same_events(name: str) -> None:
    """A row of the file and the AMI event about the same thing have one digest."""
    assert {event.digest for event in heard(name)} == {event.digest for event in rows(name)}


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_tell_the_same_facts(name: str) -> None:
    """AMI's times are those of sending, a few milliseconds late; nothing else differs."""
    told, written = fold(heard(name)), fold(rows(name))

    for field in CallFacts.__dataclass_fields__:
        ours, theirs = getattr(told, field), getattr(written, field)
        if isinstance(ours, datetime):
            assert abs(ours - theirs) < timedelta(milliseconds=20), field
        elif field == "ring_ms" and ours is not None:
            assert abs(ours - theirs) < 20
        else:
            assert ours == theirs, field


@given(st.data())
def test_order_and_repetition_change_nothing(data: st.DataObject) -> None:
    """Any shuffle, any duplication, the file's rows mixed with AMI's: the same facts."""
    name = data.draw(st.sampled_from(NAMES))
    events = rows(name)
    extra = data.draw(st.lists(st.sampled_from(events + heard(name)), max_size=40))
    mixed = data.draw(st.permutations(events + extra))

    assert fold(mixed) == fold(events)


@given(st.data())
def test_every_beginning_of_a_call_folds(data: st.DataObject) -> None:
    """A call in progress has facts too, and its state only ever goes forward."""
    order = ["arrived", "ringing", "talking", "ended"]
    events = rows(data.draw(st.sampled_from(NAMES)))
    states = [order.index(fold(events[: i + 1]).state) for i in range(len(events))]

    assert states == sorted(states)


def test_a_call_in_progress() -> None:
    """Ringing from the leg's start, talking from the bridge on; nothing is said about its end."""
    events = rows("answered")
    ringing = fold([e for e in events if e.kind in ("CHAN_START", "CT_IN", "CT_ROUTE")])
    talking = fold(
        [e for e in events if e.kind in ("CHAN_START", "CT_IN", "CT_ROUTE", "BRIDGE_ENTER")]
    )

    assert (ringing.state, ringing.target, ringing.outcome) == ("ringing", "PJSIP/company", None)
    assert (talking.state, talking.ended_at) == ("talking", None)


def test_lost_at_a_restart() -> None:
    """A call that Asterisk forgot ends with the last thing that was heard of it."""
    events = [e for e in rows("answered") if e.kind not in ("HANGUP", "CT_TRY", "LINKEDID_END")]
    events = [e for e in events if not e.kind.endswith(("EXIT", "END"))]
    facts = fold([*events, _lost(events[0])])

    assert (facts.state, facts.outcome) == ("ended", "lost")
    assert facts.ended_at == max(event.at for event in events)
    assert facts.answered_at is not None


def test_what_asterisk_says_beats_our_guess() -> None:
    """A call given up as lost whose end is found in the file after all has that end."""
    events = rows("answered")

    assert fold([_lost(events[0]), *events]) == fold(events)


def test_events_of_two_calls_are_refused() -> None:
    """Mixing calls is an error of ours, not a call."""
    with pytest.raises(ValueError, match="2 calls"):
        fold(rows("answered") + rows("busy"))


def _lost(event: CallEvent) -> CallEvent:
    at = event.at + timedelta(hours=1)
    return replace(event, kind=LOST, at=at, data={}, digest=b"lost")
