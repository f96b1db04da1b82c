"""Twenty calls at once through the whole system: every voice whole, every record its own."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e import tones
from tests.system import CALLER_TONE, COMPANY_TONE, System

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS, SECONDS = 20, 4.0
WHOLE = 0.95  # of the 100 ms blocks between the first and the last 200 ms


async def test_twenty_at_once(system: System) -> None:
    """Tones of both sides at both ends and in both channels; RTP numbers begin at random."""
    visits = [
        await system.visit(f"/?utm_source=google&utm_campaign=spring&n={n}") for n in range(10)
    ]
    callers = [system.new_caller() for _ in range(CALLS)]
    placed = [
        await system.dial(visits[n % len(visits)].number, caller)
        for n, caller in enumerate(callers)
    ]
    await asyncio.gather(*(call.answered(timeout=10) for call in placed))
    await system.company.next_call(CALLS)
    await asyncio.sleep(SECONDS)
    heard = [(call.samples(), CALLER_TONE, COMPANY_TONE) for call in placed]
    heard += [(call.samples(), COMPANY_TONE, CALLER_TONE) for call in system.company.incoming]
    for call in placed:
        call.hang_up()
    records = [await system.record(caller) for caller in callers]

    for samples, own, other in heard:
        assert tones.share_with(samples[1600:-1600], other) >= WHOLE
        assert tones.share_with(samples[1600:-1600], own) == 0
    for record in records:
        assert record["attribution"]["source"] == "google"
        (recording,) = record["recordings"]
        assert not recording["truncated"]
        sound = await system.listen(recording["url"])
        assert tones.share_with(sound[0::2][1600:-1600], CALLER_TONE) >= WHOLE
        assert tones.share_with(sound[1::2][1600:-1600], COMPANY_TONE) >= WHOLE
    assert len({record["linkedid"] for record in records}) == CALLS
