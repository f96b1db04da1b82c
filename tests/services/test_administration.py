"""Setting up: what is refused, and what is there afterwards; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from router.domain.errors import FieldError, FieldErrors
from router.domain.rules import parse
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.work import By
from router.store.database import Database


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


@pytest.fixture
async def administration(database: Database, by: By) -> Administration:
    """An organisation with a target and a site in Russia."""
    service = Administration(database)
    await service.add_organisation("Acme", by=by)
    await service.add_trunk("carrier-1", by=by)
    await service.add_target("office", endpoint="office", by=by)
    await service.add_site(
        "shop",
        origins=["https://shop.example"],
        region="ru",
        time_zone="Europe/Moscow",
        default_number="8 (495) 123-45-67",
        target="office",
        key="shop-key-1",
        by=by,
    )
    return service


def problems(refused: pytest.ExceptionInfo[FieldErrors]) -> list[str]:
    return [problem.field for problem in refused.value.problems]


async def test_a_site_is_kept_as_browsers_and_asterisk_will_ask_for_it(
    administration: Administration, database: Database, by: By
) -> None:
    """Numbers become E.164 in the site's region, origins what browsers send; all is audited."""
    site = await administration.add_site(
        "second",
        origins=["HTTPS://Second.Example:443/", "http://second.example:8080"],
        region="RU",
        time_zone="Asia/Kolkata",
        default_number="(495) 987-65-43",
        page_numbers=["8 800 555 35 35"],
        target="office",
        by=by,
    )
    audited = await database._pool.fetchrow("SELECT * FROM audit_entry ORDER BY id DESC LIMIT 1")

    assert site.origins == ("https://second.example", "http://second.example:8080")
    assert (site.default_number, site.page_numbers) == ("+74959876543", ("+78005553535",))
    assert (await Inventory(database).sites())[0] == site
    assert (audited["action"], audited["subject"], audited["actor"]) == (
        "site.add",
        "second",
        "test",
    )
    assert audited["at"] == by.now


async def test_everything_wrong_with_a_site_is_said_at_once(
    administration: Administration, by: By
) -> None:
    """Each problem names its field and shows an example."""
    with pytest.raises(FieldErrors) as refused:
        await administration.add_site(
            " ",
            origins=["https://shop.example/path", "ftp://shop.example", "https://", "https://a:b"],
            region="XX",
            time_zone="Moon/Crater",
            default_number="12",
            target="office",
            key="short",
            by=by,
        )

    assert problems(refused) == [
        "name", "origin", "origin", "origin", "origin", "region", "key", "default_number", "time_zone",
    ]  # fmt: skip
    assert "for example https://www.example.com" in str(refused.value)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("112", "emergency"),
        ("8 809 505 12 34", "premium"),
        ("+870 773 111 632", "satellite"),
        ("+7 495", "too short"),
    ],
)
async def test_numbers_that_fraud_dials_are_no_targets(
    administration: Administration, by: By, number: str, reason: str
) -> None:
    """Emergency, premium, satellite and impossible numbers are refused with the reason."""
    with pytest.raises(FieldError, match=reason):
        await administration.add_target(
            "away", number=number, trunk="carrier-1", region="RU", by=by
        )


async def test_calls_cannot_go_round_in_circles(administration: Administration, by: By) -> None:
    """Neither may a target be a tracking number, nor a tracking number a target."""
    await administration.add_numbers(["+74951110001"], by=by)
    await administration.add_target("mobile", number="+79161234567", trunk="carrier-1", by=by)

    with pytest.raises(FieldError, match=r"number: .* tracking number of ours"):
        await administration.add_target("loop", number="+74951110001", trunk="carrier-1", by=by)
    with pytest.raises(FieldError, match=r"number: .* company line"):
        await administration.add_numbers(["+79161234567"], by=by)


async def test_a_target_and_its_number_do_not_race(
    administration: Administration, database: Database, by: By
) -> None:
    """Added as both at the same moment, one of the two is refused."""
    number = "+74951110009"
    results = await asyncio.gather(
        administration.add_numbers([number], by=by),
        administration.add_target("loop", number=number, trunk="carrier-1", by=by),
        return_exceptions=True,
    )

    assert [isinstance(result, FieldError) for result in results].count(True) == 1


async def test_an_endpoint_or_a_number(administration: Administration, by: By) -> None:
    """One of the two, each with what it needs."""
    with pytest.raises(FieldError, match="give an endpoint or a number"):
        await administration.add_target("x", by=by)
    with pytest.raises(FieldErrors) as refused:
        await administration.add_target("x", number="12", ring_seconds=900, by=by)
    with pytest.raises(FieldError, match="there is no 'nowhere'; there is: carrier-1"):
        await administration.add_target("x", number="+79161234567", trunk="nowhere", by=by)

    assert problems(refused) == ["ring_seconds", "number", "trunk"]


async def test_pools(administration: Administration, database: Database, by: By) -> None:
    """Rules are parsed; a static pool must say what its calls are credited to."""
    pool = await administration.add_pool(
        "ads", site="shop-key-1", rules=["Source=google", "medium=cpc"], priority=10, by=by
    )
    with pytest.raises(FieldError, match="source: a static pool"):
        await administration.add_pool("maps", site="shop", kind="static", by=by)
    with pytest.raises(FieldErrors) as refused:
        await administration.add_pool(
            "x", site="shop", kind="round", reservation_seconds=1, rules=["colour=red"], by=by
        )

    assert pool.rules == (parse("source=google"), parse("medium=cpc"))
    assert (await Inventory(database).pools())[0].pool == pool
    assert problems(refused) == ["kind", "reservation_seconds", "rule"]


async def test_numbers_come_all_or_none(
    administration: Administration, database: Database, by: By
) -> None:
    """National forms are read in the pool's region; a known number refuses the whole list."""
    await administration.add_pool("ads", site="shop", by=by)
    added = await administration.add_numbers(
        ["8 495 111-00-01", "+7 495 111 00 01", "4951110002"], pool="ads", trunk="carrier-1", by=by
    )
    with pytest.raises(FieldError, match=r"\+74951110002 is already registered"):
        await administration.add_numbers(["+74951110002", "+74951110003"], pool="ads", by=by)

    assert added == ("+74951110001", "+74951110002")
    assert [row.e164 for row in await Inventory(database).numbers()] == list(added)


async def test_a_withdrawn_number_ends_its_reservation_and_may_come_back(
    administration: Administration, database: Database, by: By
) -> None:
    """The visitor's reservation ends at that moment; history keeps it."""
    await administration.add_pool("ads", site="shop", by=by)
    await administration.add_numbers(["+74951110001"], pool="ads", by=by)
    await database._pool.execute(
        """WITH held AS (
               INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)
               SELECT organisation_id, id, 7, pool_id, $1 FROM number RETURNING id)
           UPDATE number SET holder_id = 7, reservation_id = held.id, reserved_until = $1
           FROM held""",
        by.now,
    )
    gone = await administration.withdraw_numbers(["8 495 111-00-01"], region="RU", by=by)
    reservation = await database._pool.fetchrow("SELECT * FROM reservation")
    row = (await Inventory(database).numbers())[0]
    with pytest.raises(FieldError, match="not one of our numbers in use"):
        await administration.withdraw_numbers(["+74951110001"], by=by)
    back = await administration.add_numbers(["+74951110001"], by=by)

    assert gone == back == ("+74951110001",)
    assert (reservation["ended_at"], reservation["end_reason"]) == (by.now, "withdrawn")
    assert (row.held, row.withdrawn_at) == (False, by.now)


async def test_several_organisations_must_be_named(
    administration: Administration, database: Database, by: By
) -> None:
    """And one never sees what is another's."""
    await administration.add_organisation("Other", by=by)
    with pytest.raises(FieldError, match="organisation: there are several: say which"):
        await administration.add_trunk("carrier-2", by=by)

    other = By(actor="test", now=by.now, organisation="Other")
    with pytest.raises(FieldError, match="there is no 'office'; there is: none yet"):
        await administration.add_trunk("carrier-2", target="office", by=other)
    assert await Inventory(database).sites("Other") == []


async def test_a_trunk_is_directed(
    administration: Administration, database: Database, by: By
) -> None:
    """Its calls take this target when nothing else is known."""
    await administration.direct_trunk("carrier-1", target="office", by=by)

    assert [row.target for row in await Inventory(database).trunks()] == ["office"]
