"""Numbers for AMP pages and for pages that a server puts together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.services.administration import Administration
from router.services.places import Places
from router.services.work import By
from router.store.database import Database
from tests.services.mmdb import place, write
from tests.web.conftest import BROWSER, MANY, ORIGIN, SITE, Clock, Web, serving

CACHE = "https://shop-example.cdn.ampproject.org"
LANDING = f"{ORIGIN}/?utm_source=google&utm_medium=cpc"
SERVICE = "+74951234599"


async def token_of(web: Web) -> str:
    """The site's server token, known to the router after its directory's time."""
    by = By(actor="test", now=web.clock.now)
    token = await Administration(web.database).new_server_token("shop", by=by)
    web.clock.pass_time(seconds=1)
    return token


async def two_numbers(web: Web) -> None:
    """The page shows a service number as well, which a pool of one number serves."""
    by = By(actor="test", now=web.clock.now)
    administration = Administration(web.database)
    await web.database._pool.execute(
        "UPDATE site SET page_numbers = page_numbers || $1::text[]", [SERVICE]
    )
    await administration.add_pool("service", site="shop", by=by)
    await administration.add_numbers(["+74951110009"], pool="service", by=by)
    await administration.serve_page_number("service", SERVICE, by=by)
    web.clock.pass_time(seconds=1)


async def amp(web: Web, origin: str = CACHE, **query: str) -> tuple[int, dict[str, Any], Any]:
    """As the visitor's browser asks on an AMP page."""
    asked = {"site": SITE, "url": LANDING, "client": "amp-Xy1", **query}
    headers = {"User-Agent": BROWSER, **({"Origin": origin} if origin else {})}
    async with web.client.get(f"{web.public_url}/v1/amp", params=asked, headers=headers) as answer:
        return answer.status, await answer.json(), answer.headers


async def number(web: Web, token: str = "", **query: str) -> tuple[int, dict[str, Any], Any]:
    """As the site's server asks."""
    asked = {"site": SITE, "url": LANDING, "user_agent": BROWSER, **query}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with web.client.get(
        f"{web.public_url}/v1/number", params=asked, headers=headers
    ) as answer:
        return answer.status, await answer.json(), answer.headers


async def sessions(web: Web) -> int:
    return int(await web.database._pool.fetchval("SELECT count(*) FROM session"))


@pytest.mark.parametrize("origin", [CACHE, ORIGIN])
async def test_an_amp_page_gets_the_visitors_number_in_amps_form(web: Web, origin: str) -> None:
    """From the cache and from the site itself; the next page of the same client has the same."""
    status, told, headers = await amp(web, origin)
    _, again, _ = await amp(web, origin, url=f"{ORIGIN}/contacts")

    assert status == 200
    assert told == {"phoneNumber": "+74951110001", "formattedPhoneNumber": "8 (495) 111-00-01"}
    assert again == told
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Cache-Control"] == "no-store"
    assert await sessions(web) == 1


async def test_amp_pages_of_nobody_we_know_are_refused(web: Web) -> None:
    """Another publisher's copy in the same cache; a page without origin."""
    stranger = await amp(web, "https://other-example.cdn.ampproject.org")
    nobody = await amp(web, "")

    assert [stranger[0], nobody[0]] == [403, 403]
    assert "Access-Control-Allow-Origin" not in stranger[2]
    assert await sessions(web) == 0


@pytest.mark.parametrize("query", [{"client": ""}, {"consent": "denied"}])
async def test_an_amp_visitor_without_name_or_consent_is_not_remembered(
    web: Web, query: dict[str, str]
) -> None:
    """Each of his pages would take a number of its own; what everybody sees is shown."""
    assert (await amp(web, **query))[1]["phoneNumber"] == "+74951234567"
    assert await sessions(web) == 0


async def test_an_amp_page_with_two_numbers_asks_for_each(web: Web) -> None:
    """`number` says which; one that the site knows nothing of stays."""
    await two_numbers(web)
    asked = ("+74951234567", SERVICE, "+74950000000")
    told = [(await amp(web, number=which))[1]["phoneNumber"] for which in asked]

    assert told == ["+74951110001", "+74951110009", "+74950000000"]


async def test_the_sites_server_gets_a_visitors_number_with_its_token(web: Web) -> None:
    """A session as by the snippet; given the visitor back, his next page shows the same."""
    token = await token_of(web)
    status, told, headers = await number(web, token)
    _, again, _ = await number(
        web, token, visitor=told["visitor"], url=f"{ORIGIN}/contacts", debug="true"
    )
    browser = await web.visit(visitor=told["visitor"])

    assert status == 200
    assert (told["number"]["e164"], told["how"]) == ("+74951110001", "free")
    assert (again["session"], again["number"]) == (told["session"], told["number"])
    assert any("ads" in line for line in again["why"])
    assert (browser["session"], browser["number"]) == (told["session"], told["number"])
    assert headers["Cache-Control"] == "no-store"


async def test_without_a_token_everybody_is_told_the_same(web: Web) -> None:
    """Nothing is kept and nobody has a name; a cache may hold it for a minute."""
    await two_numbers(web)
    status, told, headers = await number(web, visitor="0f2f7ab1-3a5e-4c52-8d39-1a1c51a6f1d0")

    assert status == 200
    assert (told["number"]["e164"], told["how"]) == ("+74951234567", "default")
    assert [told["session"], told["visitor"]] == [None, None]
    assert [(o["replace"], o["number"]["e164"]) for o in told["others"]] == [([SERVICE], SERVICE)]
    assert headers["Cache-Control"] == "public, max-age=60"
    assert await sessions(web) == 0


async def test_the_static_number_of_a_channel_needs_no_token(web: Web) -> None:
    """For e-mails, for pages without a script: calls are credited to the channel."""
    by = By(actor="test", now=web.clock.now)
    administration = Administration(web.database)
    await administration.add_pool(
        "letters", site="shop", kind="static", rules=["source=mail"], source="mail", by=by
    )
    await administration.add_numbers(["+74951110077"], pool="letters", by=by)
    web.clock.pass_time(seconds=1)
    _, told, _ = await number(web, url=f"{ORIGIN}/?utm_source=mail")

    assert (told["number"]["e164"], told["how"]) == ("+74951110077", "static")


async def test_wrong_and_old_tokens_are_refused(web: Web) -> None:
    """A new token ends the one before; a staff token is none of the site's."""
    old = await token_of(web)
    new = await token_of(web)
    found = [(await number(web, token))[0] for token in (old, web.token, "cts_x", new)]

    assert found == [401, 401, 401, 200]


async def test_tokens_cannot_be_tried_for_ever(company: Database, clock: Clock) -> None:
    """As sign-ins: so many failures a minute, then nobody of that network is heard."""
    async with serving(company, clock, limits=replace(MANY, failed_sign_ins=2)) as web:
        found = [(await number(web, "cts_x"))[0] for _ in range(3)]

    assert found == [401, 401, 429]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"url": "https://other.example/"}, 403, None),
        ({"url": "http://[shop.example/"}, 403, None),
        ({"url": "ftp://shop.example/"}, 400, "url"),
        ({"user_agent": ""}, 400, "user_agent"),
        ({"visitor": "somebody"}, 400, "visitor"),
        ({"address": "here"}, 400, "address"),
        ({"site": "no-such-site"}, 404, None),
    ],
)
async def test_what_a_server_may_get_wrong(
    web: Web, query: dict[str, str], status: int, field: str | None
) -> None:
    """Pages of other sites are refused; a wrong parameter is named."""
    found, told, _ = await number(web, await token_of(web), **query)

    assert found == status
    assert [wrong["field"] for wrong in told["fields"]] == ([field] if field else [])


async def test_ids_of_analytics_are_kept_with_the_visit(web: Web) -> None:
    """What is no id is passed over: other scripts' cookies may hold anything."""
    await web.visit(client_ids={"ga": "12.34", "ga_session": "x" * 99, "ym": 5})
    await web.visit(client_ids={"ga": "1.2", "ga_session": "56", "ym": "789"})
    rows = await web.database._pool.fetch("SELECT click_ids FROM session ORDER BY id")

    assert [row["click_ids"] for row in rows] == [
        {"_ga": "12.34"},
        {"_ga": "1.2", "_ga_session": "56", "_ym_uid": "789"},
    ]


async def test_the_region_is_the_visitors_not_the_servers(web: Web, tmp_path: Path) -> None:
    """By the address that the server passes on."""
    file = write(tmp_path / "places.mmdb", {"198.51.100.0/24": place("RU", "MOW", "Moscow")})
    web.parts.visits._places = Places(file)
    web.parts.visits._places.load()
    token = await token_of(web)
    await number(web, token, address="198.51.100.7")
    await number(web, token)
    rows = await web.database._pool.fetch("SELECT region, city FROM session ORDER BY id")

    assert [tuple(row) for row in rows] == [("RU-MOW", "Moscow"), (None, None)]
