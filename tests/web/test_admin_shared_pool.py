"""Settings, numbers put aside, and the shared pool over HTTP; on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from tests.services.number_history import days, grown, rang
from tests.web.conftest import Web
from tests.web.test_admin import ask, entries, fields

ONE, TWO = "+74951110001", "+74951110002"


async def test_settings_change_together_or_not_at_all(web: Web) -> None:
    """Each is told with its limits; null is the default; what does not go together is refused."""
    _, told, _ = await ask(web, "GET", "/v1/settings")
    rows = {row["name"]: row for row in told["items"]}
    assert rows["shared_percent"] == {
        "name": "shared_percent", "value": 2.0, "default": 2.0, "changed": False, "least": 0.0,
        "most": 100.0, "meaning": "per cent of a site's numbers from the shared pool that go back a month",
    }  # fmt: skip

    wanted = {"shared_idle_days": 28, "shared_rest_days": 2, "quarantine_automatic": False}
    status, changed, _ = await ask(web, "PATCH", "/v1/settings", wanted)
    values = {row["name"]: row["value"] for row in changed["items"] if row["changed"]}
    assert (status, values) == (200, wanted)

    status, refused, _ = await ask(web, "PATCH", "/v1/settings", {"shared_idle_days": None})
    assert (status, fields(refused)) == (400, ["shared_idle_days"])
    wrong = {"noise_calls": 0, "listening_days": 1000, "noise_window_days": 60}
    status, refused, _ = await ask(web, "PATCH", "/v1/settings", wrong)
    assert (status, fields(refused)) == (400, ["noise_calls", "listening_days"])
    status, _, _ = await ask(web, "PATCH", "/v1/settings", {"noise": 1})
    assert status == 400
    _, told, _ = await ask(web, "GET", "/v1/settings")
    assert {row["name"]: row["value"] for row in told["items"] if row["changed"]} == wanted

    both = dict.fromkeys(wanted)
    _, changed, _ = await ask(web, "PATCH", "/v1/settings", both)
    assert not any(row["changed"] for row in changed["items"])
    assert [entry["action"] for entry in await entries(web)][:6] == [
        *["setting.reset"] * 3,
        *["setting.change"] * 3,
    ]


async def test_numbers_are_put_aside_and_brought_back(web: Web) -> None:
    """With the reason in a log that is told in pages; a repeat is not made twice."""
    body = {"numbers": [ONE], "why": "rings at night"}
    status, put, _ = await ask(web, "POST", "/v1/numbers/quarantine", body, Idempotency_Key="k1")
    assert (status, put) == (200, {"numbers": [ONE]})
    status, put, _ = await ask(web, "POST", "/v1/numbers/quarantine", body, Idempotency_Key="k1")
    assert (status, put) == (200, {"numbers": [ONE]})
    status, refused, _ = await ask(web, "POST", "/v1/numbers/quarantine", body)
    assert (status, fields(refused)) == (400, ["numbers"])
    _, number, _ = await ask(web, "GET", f"/v1/numbers/{ONE}")
    assert number["standing"] == "quarantined"

    await ask(web, "POST", "/v1/numbers/listen", {"numbers": [TWO]})
    await ask(web, "POST", "/v1/numbers/release", {"numbers": [ONE, TWO]})
    _, first, _ = await ask(web, "GET", "/v1/standing-changes?limit=2")
    _, rest, _ = await ask(web, "GET", f"/v1/standing-changes?limit=2&cursor={first['next']}")
    _, ones, _ = await ask(web, "GET", f"/v1/standing-changes?number={ONE}")

    told = [(row["number"], row["was"], row["became"]) for row in first["items"] + rest["items"]]
    assert told == [
        (TWO, "listening", "in_use"),
        (ONE, "quarantined", "in_use"),
        (TWO, "in_use", "listening"),
        (ONE, "in_use", "quarantined"),
    ]
    assert rest["next"] is None
    assert ones["items"][1]["why"] == "rings at night"
    assert ones["items"][1]["actor"] == "token tests"


async def test_a_number_goes_round_the_shared_pool(web: Web) -> None:
    """Added, grown, due, taken back, with what it costs and which calls came since."""
    new = "+74951110009"
    await ask(web, "POST", "/v1/numbers", {"numbers": [new]})
    await web.database._pool.execute(
        "UPDATE number SET monthly_cost = 150, currency = 'RUB' WHERE e164 = $1", new
    )
    status, _, _ = await ask(
        web, "POST", "/v1/shared-pool/add", {"numbers": [new], "listen": False}
    )
    assert status == 200
    (pool, *_) = [
        pool
        for pool in (await ask(web, "GET", "/v1/pools"))[1]["items"]
        if pool["kind"] == "dynamic"
    ]
    status, given, _ = await ask(web, "POST", "/v1/shared-pool/grow", {"pool": pool["id"]})
    assert (status, given) == (200, {"numbers": [new]})
    status, refused, _ = await ask(web, "POST", "/v1/shared-pool/grow", {"pool": pool["id"]})
    assert (status, fields(refused)) == (400, ["pool"])

    web.clock.pass_time(days=15)
    _, due, _ = await ask(web, "GET", "/v1/shared-pool/due")
    assert [(row["number"], row["goes"]) for row in due["items"]] == [(new, True)]
    assert due["monthly_costs"] == {"RUB": "150.0000"}
    assert (due["idle"], due["calls_reached"], due["calls_lost"]) == (0, 0, 0)

    status, taken, _ = await ask(web, "POST", "/v1/shared-pool/take-back", {})
    assert (status, taken) == (200, {"numbers": [new]})
    assert (await entries(web))[0]["action"] == "number.take_back"
    status, refused, _ = await ask(web, "POST", "/v1/shared-pool/take-back", {"numbers": [ONE]})
    assert (status, fields(refused)) == (400, ["numbers"])
    await rang(web.database, new, web.clock.now + days(2))
    web.clock.pass_time(days=3)
    _, log, _ = await ask(web, "GET", "/v1/shared-pool/taken-back")
    (line,) = log["items"]
    assert (line["number"], line["pool"], len(line["calls"])) == (new, pool["name"], 1)
    _, resting, _ = await ask(web, "GET", "/v1/numbers?standing=resting")
    assert [row["number"] for row in resting["items"]] == [new]


async def test_noise_is_told_with_its_reasons(web: Web) -> None:
    now = web.clock.now
    await grown(web.database, now - days(60), ONE, TWO)
    await rang(web.database, ONE, *(now - timedelta(days=n) for n in (1, 2, 3)))
    await rang(web.database, TWO, now - days(1))

    _, noise, _ = await ask(web, "GET", "/v1/numbers/noise?limit=1")

    (worst,) = noise["items"]
    assert noise["more"] == 1
    assert (worst["number"], worst["calls"], worst["callers"], worst["dirty"]) == (ONE, 3, 1, True)
    assert worst["score"] > 90
    assert worst["reasons"][0] == "3 calls after nobody had been shown it for 14 days"
