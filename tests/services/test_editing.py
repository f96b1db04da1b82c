"""What was set up is changed, or goes again; on a real PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.domain.errors import FieldError, FieldErrors, StillNeeded
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.work import By
from router.store.database import Database


@pytest.fixture
def by(now: Any) -> By:
    return By(actor="test", now=now)


@pytest.fixture
async def administration(database: Database, by: By) -> Administration:
    """A company with a trunk, a line, a site and a pool of one number."""
    service = Administration(database)
    await service.add_organisation("Acme", by=by)
    await service.add_target("office", endpoint="office", by=by)
    await service.add_trunk("carrier-1", target="office", by=by)
    await service.add_site(
        "shop",
        origins=["https://shop.example"],
        region="RU",
        time_zone="Europe/Moscow",
        default_number="+74951234567",
        target="office",
        by=by,
    )
    await service.add_pool("ads", site="shop", rules=["source=google"], by=by)
    await service.add_numbers(["+74951110001"], pool="ads", trunk="carrier-1", by=by)
    return service


async def last_entry(database: Database) -> tuple[str, str, dict[str, Any]]:
    row = await database._pool.fetchrow("SELECT * FROM audit_entry ORDER BY id DESC LIMIT 1")
    detail = row["detail"]
    return row["action"], row["subject"], json.loads(detail) if isinstance(detail, str) else detail


async def test_of_a_pool_changes_what_is_said_and_nothing_else(
    administration: Administration, database: Database, by: By
) -> None:
    """The audit entry has the new values and the old ones."""
    before = (await Inventory(database).pools())[0].pool
    after = await administration.edit_pool(
        "ads",
        name="search",
        policy="exclusive",
        left_seconds=2400,
        price=1,
        goal="accuracy",
        aim=0.5,
        rules=["source=yandex"],
        binding=["campaign", "source", "campaign"],
        grows=True,
        channel="yandex_direct",
        region="ru-mow",
        default_number="8 495 987-65-43",
        target="office",
        by=by,
    )
    stored = (await Inventory(database).pools())[0].pool
    action, subject, detail = await last_entry(database)

    assert stored == after
    assert (after.id, after.kind, after.priority, after.closed_seconds) == (
        before.id, "dynamic", before.priority, before.closed_seconds,
    )  # fmt: skip
    assert (after.name, after.policy, after.region) == ("search", "exclusive", "RU-MOW")
    assert (after.binding, after.default_number) == (("campaign", "source"), "+74959876543")
    assert (action, subject, detail["policy"]) == ("pool.edit", "ads", "exclusive")
    assert detail["was"]["name"] == "ads"
    assert "priority" not in detail["was"]


async def test_what_a_pool_need_not_have_is_taken_away(
    administration: Administration, by: By
) -> None:
    """None, or an empty text, says that there is none."""
    await administration.edit_pool("ads", channel="x", target="office", region="RU", by=by)
    bare = await administration.edit_pool("ads", channel="", target=None, region=None, by=by)

    assert (bare.channel, bare.target_id, bare.region) == (None, None, None)


async def test_an_edit_that_changes_nothing_leaves_no_entry(
    administration: Administration, database: Database, by: By
) -> None:
    """The trail tells changes."""
    before = await database._pool.fetchval("SELECT count(*) FROM audit_entry")
    await administration.edit_pool("ads", priority=100, by=by)
    await administration.edit_trunk("carrier-1", target="office", by=by)
    await administration.edit_site("shop", name="shop", by=by)

    assert await database._pool.fetchval("SELECT count(*) FROM audit_entry") == before


async def test_everything_wrong_with_an_edit_is_said_at_once(
    administration: Administration, database: Database, by: By
) -> None:
    """And nothing is changed."""
    before = await Inventory(database).pools()
    with pytest.raises(FieldErrors) as refused:
        await administration.edit_pool(
            "ads",
            policy="fair",
            idle_seconds=59,
            price=-1,
            aim=1,
            binding=["colour"],
            channel="a\nb",
            region="Russia",
            default_number="12",
            target="nobody",
            source="google",
            by=by,
        )

    assert [problem.field for problem in refused.value.problems] == [
        "policy", "idle_seconds", "price", "aim", "binding", "channel", "region",
        "default_number", "target", "source",
    ]  # fmt: skip
    assert await Inventory(database).pools() == before


async def test_a_site_is_edited(administration: Administration, database: Database, by: By) -> None:
    """Pages that show the default number are taken to show the new one; others keep theirs."""
    site = (await Inventory(database).sites())[0]
    moved = await administration.edit_site(
        site.id, default_number="8 (495) 111-22-33", origins=["https://new.example/"], by=by
    )
    own = await administration.edit_site("shop", page_numbers=["+78005553535"], by=by)
    later = await administration.edit_site(
        "shop", default_number="+74951234567", name="store", time_zone="Asia/Kolkata", by=by
    )
    with pytest.raises(FieldErrors, match="there is no 'Moon'"):
        await administration.edit_site("store", time_zone="Moon", region="QQ", by=by)

    assert moved.page_numbers == (moved.default_number,) == ("+74951112233",)
    assert moved.origins == ("https://new.example",)
    assert own.page_numbers == later.page_numbers == ("+78005553535",)
    assert (later.name, later.key) == ("store", site.key)
    assert (await Inventory(database).sites())[0] == later


async def test_a_line_becomes_another_one(
    administration: Administration, database: Database, by: By
) -> None:
    """An endpoint takes the place of a number with its trunk, and the other way round."""
    away = await administration.edit_target(
        "office", number="8 916 123-45-67", trunk="carrier-1", region="RU", by=by
    )
    slow = await administration.edit_target("office", ring_seconds=60, by=by)
    back = await administration.edit_target("office", endpoint="desk", name="desk", by=by)
    with pytest.raises(FieldError, match="tracking number of ours"):
        await administration.edit_target("desk", number="+74951110001", trunk="carrier-1", by=by)
    with pytest.raises(FieldError, match="reached through one"):
        await administration.edit_target("desk", number="+79161234567", by=by)

    assert (away.kind, away.e164, away.endpoint, away.trunk) == (
        "pstn", "+79161234567", None, "carrier-1",
    )  # fmt: skip
    assert (slow.e164, slow.ring_seconds) == ("+79161234567", 60)
    assert (back.kind, back.endpoint, back.e164, back.trunk) == ("endpoint", "desk", None, None)
    assert await Inventory(database).targets() == [back]


async def test_a_number_has_lines_of_its_own(
    administration: Administration, database: Database, by: By
) -> None:
    """Until it has none again; a number that is not ours has nothing."""
    e164 = await administration.edit_number(
        "8 495 111-00-01", region="RU", target="office", record=False, trunk=None, by=by
    )
    row = (await Inventory(database).numbers())[0]
    await administration.edit_number(e164, target=None, record=None, by=by)
    bare = (await Inventory(database).numbers())[0]
    with pytest.raises(FieldError, match="not one of our numbers in use"):
        await administration.edit_number("+74951110002", record=True, by=by)

    assert (row.target, row.record, row.trunk) == ("office", False, None)
    assert (bare.target, bare.record) == (None, None)


async def test_what_is_needed_cannot_go(
    administration: Administration, database: Database, by: By
) -> None:
    """The refusal names what holds it; afterwards everything goes, in the order of who needs whom."""
    for delete, name, needs in (
        (administration.delete_pool, "ads", r"1 number\(s\) \(for example \+74951110001\)"),
        (administration.delete_site, "shop", r"1 pool\(s\) \(for example ads\)"),
        (administration.delete_trunk, "carrier-1", r"1 number\(s\)"),
        (administration.delete_target, "office", r"1 trunk\(s\) .*; 1 site\(s\) "),
    ):
        with pytest.raises(StillNeeded, match=needs):
            await delete(name, by=by)
    await administration.withdraw_numbers(["+74951110001"], by=by)
    await administration.delete_pool("ads", by=by)
    await administration.delete_site("shop", by=by)
    number = (await Inventory(database).numbers())[0]
    actions = await database._pool.fetch("SELECT action FROM audit_entry ORDER BY id DESC LIMIT 2")

    assert (number.e164, number.pool) == ("+74951110001", None)
    assert [row["action"] for row in actions] == ["site.delete", "pool.delete"]
    assert await Inventory(database).sites() == []


async def test_a_site_with_history_stays(
    administration: Administration, database: Database, by: By
) -> None:
    """Whoever visited it, and whoever called, is kept."""
    await administration.withdraw_numbers(["+74951110001"], by=by)
    await administration.delete_pool("ads", by=by)
    await database._pool.execute(
        "INSERT INTO call (organisation_id, site_id, target_id, ref, linkedid, did, caller, trunk,"
        " arrived_at, state, created_at) SELECT organisation_id, id, target_id, 'abcdefgh', '1', '',"
        " '', '', $1, 'ended', $1 FROM site",
        by.now,
    )

    with pytest.raises(StillNeeded, match=r"call\(s\) of the past \(for example abcdefgh\)"):
        await administration.delete_site("shop", by=by)
    with pytest.raises(StillNeeded, match=r"call\(s\) of the past"):
        await administration.delete_target("office", by=by)


async def test_another_organisations_things_are_unknown(
    administration: Administration, database: Database, by: By
) -> None:
    """By name and by id."""
    other = await administration.add_organisation("Other", by=by)
    theirs = By(actor="test", now=by.now, organisation=other)
    pool = (await Inventory(database).pools("Acme"))[0].pool
    await administration.rename_organisation("Others", by=theirs)
    with pytest.raises(FieldError, match="pool: there is no"):
        await administration.edit_pool(pool.id, priority=1, by=theirs)
    with pytest.raises(FieldError, match="site: there is no 'shop'"):
        await administration.delete_site("shop", by=theirs)
    with pytest.raises(FieldError, match="not one of our numbers"):
        await administration.edit_number("+74951110001", record=False, by=theirs)

    assert [row.name for row in await Inventory(database).organisations()] == ["Acme", "Others"]
