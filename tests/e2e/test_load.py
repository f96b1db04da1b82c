"""Many calls a second, placed by SIPp: every one routed, recorded and told of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.e2e.pbx import Pbx
from tests.e2e.sip import SipAgent
from tests.e2e.sipp import run_calls
from tests.e2e.stub_router import StubRouter

CALLS = 60


async def test_twenty_calls_a_second_lose_no_fact_and_no_recording(
    pbx: Pbx, router: StubRouter, company: SipAgent, tmp_path: Path
) -> None:
    router.answer = {"t": "PJSIP/company^20", "ref": "r", "hs": "google"}
    config = pbx.server.config
    await run_calls(
        pbx.remote,
        # the operator is known by his address; his usual port is the telephone's of this test
        local=(config.trunk_host, config.trunk_port + 1),
        number="+74951234567",
        calls=CALLS,
        rate=20,
        milliseconds=500,
        folder=tmp_path,
    )
    events = await pbx.wait_end(CALLS)
    kinds = Counter(row.type for row in events)
    assert {kinds[kind] for kind in ("CT_IN", "CT_ROUTE", "CT_TRY", "LINKEDID_END")} == {CALLS}
    assert kinds["ANSWER"] == kinds["CHAN_END"] == 2 * CALLS
    assert {tried["st"] for tried in pbx.facts("CT_TRY")} == {"ANSWER"}
    await pbx.idle()
    assert len(list(pbx.server.recordings.rglob("*.ok"))) == CALLS
    assert len({asked["agi_uniqueid"] for asked in router.requests}) == CALLS
