"""Recordings: where they lie, whose voice is on which side, and that nothing of it is lost."""

from __future__ import annotations

import array
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e import tones
from tests.e2e.calls import IncomingCall
from tests.e2e.pbx import NUMBER, Pbx
from tests.e2e.sip import SipAgent, busy
from tests.e2e.stub_router import StubRouter

BYTES_A_SECOND = 2 * 2 * tones.RATE


def voices(file: Path) -> tuple[Sequence[int], Sequence[int]]:
    """The company's samples (left) and the caller's (right)."""
    samples = array.array("h", file.read_bytes())
    return samples[0::2], samples[1::2]


def middle(samples: Sequence[int]) -> Sequence[int]:
    """Without the first and last 200 ms, where a bridge begins and ends."""
    return samples[1600:-1600]


async def recordings(pbx: Pbx, count: int) -> list[Path]:
    """The complete recordings, waited for: the marker is written a moment after the end."""
    for _ in range(60):
        markers = sorted(pbx.server.recordings.rglob("*.ok"))
        if len(markers) == count:
            return [marker.with_suffix(".raw") for marker in markers]
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(markers)} recordings instead of {count}")


async def test_a_call_is_recorded_under_its_id_company_left_caller_right(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote, frequency=700)
    await call.answered()
    await asyncio.sleep(2)
    call.hang_up()
    (file,) = await recordings(pbx, 1)
    events = await pbx.wait_end()
    linked = router.requests[0]["agi_uniqueid"]
    (leg,) = {row.unique for row in events if row.channel.startswith("PJSIP/company-")}
    assert file.name == f"{linked}-{leg}.raw"
    day = f"{datetime.fromtimestamp(events[0].at, UTC):%Y/%m/%d}"
    assert file.parent == pbx.server.recordings / day
    entered = max(row.at for row in events if row.type == "BRIDGE_ENTER")
    left = min(row.at for row in events if row.type == "BRIDGE_EXIT")
    assert file.stat().st_size / BYTES_A_SECOND == pytest.approx(left - entered, abs=0.1)
    on_left, on_right = voices(file)
    assert tones.share_with(middle(on_left), 1500) == 1.0
    assert tones.share_with(middle(on_right), 700) == 1.0
    assert tones.level(middle(on_left), 700) < tones.AMPLITUDE / 20
    assert tones.level(middle(on_right), 1500) < tones.AMPLITUDE / 20


async def test_what_is_not_to_be_recorded_is_not(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    pbx.put("ct-did", "74951110000", {"t": "PJSIP/company", "rec": "0"})
    router.answer = {"t": "PJSIP/company", "rec": "0"}
    for number in (NUMBER, "+74951110000"):
        call = await trunk.call(pbx.uri(number), pbx.remote)
        await call.answered()
        await asyncio.sleep(0.3)
        call.hang_up()
        await pbx.idle()
        await router.refuse()
    assert [route["src"] for route in pbx.facts("CT_ROUTE")] == ["router", "db"]
    assert [path for path in pbx.server.recordings.rglob("*") if path.is_file()] == []


async def test_a_call_nobody_answers_leaves_no_recording(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    company.behaviour = busy
    await (await trunk.call(pbx.uri(NUMBER), pbx.remote)).refusal()
    await pbx.idle()
    assert [path for path in pbx.server.recordings.rglob("*") if path.is_file()] == []


async def test_twenty_calls_at_once_are_heard_whole_at_both_ends_and_in_every_recording(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    """Every call has two tones of its own, so a voice on a wrong call is seen as well.

    Every second call has early sound from the company before the answer: that is where Debian's
    Asterisk loses voices if the recording sits on the caller's channel.
    """
    calls = 20
    heard: dict[str, IncomingCall] = {}

    async def pick_up(call: IncomingCall) -> None:
        at = int(call.number[-2:])
        call.frequency = 1500 + 20 * at
        heard[call.number] = call
        if at % 2:
            await call.early_sound(0.4)
        else:
            await call.ring(0.4)
        await call.accept()

    company.behaviour = pick_up
    placed = [
        await trunk.call(
            pbx.uri(NUMBER),
            pbx.remote,
            caller=f"sip:+791600000{at:02}@op.example",
            frequency=500 + 20 * at,
        )
        for at in range(calls)
    ]
    for call in placed:
        await call.answered()
    talked_from = [len(call.samples()) for call in placed]
    await asyncio.sleep(2.5)
    for call in placed:
        call.hang_up()
    files = await recordings(pbx, calls)
    events = await pbx.wait_end(calls)
    of_caller = {row.linked: row.facts["cid"] for row in events if row.type == "CT_IN"}
    by_number = {of_caller[file.name.rsplit("-test-")[0]]: file for file in files}

    for at, call in enumerate(placed):
        number = f"+791600000{at:02}"
        at_caller = call.samples()[talked_from[at] :]
        at_company = heard[number].samples()
        on_left, on_right = voices(by_number[number])
        assert call.media is not None
        assert heard[number].media is not None
        late_there, late_here = len(heard[number].media.late_blocks), len(call.media.late_blocks)
        for place, samples, frequency, late in (
            ("at the caller", at_caller, 1500 + 20 * at, 0),
            ("at the company", at_company, 500 + 20 * at, 0),
            ("recorded left", on_left, 1500 + 20 * at, late_there),
            ("recorded right", on_right, 500 + 20 * at, late_here),
        ):
            assert len(samples) > 2.2 * tones.RATE, f"call {at}: {place} ends early"
            share = tones.share_with(middle(samples), frequency)
            # what is heard is laid out by its timestamps, so being late excuses nothing there
            missing = late / (len(middle(samples)) // tones.BLOCK)
            assert share >= 1 - missing - 1e-9, (
                f"call {at}: {place} only {share:.0%}, {late} sent late"
            )
