"""Calls and recordings for staff; on a real PostgreSQL."""

from __future__ import annotations

import io
import struct
import wave
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from router.services.administration import Administration
from router.services.work import By
from tests.web.conftest import Web
from tests.web.seed import a_call, a_session, an_attribution, an_event, seconds

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


async def listed(web: Web, query: str = "") -> dict[str, Any]:
    async with web.get(f"/v1/calls{query}") as answer:
        assert answer.status == 200, await answer.text()
        body: dict[str, Any] = await answer.json()
        return body


async def test_a_call_in_the_list(web: Web) -> None:
    """Who, when, where to, and what it is credited to, with how sure that is in words."""
    session = await a_session(web.database, web.clock.now - seconds(95))
    ref = await a_call(web.database, web.clock.now, attribution={"session_id": session})
    call = (await listed(web))["calls"][0]

    assert call["ref"] == ref
    assert call["caller"] == {"text": "+79161234567", "readable": "+7 916 123-45-67"}
    assert (call["target"], call["site"], call["talk_ms"]) == ("office", "shop", 75000)
    assert call["attribution"]["words"] == "almost certain"
    assert call["attribution"]["confidence"] == 0.97
    assert call["attribution"]["campaign"] == "spring"
    assert call["attribution"]["landing_url"].startswith("https://shop.example/boilers")


async def test_a_hidden_caller_and_a_call_nobody_looked_at(web: Web) -> None:
    """Are in the list like any other."""
    await a_call(web.database, web.clock.now, caller="", state="ringing", outcome=None)
    call = (await listed(web))["calls"][0]

    assert (call["caller"], call["attribution"]) == (None, None)


async def test_the_list_is_read_in_pages(web: Web) -> None:
    """Newest first, each call once, also where two came in the same instant."""
    refs = [await a_call(web.database, web.clock.now - seconds(i // 2)) for i in range(7)]
    seen: list[str] = []
    before = ""
    for _ in range(4):
        page = await listed(web, f"?limit=2{before}")
        seen += [call["ref"] for call in page["calls"]]
        before = f"&before={page['before']}"

    assert page["before"] is None
    assert len(seen) == 7
    assert set(seen) == set(refs)
    assert set(seen[:2]) == set(refs[:2])


async def test_the_list_is_filtered_by_state(web: Web) -> None:
    """`live` is everything that has not ended."""
    now = web.clock.now
    ringing = await a_call(web.database, now, state="ringing", outcome=None)
    talking = await a_call(web.database, now - seconds(1), state="talking", outcome=None)
    ended = await a_call(web.database, now - seconds(2))
    told = {
        state: [call["ref"] for call in (await listed(web, f"?state={state}"))["calls"]]
        for state in ("live", "ringing", "ended")
    }

    assert told == {"live": [ringing, talking], "ringing": [ringing], "ended": [ended]}


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("state=asleep", "state"), ("colour=red", "colour"),
     ("before=unknown-ref", "before")],
)  # fmt: skip
async def test_a_wrong_question_is_named(web: Web, query: str, field: str) -> None:
    """400 with the parameter."""
    async with web.get(f"/v1/calls?{query}") as answer:
        body = await answer.json()

    assert answer.status == 400
    assert [f["field"] for f in body["fields"]] == [field]


async def test_a_call_is_explained(web: Web) -> None:
    """The visit, every decision with its evidence, the runners-up, and what Asterisk said."""
    now = web.clock.now
    session = await a_session(web.database, now - seconds(95), tapped_at=now - seconds(12))
    runner = {"session_id": 9, "p": 0.02, "source": "yandex", "medium": "cpc", "campaign": "x"}
    ref = await a_call(web.database, now, attribution={"level": "none", "confidence": 0.0})
    call_id = await web.database._pool.fetchval("SELECT id FROM call")
    await an_attribution(
        web.database, call_id, now + seconds(5), session_id=session, runners_up=[runner]
    )
    await an_event(web.database, ref, now, "CT_IN", {"did": "74951110001"})
    async with web.get(f"/v1/calls/{ref}") as answer:
        body = await answer.json()

    assert body["call"]["ref"] == ref
    assert body["session"]["landing_url"].startswith("https://shop.example/boilers")
    assert body["session"]["tapped_at"] == "2026-11-23T08:59:48Z"
    assert [decision["in_force"] for decision in body["decisions"]] == [False, True]
    assert [d["attribution"]["words"] for d in body["decisions"]] == ["unknown", "almost certain"]
    assert body["decisions"][1]["runners_up"] == [runner]
    assert body["decisions"][1]["evidence"][0]["words"] == "the page was open and in use"
    assert [(event["kind"], event["data"]) for event in body["events"]] == [
        ("CT_IN", {"did": "74951110001"})
    ]


async def test_one_organisation_never_sees_anothers_calls(web: Web) -> None:
    """Neither in the list, nor by a ref, nor as a place to read on from."""
    by = By(actor="test", now=web.clock.now)
    await Administration(web.database).add_organisation("Other", by=by)
    ref = await a_call(
        web.database, web.clock.now, organisation="Other", recording="a.raw", recording_bytes=4
    )
    mine = await listed(web)
    statuses = []
    for path in (f"/v1/calls/{ref}", f"/v1/calls/{ref}/recordings/1", f"/v1/calls?before={ref}"):
        async with web.get(path) as answer:
            statuses.append(answer.status)

    assert mine["calls"] == []
    assert statuses == [404, 404, 400]


@pytest.fixture
async def recording(web: Web, recordings_root: Path) -> str:
    """The path of a recording of four frames: company 1, caller 2."""
    frames = b"".join(struct.pack("<hh", 100 + i, 200 + i) for i in range(4))
    (recordings_root / "2026/11/23").mkdir(parents=True)
    (recordings_root / "2026/11/23/one.raw").write_bytes(frames)
    ref = await a_call(
        web.database, web.clock.now, recording="2026/11/23/one.raw", recording_bytes=16
    )
    return f"/v1/calls/{ref}/recordings/1"


async def test_a_recording_is_a_wav(web: Web, recording: str) -> None:
    """The caller left, the company right; hearing it is written down, once for many pieces."""
    async with web.get(recording) as answer:
        data = await answer.read()
    async with web.get(recording, headers={"Range": "bytes=50-"}):
        pass
    web.clock.pass_time(minutes=11)
    async with web.get(recording):
        pass
    audited = await web.database._pool.fetch(
        "SELECT actor, subject FROM audit_entry WHERE action = 'recording.hear'"
    )

    with wave.open(io.BytesIO(data)) as heard:
        assert (heard.getnchannels(), heard.getframerate(), heard.getnframes()) == (2, 8000, 4)
        assert heard.readframes(1) == struct.pack("<hh", 200, 100)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert [row["actor"] for row in audited] == ["token tests", "token tests"]
    assert audited[0]["subject"].startswith("call ")


async def test_a_recording_comes_in_pieces(web: Web, recording: str) -> None:
    """Whatever piece a player asks for is that piece of the whole."""
    async with web.get(recording) as answer:
        whole = await answer.read()
    size = len(whole)
    told = {}
    for wanted in ("0-", "0-43", "10-50", "43-45", "44-44", "45-", "-5", "0-999", "-999"):
        async with web.get(recording, headers={"Range": f"bytes={wanted}"}) as answer:
            told[wanted] = (answer.status, answer.headers["Content-Range"], await answer.read())
    refused = []
    for wanted in ("60-", "99-100", "5-4", "x", "-"):
        async with web.get(recording, headers={"Range": f"bytes={wanted}"}) as answer:
            refused.append((answer.status, answer.headers["Content-Range"]))

    assert told == {
        "0-": (206, f"bytes 0-59/{size}", whole),
        "0-43": (206, f"bytes 0-43/{size}", whole[:44]),
        "10-50": (206, f"bytes 10-50/{size}", whole[10:51]),
        "43-45": (206, f"bytes 43-45/{size}", whole[43:46]),
        "44-44": (206, f"bytes 44-44/{size}", whole[44:45]),
        "45-": (206, f"bytes 45-59/{size}", whole[45:]),
        "-5": (206, f"bytes 55-59/{size}", whole[-5:]),
        "0-999": (206, f"bytes 0-59/{size}", whole),
        "-999": (206, f"bytes 0-59/{size}", whole),
    }
    assert refused == [(416, "bytes */60")] * 5


@pytest.mark.parametrize("path", ["../secret.raw", "/etc/passwd", "missing.raw", "2026"])
async def test_a_recording_lies_in_its_folder_or_nowhere(
    web: Web, recordings_root: Path, path: str
) -> None:
    """A path in the database that leads elsewhere is not followed."""
    (recordings_root.parent / "secret.raw").write_bytes(b"1234")
    ref = await a_call(web.database, web.clock.now, recording=path, recording_bytes=4)
    async with web.get(f"/v1/calls/{ref}/recordings/1") as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "not_found")


async def test_what_visitors_write_is_data(web: Web) -> None:
    """A script in a tag comes back as the same text, in JSON that no browser takes for a page."""
    session = await a_session(web.database, web.clock.now - seconds(95), landing_url=XSS)
    ref = await a_call(
        web.database, web.clock.now, attribution={"session_id": session, "campaign": XSS}
    )
    async with web.get(f"/v1/calls/{ref}") as answer:
        body = await answer.json()

    assert body["call"]["attribution"]["campaign"] == XSS
    assert body["session"]["landing_url"] == XSS
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_times_of_calls_are_utc(web: Web) -> None:
    """RFC 3339 with Z, and the router's clock beside them for timers."""
    await a_call(web.database, web.clock.now - timedelta(hours=3))
    body = await listed(web)

    assert body["now"] == "2026-11-23T09:00:00Z"
    assert body["calls"][0]["arrived_at"] == "2026-11-23T06:00:00Z"
