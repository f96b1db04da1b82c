"""Channels, default numbers, rules and trials over HTTP; on a real PostgreSQL."""

from __future__ import annotations

from tests.web.conftest import SITE, Web
from tests.web.test_admin import ask, entries, fields

RADIO = {"key": "radio", "name": "Radio", "rules": ["source=fm", {"field": "term", "equals": "x"}]}


async def test_channels_come_and_go(web: Web) -> None:
    """Own ones before the ready-made; rules as text or JSON; each change once, and in the audit trail."""
    status, made, _ = await ask(web, "POST", "/v1/channels", RADIO, Idempotency_Key="c1")
    again, _, _ = await ask(web, "POST", "/v1/channels", RADIO, Idempotency_Key="c1")
    taken, refused, _ = await ask(web, "POST", "/v1/channels", RADIO)
    _, listed, _ = await ask(web, "GET", "/v1/channels")

    assert (status, again) == (201, 201)
    assert made == {
        "key": "radio", "name": "Radio", "group": "own", "place": 100,
        "rules": ["source=fm", "term=x"],
    }  # fmt: skip
    assert (taken, fields(refused)) == (400, ["key"])
    assert [row["key"] for row in listed["items"][:2]] == ["radio", "offline"]
    wrong = {"key": "tv", "rules": ["channel=radio", "sourse=x"]}
    assert fields((await ask(web, "POST", "/v1/channels", wrong))[1]) == ["rules"]

    assert (await ask(web, "DELETE", "/v1/channels/radio"))[0] == 204
    assert (await ask(web, "DELETE", "/v1/channels/direct"))[0] == 400
    assert [entry["action"] for entry in await entries(web)][:2] == [
        "channel.remove",
        "channel.add",
    ]


async def test_default_numbers_are_set_and_taken_away(web: Web) -> None:
    """For a channel or a source, one of the two."""
    body = {"site": SITE, "channel": "google_ads", "number": "8 495 135-03-01"}
    status, made, _ = await ask(web, "POST", "/v1/default-numbers", body)
    _, listed, _ = await ask(web, "GET", "/v1/default-numbers")
    both = {**body, "source": "x"}

    assert (status, made["number"], made["source"]) == (200, "+74951350301", None)
    assert listed["items"] == [made]
    assert fields((await ask(web, "POST", "/v1/default-numbers", both))[1]) == ["channel"]
    gone = {"site": "shop", "channel": "google_ads"}
    assert (await ask(web, "POST", "/v1/default-numbers/remove", gone))[0] == 204
    assert (await ask(web, "POST", "/v1/default-numbers/remove", gone))[0] == 400


async def test_a_rule_is_read(web: Web) -> None:
    """Text, words and tree say the same; a mistake is told with its place."""
    _, told, _ = await ask(web, "POST", "/v1/rules/check", {"rule": "source=a|b (not term)"})
    _, same, _ = await ask(web, "POST", "/v1/rules/check", {"rule": told["tree"]})
    status, refused, _ = await ask(web, "POST", "/v1/rules/check", {"rule": "source=("})

    assert told["text"] == "source=a|b and not term"
    assert told["words"] == "source is 'a' or 'b' and term is not given"
    assert same == told
    assert (status, fields(refused)) == (400, ["rule"])


async def test_which_pool_a_visit_would_get(web: Web) -> None:
    """And which it would not, and why."""
    body = {"site": "shop", "url": "https://shop.example/?utm_source=bing&utm_medium=cpc"}
    status, told, _ = await ask(web, "POST", "/v1/pools/which", body)

    assert status == 200
    assert (told["pool"], told["channel"], told["default_of"]) == (
        None,
        "microsoft_ads",
        "of the site",
    )
    assert told["pools"] == [
        {
            "pool": "ads",
            "priority": 100,
            "serves": False,
            "why": "source is not 'google' but 'bing'",
        }
    ]


async def test_rules_are_tried_on_past_sessions(web: Web) -> None:
    """For a pool, for a new one, and for a channel."""
    for source in ("google", "bing", "bing"):
        await web.visit(url=f"https://shop.example/?utm_source={source}&utm_medium=cpc")
    pool = {"site": SITE, "rules": ["source=bing"], "pool": "ads", "days": 7}
    status, tried, _ = await ask(web, "POST", "/v1/rules/try", pool)
    _, channel, _ = await ask(
        web, "POST", "/v1/channels/try", {"site": SITE, "rules": ["source=bing"]}
    )
    _, refused, _ = await ask(web, "POST", "/v1/rules/try", {"site": SITE, "days": 7})

    assert (status, tried["matched"], tried["moved"], tried["whole"]) == (200, 2, 3, True)
    assert tried["moves"] == [
        {"got": "(default number)", "would_get": "ads", "sessions": 2},
        {"got": "ads", "would_get": "(default number)", "sessions": 1},
    ]
    assert [one["source"] for one in tried["examples"]] == ["bing", "bing"]
    assert (channel["matched"], channel["moves"][0]["got"]) == (2, "microsoft_ads")
    assert fields(refused) == ["rules"]
