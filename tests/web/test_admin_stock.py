"""Files of numbers, moves, histories and coverage over HTTP; on a real PostgreSQL."""

from __future__ import annotations

import io
from typing import Any

from router.services.coverage import Coverages
from tests.web.conftest import Web
from tests.web.seed import a_call, a_session
from tests.web.test_admin import ask, entries, fields

FILE = "number,pool,carrier\n+74951120001,ads,Acme Tel\n+74951120002,ads,Acme Tel\n"


async def send(web: Web, text: str | bytes, query: str = "", **headers: str) -> tuple[int, Any]:
    """A file to the import."""
    given = {"Authorization": f"Bearer {web.token}", "Content-Type": "text/csv"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = text.encode() if isinstance(text, str) else text
    async with web.client.post(
        f"{web.staff_url}/v1/numbers/import{query}", data=io.BytesIO(data), headers=given
    ) as answer:
        return answer.status, await answer.json()


async def test_a_file_is_tried_taken_in_and_written_again(web: Web) -> None:
    """A dry run changes nothing; the same file sent twice with its key is taken in once."""
    tried = await send(web, FILE, "?dry_run=true")
    _, before, _ = await ask(web, "GET", "/v1/numbers")
    made = await send(web, FILE, Idempotency_Key="file-1")
    again = await send(web, FILE, Idempotency_Key="file-1")
    twice, refused = await send(web, FILE)
    async with web.get("/v1/numbers/export") as answer:
        written, kind = await answer.text(), answer.headers["Content-Type"]

    assert (tried[0], tried[1]["numbers"], tried[1]["dry_run"]) == (200, 2, True)
    assert len(before["items"]) == 3
    assert made == again
    assert made[1]["by_place"] == {"pool ads": 2}
    assert (twice, len(refused["fields"])) == (400, 2)
    assert "registered already" in refused["message"]
    assert "+74951120002" in written
    assert kind.startswith("text/csv")
    assert len(await entries(web, "&action=number.import")) == 1


async def test_a_file_that_is_none(web: Web) -> None:
    """Too large, no text, another media type, an unknown column: each is refused."""
    large, _ = await send(web, b"number\n" + b"x" * 1_100_000)
    bytes_, told = await send(web, b"\xff\xfe\x00")
    kind, _ = await send(web, FILE, Content_Type="application/json")
    column, wrong = await send(web, "number,colour\n+74951120001,red\n")

    assert (large, bytes_, kind, column) == (413, 400, 415, 400)
    assert fields(told) == ["file"]
    assert "colour" in wrong["message"]


async def test_a_number_moves_and_its_history_tells(web: Web) -> None:
    """Where it went and why; another organisation's number is not found."""
    await ask(web, "POST", "/v1/pools", {"name": "second", "site": "shop"})
    session = await a_session(web.database, web.clock.now)
    await a_call(web.database, web.clock.now, attribution={"session_id": session})
    await web.database._pool.execute(
        "UPDATE call SET number_id = (SELECT id FROM number WHERE e164 = '+74951110001')"
    )
    body = {"numbers": ["+74951110001"], "to": "second"}
    _, moved, _ = await ask(web, "POST", "/v1/numbers/move", body)
    twice, refused, _ = await ask(web, "POST", "/v1/numbers/move", body)
    _, number, _ = await ask(web, "GET", "/v1/numbers/+74951110001")
    _, told, _ = await ask(web, "GET", "/v1/numbers/+74951110001/history")
    unknown, _, _ = await ask(web, "GET", "/v1/numbers/+74959990001/history")
    _, gone, _ = await ask(
        web, "POST", "/v1/numbers/retire", {"numbers": ["+74951110002"], "days": 3}
    )

    assert moved == {"at_once": ["+74951110001"], "waiting": []}
    assert (twice, fields(refused)) == (400, ["numbers"])
    assert number["pool"]["name"] == "second"
    assert (told["calls_in_all"], told["calls"][0]["caller"]) == (1, "+79161234567")
    assert unknown == 404
    assert gone == {"numbers": ["+74951110002"]}
    assert [e["action"] for e in (await entries(web))[:2]] == ["number.retire", "number.move"]


async def test_coverage_is_told_once_it_is_reckoned(web: Web) -> None:
    """Nothing before; then each pool that had visits."""
    _, before, _ = await ask(web, "GET", "/v1/coverage")
    await web.visit()
    web.clock.pass_time(hours=2)
    await Coverages(web.database).reckon(web.clock.now)
    _, after, _ = await ask(web, "GET", "/v1/coverage")

    assert before == {"items": []}
    assert [(row["pool"], row["visits"], row["share"]) for row in after["items"]] == [
        ("ads", 1, 1.0)
    ]
