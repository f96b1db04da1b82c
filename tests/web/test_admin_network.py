"""Codes that change and numbering plans over HTTP; on a real PostgreSQL."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from router.services.administration import Administration
from router.services.work import By
from tests.web.conftest import Web
from tests.web.test_admin import ask, entries, fields

PLAN = "prefix,region,operator\n916,RU-MOW,Acme Tel\n921,RU-SPE,\n"
CHANGE = {"old": "7 495 111", "new": "7 499 111", "begins": "2020-01-01", "until": "2999-01-01"}


async def load(web: Web, text: str, query: str = "?country=RU") -> tuple[int, Any]:
    given = {"Authorization": f"Bearer {web.token}", "Content-Type": "text/csv"}
    async with web.client.post(
        f"{web.staff_url}/v1/plans/import{query}", data=io.BytesIO(text.encode()), headers=given
    ) as answer:
        return answer.status, await answer.json()


async def test_a_code_changes_once_and_is_ended(web: Web) -> None:
    """A number is put aside by its old form too; after the end the list is empty."""
    made = await ask(web, "POST", "/v1/code-changes", CHANGE, Idempotency_Key="code-1")
    again = await ask(web, "POST", "/v1/code-changes", CHANGE, Idempotency_Key="code-1")
    _, listed, _ = await ask(web, "GET", "/v1/code-changes")
    _, aside, _ = await ask(
        web, "POST", "/v1/numbers/quarantine", {"numbers": ["+74951110001"], "why": "noise"}
    )
    ended, left, _ = await ask(web, "POST", "/v1/code-changes/end", {"old": "+7495111"})

    assert (made[0], made[1], again[1]) == (201, {"numbers": 3}, {"numbers": 3})
    assert [(one["old"], one["new"]) for one in listed["items"]] == [("+7495111", "+7499111")]
    assert aside == {"numbers": ["+74991110001"]}
    assert (ended, left) == (200, {"items": []})
    assert len(await entries(web, "&action=code.change")) == 1


async def test_a_plan_is_tried_and_loaded(web: Web) -> None:
    """And tells where a number is; a file with mistakes is refused by line."""
    tried = await load(web, PLAN, "?country=RU&dry_run=true")
    _, before, _ = await ask(web, "GET", "/v1/plans")
    loaded = await load(web, PLAN)
    _, after, _ = await ask(web, "GET", "/v1/plans")
    _, place, _ = await ask(web, "GET", "/v1/plans/lookup?number=%2B79161234567")
    wrong, told = await load(web, PLAN + "9161,RU-SPE,\n922,DE-BE,\n")

    assert tried == (200, {"dry_run": True, "country": "RU", "ranges": 2})
    assert before == {"items": []}
    assert (loaded[0], [one["ranges"] for one in after["items"]]) == (200, [2])
    assert place == {"region": "RU-MOW", "operator": "Acme Tel"}
    assert (wrong, fields(told)) == (400, ["line 4, prefix", "line 5, region"])


async def test_with_several_organisations_they_are_only_read(web: Web, now: datetime) -> None:
    """One's token does not change another's numbers."""
    await Administration(web.database).add_organisation("Other", by=By(actor="test", now=now))
    refused, told, _ = await ask(web, "POST", "/v1/code-changes", CHANGE)
    ended, _, _ = await ask(web, "POST", "/v1/code-changes/end", {"old": "+7495111"})
    loaded, _ = await load(web, PLAN)
    read, listed, _ = await ask(web, "GET", "/v1/code-changes")

    assert (refused, told["error"], ended, loaded) == (403, "forbidden", 403, 403)
    assert (read, listed) == (200, {"items": []})
