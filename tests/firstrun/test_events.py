"""What the terminal shows of visits and calls."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from router.firstrun import calls_api, http_client
from router.firstrun.calls_api import NotFinished
from router.firstrun.company_line import Ring
from router.firstrun.events import Event, Teller
from router.store.firstrun import Visit

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def record(**changes: Any) -> dict[str, Any]:
    """A call with its explanation, as the API tells it."""
    call = {
        "ref": "abcdefghij",
        "state": "ended",
        "outcome": "answered",
        "caller": {"text": "+79161234567", "readable": "+7 916 123-45-67"},
        "number": {"text": "74951350101", "readable": "+7 495 135-01-01"},
        "target": "front desk",
        "route_source": "router",
        "arrived_at": AT.isoformat(),
        "answered_at": AT.isoformat(),
        "ring_ms": 512,
        "talk_ms": 2480,
        "hung_up_by": "caller",
        "attribution": {
            "method": "reservation",
            "level": "session",
            "confidence": 0.987,
            "words": "almost certain",
            "source": "google",
            "medium": "cpc",
            "campaign": None,
        },
        "recordings": [{"duration_ms": 2480, "bytes": 79360, "truncated": False}],
    }
    return {"call": {**call, **changes}, "session": {"session": "5e55", "visitor": "v"}}


def test_record_in_words() -> None:
    text = "\n".join(calls_api.describe(record()))
    for part in (
        "abcdefghij",
        "+7 916 123-45-67 dialled +7 495 135-01-01",
        "5e55",
        "google / cpc / -",
        "reservation: by who was shown the number",
        "99 %, almost certain, that it is this session",
        "front desk, chosen by router",
        "rang 0.5 s, talked 2.5 s; answered, hung up by the caller",
        "2.5 s in stereo, 79360 bytes, whole",
    ):
        assert part in text
    hidden = record(caller=None, attribution=None, recordings=[], talk_ms=None)
    assert "a hidden number dialled" in "\n".join(calls_api.describe(hidden))


def test_shortfall() -> None:
    assert calls_api.shortfall(record()) == ""
    assert "no attribution" in calls_api.shortfall(record(attribution=None))
    nobody = {**record()["call"]["attribution"], "method": "without_session", "level": "none"}
    assert "nobody was shown" in calls_api.shortfall(record(attribution=nobody))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, Any]]]:
    """Answers of the list of calls, one a request; the last is repeated."""
    answers: list[list[dict[str, Any]]] = []

    def get(url: str, *, token: str) -> Any:
        if url.endswith("/v1/calls/abcdefghij"):
            return record()
        return {"calls": answers.pop(0) if len(answers) > 1 else answers[0]}

    monkeypatch.setattr(http_client, "get", get)
    monkeypatch.setattr(calls_api, "_PATIENCE_SECONDS", 0.5)
    return answers


def wait(since: float = AT.timestamp()) -> calls_api.Record:
    return calls_api.wait_for_record(
        "http://staff", "token", number="+74951350101", caller="+79161234567", since=since
    )


def test_waits_for_end_attribution_and_recording(api: list[list[dict[str, Any]]]) -> None:
    whole = record()["call"]
    api += [[], [{**whole, "state": "talking"}], [{**whole, "recordings": []}], [whole]]
    assert wait() == record()
    assert api == [[whole]]


def test_says_what_the_record_lacks(api: list[list[dict[str, Any]]]) -> None:
    api.append([record(state="talking", recordings=[], attribution=None)["call"]])
    with pytest.raises(NotFinished, match="lacks its end and its attribution and its recording"):
        wait()


def test_older_and_other_calls_are_not_ours(api: list[list[dict[str, Any]]]) -> None:
    other = {"text": "+79160000000", "readable": ""}
    api.append([record(caller=other)["call"], record(caller=None)["call"], record()["call"]])
    with pytest.raises(NotFinished, match="no call to"):
        wait(since=AT.timestamp() + 60)


def test_each_stage_of_a_call_is_told_once() -> None:
    teller = Teller()

    def tell(**changes: Any) -> str:
        return teller.line(Event(at=AT, what=record(**changes)))

    who = "+7 916 123-45-67 dialled +7 495 135-01-01, from google / cpc / - (almost certain, 99 %)"
    assert tell(state="arrived") == ""
    assert tell(state="ringing") == f"call abcdef  ringing: {who}"
    assert tell(state="ringing") == ""
    assert tell(state="talking") == "call abcdef  front desk talks with +7 916 123-45-67"
    end = "ended: answered, talked 2.5 s, hung up by the caller"
    assert tell(recordings=[]) == f"call abcdef  {end}"
    assert tell() == "call abcdef  recording of 2.5 s"
    assert tell() == ""
    refused: dict[str, Any] = {
        "ref": "refused",
        "outcome": "refused",
        "recordings": [],
        "talk_ms": None,
    }
    assert tell(**refused) == (
        f"call refuse  ended: {who}; refused, talked -, hung up by the caller"
    )
    assert tell(ref="missed", attribution=None).endswith(
        "from not attributed yet; answered, talked 2.5 s, hung up by the caller; recording of 2.5 s"
    )


def test_visits_and_rings() -> None:
    visit = Visit(
        id=1,
        session=UUID(int=0xABCDEF << 104),
        source="google",
        medium="cpc",
        campaign="",
        shown="+74951350101",
        overflow=False,
    )
    teller = Teller()
    line = teller.line(Event(at=AT, what=visit))
    assert line == "visit abcdef  from google / cpc / -: shows 8 (495) 135-01-01"
    ring = Ring(caller="", name="google / cpc", tags={})
    assert teller.line(Event(at=AT, what=ring)) == (
        "the company's telephone rings: a hidden number; its display says “google / cpc”"
    )
