"""Setting up over HTTP: resources, refusals, repeats, organisations apart; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from router.services.administration import Administration
from router.services.work import By
from router.web.openapi import plain_path
from router.web.server import ENDPOINTS
from tests.web.conftest import Web


async def ask(
    web: Web, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, Mapping[str, str]]:
    """Status, JSON and headers of one request with the token."""
    given = {"Authorization": f"Bearer {web.token}"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with web.client.request(method, web.staff_url + path, json=body, headers=given) as answer:
        text = await answer.text()
        return answer.status, await answer.json() if text else None, answer.headers


def fields(refused: Any) -> list[str]:
    return [field["field"] for field in refused["fields"]]


async def entries(web: Web, query: str = "") -> list[dict[str, Any]]:
    _, page, _ = await ask(web, "GET", f"/v1/audit?limit=200{query}")
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_a_company_is_set_up(web: Web) -> None:
    """Everything by name or by id; each step is answered with the thing, and audited by the token's name."""
    _, trunk, _ = await ask(web, "POST", "/v1/trunks", {"name": "carrier-2"})
    away = {"name": "away", "number": "8 916 123-45-67", "region": "RU", "trunk": trunk["id"]}
    _, target, _ = await ask(web, "POST", "/v1/targets", away)
    site = {
        "name": "second",
        "origins": ["HTTPS://Second.Example/"],
        "region": "RU",
        "time_zone": "Europe/Moscow",
        "default_number": "8 495 987-65-43",
        "target": "away",
    }
    _, site, _ = await ask(web, "POST", "/v1/sites", site)
    pool = {"name": "search", "site": site["id"], "policy": "uis", "rules": ["source=yandex"]}
    status, pool, _ = await ask(web, "POST", "/v1/pools", pool)
    numbers = {"numbers": ["8 495 111-00-08"], "pool": pool["id"], "trunk": "carrier-2"}
    _, added, _ = await ask(web, "POST", "/v1/numbers", numbers)
    _, number, _ = await ask(web, "GET", "/v1/numbers/+74951110008")
    _, pool, _ = await ask(web, "GET", f"/v1/pools/{pool['id']}")
    audited = [(e["action"], e["subject"], e["actor"]) for e in (await entries(web))[:5]]

    assert (trunk["name"], trunk["target"]) == ("carrier-2", None)
    assert (target["kind"], target["number"]) == ("pstn", "+79161234567")
    assert target["trunk"] == {"id": trunk["id"], "name": "carrier-2"}
    assert (site["origins"], site["page_numbers"]) == (["https://second.example"], ["+74959876543"])
    assert status == 201
    assert (pool["policy"], pool["kind"], pool["rules"], pool["numbers"]) == (
        "uis", "dynamic", ["source=yandex"], 1,
    )  # fmt: skip
    assert added == {"numbers": ["+74951110008"]}
    assert (number["state"], number["pool"]["name"], number["site"]["name"]) == (
        "free", "search", "second",
    )  # fmt: skip
    assert audited == [
        ("number.add", "search", "token tests"),
        ("pool.add", "search", "token tests"),
        ("site.add", "second", "token tests"),
        ("target.add", "away", "token tests"),
        ("trunk.add", "carrier-2", "token tests"),
    ]


async def test_an_edit_changes_what_it_names(web: Web) -> None:
    """null takes away, what is not given stays; the trail has both values."""
    edit = {"priority": 5, "channel": "google_ads", "target": "office", "left_seconds": 2000}
    _, edited, _ = await ask(web, "PATCH", "/v1/pools/1", edit)
    _, bare, _ = await ask(web, "PATCH", "/v1/pools/1", {"target": None, "channel": None})
    _, same, _ = await ask(web, "PATCH", "/v1/pools/1", {})
    _, site, _ = await ask(web, "PATCH", "/v1/sites/1", {"time_zone": "Asia/Kolkata"})
    _, line, _ = await ask(web, "PATCH", "/v1/targets/1", {"ring_seconds": 40})
    _, trunk, _ = await ask(web, "PATCH", "/v1/trunks/1", {"target": None})
    _, number, _ = await ask(web, "PATCH", "/v1/numbers/74951110001", {"record": False})
    _, owner, _ = await ask(web, "PATCH", "/v1/organisation", {"name": "Acme Ltd"})
    trail = await entries(web, "&action=pool.edit")

    assert (edited["priority"], edited["left_seconds"], edited["rules"]) == (
        5, 2000, ["source=google"],
    )  # fmt: skip
    assert edited["target"]["name"] == "office"
    assert (bare["target"], bare["channel"], bare["priority"]) == (None, None, 5)
    assert same == bare
    assert (site["time_zone"], site["name"]) == ("Asia/Kolkata", "shop")
    assert (line["ring_seconds"], line["endpoint"]) == (40, "office")
    assert (trunk["target"], number["record"], owner["name"]) == (None, False, "Acme Ltd")
    assert [len(trail), trail[1]["detail"]["priority"], trail[1]["detail"]["was"]["priority"]] == [
        2, 5, 100,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/v1/pools", {"name": "x", "site": "shop", "policy": "fair"}, ["policy"]),
        ("POST", "/v1/pools", {"name": "x"}, ["site"]),
        ("POST", "/v1/pools", {"name": "x", "site": "shop", "colour": 1}, ["colour"]),
        ("POST", "/v1/pools", {"name": "ads", "site": "shop"}, ["name"]),
        ("POST", "/v1/pools", {"name": "x", "site": "no"}, ["site"]),
        ("PATCH", "/v1/pools/1", {"left_seconds": 5, "aim": 2}, ["left_seconds", "aim"]),
        ("PATCH", "/v1/pools/1", {"rules": ["colour"]}, ["rules"]),
        ("PATCH", "/v1/pools/1", {"binding": ["campaign", "x"]}, ["binding[1]"]),
        ("PATCH", "/v1/pools/1", {"name": None}, ["name"]),
        ("PATCH", "/v1/pools/1", {"target": "no", "source": "x"}, ["target", "source"]),
        ("PATCH", "/v1/sites/1", {"origins": ["x"], "region": "QQ"}, ["origins", "region"]),
        ("PATCH", "/v1/sites/1", {"page_numbers": ["12"]}, ["page_numbers"]),
        ("PATCH", "/v1/targets/1", {"number": "+79161234567"}, ["trunk"]),
        ("POST", "/v1/trunks", {"name": "a b"}, ["name"]),
        ("POST", "/v1/numbers", {"numbers": []}, ["numbers"]),
        ("POST", "/v1/numbers", {"numbers": ["+74951110001"]}, ["numbers"]),
        ("POST", "/v1/trunks", [], ["body"]),
        ("PATCH", "/v1/organisation", {"name": "a\u0000b"}, ["name"]),
    ],
)  # fmt: skip
async def test_a_refusal_names_its_fields(
    web: Web, method: str, path: str, body: Any, named: list[str]
) -> None:
    """As they stand in the body; and nothing was changed."""
    before = len(await entries(web))
    status, refused, _ = await ask(web, method, path, body)

    assert (status, fields(refused)) == (400, named)
    assert all(field["problem"] for field in refused["fields"])
    assert len(await entries(web)) == before


async def test_what_is_needed_is_not_deleted(web: Web) -> None:
    """409 says what holds it; once nothing does it goes, and is gone."""
    status, refused, _ = await ask(web, "DELETE", "/v1/pools/1")
    for i in (1, 2, 3):
        _, gone, _ = await ask(web, "DELETE", f"/v1/numbers/+7495111000{i}")
    done, nothing, _ = await ask(web, "DELETE", "/v1/pools/1")
    again, _, _ = await ask(web, "DELETE", "/v1/pools/1")
    withdrawn, _, _ = await ask(web, "DELETE", "/v1/numbers/+74951110001")

    assert (status, refused["error"]) == (409, "still_needed")
    assert "3 number(s) (for example +74951110001)" in refused["message"]
    assert gone["state"] == "withdrawn"
    assert (done, nothing, again, withdrawn) == (204, None, 404, 400)


async def test_a_write_sent_twice_is_made_once(web: Web) -> None:
    """The same answer, also to eight at once; another body with the same key is refused."""
    body = {"name": "carrier-2"}
    answers = await asyncio.gather(
        *(ask(web, "POST", "/v1/trunks", body, Idempotency_Key="k-1") for _ in range(8))
    )
    other, told, _ = await ask(
        web, "POST", "/v1/trunks", {"name": "carrier-3"}, Idempotency_Key="k-1"
    )
    _, trunks, _ = await ask(web, "GET", "/v1/trunks")

    assert {status for status, _, _ in answers} == {201}
    assert all(made == answers[0][1] for _, made, _ in answers)
    assert sum("Idempotency-Replayed" in headers for _, _, headers in answers) == 7
    assert {headers["ETag"] for _, _, headers in answers} == {answers[0][2]["ETag"]}
    assert (other, told["error"]) == (422, "idempotency_key_reused")
    assert [trunk["name"] for trunk in trunks["items"]] == ["carrier-1", "carrier-2"]
    assert len(await entries(web, "&action=trunk.add&subject=carrier-2")) == 1


async def test_a_key_is_forgotten_after_a_day_and_refusals_at_once(web: Web) -> None:
    """A refused write changed nothing: its key may be used for the right one."""
    wrong, _, _ = await ask(web, "POST", "/v1/trunks", {"name": "a b"}, Idempotency_Key="k")
    right, _, _ = await ask(web, "POST", "/v1/trunks", {"name": "a"}, Idempotency_Key="k")
    web.clock.pass_time(hours=23)
    kept, _, headers = await ask(web, "POST", "/v1/trunks", {"name": "a"}, Idempotency_Key="k")
    web.clock.pass_time(hours=2)
    anew, _, _ = await ask(web, "POST", "/v1/trunks", {"name": "b"}, Idempotency_Key="k")
    bad, refused, _ = await ask(web, "POST", "/v1/trunks", {"name": "c"}, Idempotency_Key="a b")

    assert (wrong, right, kept, anew, bad) == (400, 201, 201, 201, 400)
    assert headers["Idempotency-Replayed"] == "true"
    assert fields(refused) == ["Idempotency-Key"]


async def test_a_deletion_is_repeated_without_harm(web: Web) -> None:
    """The second request gets the first one's 204."""
    await ask(web, "POST", "/v1/trunks", {"name": "spare"})
    first, _, _ = await ask(web, "DELETE", "/v1/trunks/2", Idempotency_Key="d")
    second, _, headers = await ask(web, "DELETE", "/v1/trunks/2", Idempotency_Key="d")

    assert (first, second, headers["Idempotency-Replayed"]) == (204, 204, "true")


async def test_who_read_an_old_state_does_not_overwrite_the_new_one(web: Web) -> None:
    """If-Match with the tag that was read; numbers that come and go change no tag of their pool."""
    _, _, read = await ask(web, "GET", "/v1/pools/1")
    await ask(web, "POST", "/v1/numbers", {"numbers": ["+74951110009"], "pool": "ads"})
    first, _, made = await ask(web, "PATCH", "/v1/pools/1", {"priority": 1}, If_Match=read["ETag"])
    late, told, _ = await ask(web, "PATCH", "/v1/pools/1", {"priority": 2}, If_Match=read["ETag"])
    gone, _, _ = await ask(web, "DELETE", "/v1/sites/1", If_Match='"x"')
    last, pool, _ = await ask(web, "PATCH", "/v1/pools/1", {"priority": 3}, If_Match=made["ETag"])

    assert (first, late, told["error"], gone) == (200, 412, "changed", 412)
    assert (last, pool["priority"]) == (200, 3)


async def test_lists_are_read_in_pages(web: Web) -> None:
    """Each thing once, whatever is added meanwhile; filters hold on every page."""
    more = [f"+7495222000{i}" for i in range(7)]
    await ask(web, "POST", "/v1/numbers", {"numbers": more})
    seen: list[str] = []
    cursor = ""
    for i in range(6):
        _, page, _ = await ask(web, "GET", f"/v1/numbers?limit=2{cursor}")
        seen += [number["number"] for number in page["items"]]
        if i == 2:
            await ask(web, "POST", "/v1/numbers", {"numbers": ["+74953330001"]})
        cursor = f"&cursor={page['next']}"
    _, of_pool, _ = await ask(web, "GET", "/v1/numbers?pool=1")
    _, of_site, _ = await ask(web, "GET", "/v1/numbers?site=1&withdrawn=false&standing=in_use")
    _, none, _ = await ask(web, "GET", "/v1/numbers?withdrawn=true")
    _, static, _ = await ask(web, "GET", "/v1/pools?kind=static&site=1")
    wrong, refused, _ = await ask(web, "GET", "/v1/numbers?cursor=%00x&limit=2")

    assert page["next"] is None
    assert seen == [*(f"+7495111000{i}" for i in (1, 2, 3)), *more, "+74953330001"]
    assert len(of_pool["items"]) == len(of_site["items"]) == 3
    assert (none["items"], static["items"]) == ([], [])
    assert (wrong, fields(refused)) == (400, ["cursor"])


async def test_the_trail_is_read_backwards_and_by_filters(web: Web) -> None:
    """Newest first, in pages, of an actor, a subject, a time."""
    web.clock.pass_time(hours=1)
    for priority in (1, 2, 3):
        await ask(web, "PATCH", "/v1/pools/1", {"priority": priority})
    _, page, _ = await ask(web, "GET", "/v1/audit?limit=2&subject=ads&actor=token%20tests")
    _, rest, _ = await ask(
        web, "GET", f"/v1/audit?limit=2&subject=ads&actor=token%20tests&cursor={page['next']}"
    )
    late = await entries(web, "&since=2026-11-23T09:30:00Z")
    early = await entries(web, "&until=2026-11-23T09:30:00Z&action=pool.edit")

    assert [e["detail"]["priority"] for e in page["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next"] is None
    assert {e["action"] for e in late} == {"pool.edit"}
    assert early == []


async def test_another_organisations_things_are_not_found(web: Web) -> None:
    """Not read, not edited, not deleted, not referred to, not told in the trail."""
    by = By(actor="test", now=web.clock.now)
    await Administration(web.database).add_organisation("Other", by=by)
    web.token = await web.parts.access.create_token(
        "theirs", scope="write", organisation="Other", actor="test", now=web.clock.now
    )
    statuses = set()
    for path in ("trunks/1", "targets/1", "sites/1", "pools/1", "numbers/+74951110001"):
        statuses |= {
            (await ask(web, "GET", f"/v1/{path}"))[0],
            (await ask(web, "PATCH", f"/v1/{path}", {}))[0],
            (await ask(web, "DELETE", f"/v1/{path}"))[0],
        }
    lists = [
        (await ask(web, "GET", f"/v1/{kind}"))[1]["items"]
        for kind in ("trunks", "targets", "sites", "pools", "numbers")
    ]
    referred, refused, _ = await ask(web, "POST", "/v1/trunks", {"name": "t", "target": 1})

    assert statuses == {404}
    assert lists == [[], [], [], [], []]
    assert (referred, fields(refused)) == (400, ["target"])
    assert {e["subject"] for e in await entries(web)} == {"Other", "theirs"}


async def test_a_reading_token_changes_nothing(web: Web) -> None:
    """Every write of the table is refused before anything else is looked at."""
    web.token = await web.parts.access.create_token("r", actor="test", now=web.clock.now)
    _, staff = web.applications
    refused = {}
    for endpoint in staff[ENDPOINTS]:
        if endpoint.scope == "write":
            path = (
                plain_path(endpoint.path)
                .replace("{id}", "1")
                .replace("{key}", "radio")
                .replace("{number}", "74951110001")
            )
            status, told, _ = await ask(web, endpoint.method, path, {})
            refused[endpoint.method, path] = (status, told["error"])
    reading, _, _ = await ask(web, "GET", "/v1/pools")

    assert len(refused) > 10
    assert set(refused.values()) == {(403, "forbidden")}
    assert reading == 200


async def test_a_browser_writes_from_our_own_pages_only(web: Web) -> None:
    """With a session's cookie, a page of another site is refused; the change is the session's."""
    code = await web.parts.access.create_code(now=web.clock.now)
    session = await web.parts.access.sign_in(code, now=web.clock.now)
    cookies, url = {"call_router_8081": session}, f"{web.staff_url}/v1/pools/1"
    statuses = []
    for site in ("cross-site", "same-site", "same-origin"):
        headers = {"Sec-Fetch-Site": site}
        async with web.client.patch(
            url, json={"priority": 7}, cookies=cookies, headers=headers
        ) as answer:
            statuses.append(answer.status)

    assert statuses == [403, 403, 200]
    assert (await entries(web))[0]["actor"].startswith("session ")


async def test_bodies_are_json_of_a_limited_size(web: Web) -> None:
    """415, 413, and 400 for what is no JSON."""
    statuses = []
    for data, kind in (
        (b"{}", "text/plain"),
        (b"[" * 600_000, "application/json"),
        (b"{", "application/json"),
    ):
        headers = {"Authorization": f"Bearer {web.token}", "Content-Type": kind}
        async with web.client.post(
            f"{web.staff_url}/v1/trunks", data=data, headers=headers
        ) as answer:
            statuses.append(answer.status)

    assert statuses == [415, 413, 400]
