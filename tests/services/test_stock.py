"""Files of numbers: in, out, and what is refused; on a real PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from router.domain.errors import FieldError, FieldErrors
from router.services.administration import Administration
from router.services.stock.exporting import StockExport
from router.services.stock.importing import StockImport
from router.services.work import By
from router.store.database import Database

BLOCK = """\
number,block_id,carrier,region,rate_centre,contaminated,ported,monthly_cost,currency,trunk,standing
1-315-658-2,1-315-658-2,Verizon,US-NY,SYRACUSE,017 030-033,500,0.15,USD,carrier-1,listening
"""


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


@pytest.fixture
async def administration(database: Database, by: By) -> Administration:
    service = Administration(database)
    await service.add_organisation("Acme", by=by)
    await service.add_target("office", endpoint="office", by=by)
    await service.add_trunk("carrier-1", by=by)
    await service.add_site(
        "shop",
        origins=["https://shop.example"],
        region="RU",
        time_zone="Europe/Moscow",
        default_number="+74950000000",
        target="office",
        key="shop-key-1",
        by=by,
    )
    await service.add_pool("ads", site="shop", by=by)
    await database._pool.execute("UPDATE pool SET region = 'RU-MOW'")
    return service


@pytest.fixture
def stock(administration: Administration, database: Database) -> StockImport:
    return StockImport(database)


def said(refused: pytest.ExceptionInfo[FieldErrors]) -> list[str]:
    return [f"{one.field}: {one.problem}" for one in refused.value.problems]


async def count(database: Database, table: str = "number") -> int:
    found: int = await database._pool.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
    return found


async def test_a_thousands_block(stock: StockImport, database: Database, by: By) -> None:
    """One line: its numbers but for those that others keep, with all that the line says."""
    progress: list[tuple[int, int]] = []
    done = await stock.import_stock(BLOCK, progress=lambda *told: progress.append(told), by=by)
    row = await database._pool.fetchrow("SELECT * FROM number WHERE e164 = '+13156582018'")
    block = await database._pool.fetchrow("SELECT * FROM block")
    audited = await database._pool.fetchrow("SELECT * FROM audit_entry ORDER BY id DESC LIMIT 1")

    assert (done.numbers, done.blocks, done.contaminated, done.ported) == (994, 1, 5, 1)
    assert await count(database) == 994
    assert not await database._pool.fetchval(
        "SELECT count(*) FROM number WHERE e164 IN ('+13156582017', '+13156582031', '+13156582500')"
    )
    assert [row[name] for name in ("carrier", "region", "rate_centre", "standing", "pool_id")] == [
        *("Verizon", "US-NY", "SYRACUSE", "listening", None),
    ]
    assert (row["monthly_cost"], row["currency"]) == (Decimal("0.15"), "USD")
    assert (block["block_id"], len(block["contaminated"])) == ("1-315-658-2", 5)
    assert progress == [(0, 994), (994, 994)]
    assert (audited["action"], audited["detail"]["by_place"]) == (
        "number.import",
        {"listening": 994},
    )


async def test_a_dry_run_changes_nothing(stock: StockImport, database: Database, by: By) -> None:
    done = await stock.import_stock(BLOCK, dry_run=True, by=by)

    assert done.numbers == 994
    assert (await count(database), await count(database, "block")) == (0, 0)


async def test_what_is_exported_is_what_was_imported(
    stock: StockImport, database: Database, by: By
) -> None:
    """Blocks stay blocks, with lines of their own for numbers that differ; a new installation takes it whole."""
    await stock.import_stock(
        BLOCK
        + "+13156582018,1-315-658-2,Verizon,US-NY,SYRACUSE,,,0.20,USD,carrier-1,quarantined\n",
        by=by,
    )
    await stock.import_stock(
        "number;carrier;pool;record;standing\n8 495 111-00-01;MTS;ads;no;\n84951110002;;;;withdrawn\n",
        region="RU",
        by=by,
    )
    text = await StockExport(database).export_stock()
    before = await database._pool.fetch("SELECT e164, standing FROM number ORDER BY e164")
    await database._pool.execute("TRUNCATE number, block CASCADE")
    done = await stock.import_stock(text, by=by)
    after = await database._pool.fetch("SELECT e164, standing FROM number ORDER BY e164")

    assert text.splitlines()[1:] == [
        "+13156582xxx,1-315-658-2,Verizon,US-NY,SYRACUSE,017 030-033,500,0.15,USD,carrier-1,,,,,listening",
        "+13156582018,1-315-658-2,Verizon,US-NY,SYRACUSE,,,0.2,USD,carrier-1,,,,,quarantined",
        "+74951110001,,MTS,RU,,,,,,,shop,ads,,no,in_use",
        "+74951110002,,,RU,,,,,,,,,,,withdrawn",
    ]
    assert (done.numbers, [tuple(row) for row in before]) == (996, [tuple(row) for row in after])
    assert await StockExport(database).export_stock() == text


async def test_every_problem_is_told_at_once_by_line_and_column(
    stock: StockImport, database: Database, by: By
) -> None:
    """And nothing is imported, the good lines neither."""
    text = (
        "number,block_id,region,contaminated,monthly_cost,currency,trunk,pool,standing\n"
        "1-315-658,code,US-NY,,,,,,\n"  # 2
        "1-315-658-2,1-315-658-2,US-NY,,,,,,\n"  # 3 inside line 2
        "+13156580001,,,,,,,,\n"  # 4 inside line 2, without its name
        "+74951110001,,,,,,,,\n"
        "8 (495) 111-00-01,,,,,,,,\n"  # 6 the same
        "1-315-659-1,,New York,00-99,1.5,,,,\n"  # 7
        "+74951110003,,,,,,nobody,none,\n"  # 8
        "+74951110004,,,,,,,,in_use\n"  # 9
        "+7495,,,,,,,,\n"  # 10
        "1-315-659-3,b,US-NY,000-100,,,,,\n"  # 11
        "+74951110005,,,,,,,,asleep,surplus\n"  # 12
    )
    with pytest.raises(FieldErrors) as refused:
        await stock.import_stock(text, region="RU", by=by)

    assert [line.split(": ")[0] for line in said(refused)] == [
        "line 3, number",
        "line 4, number",
        "line 6, number",
        "line 7, region",
        "line 7, contaminated",
        "line 7, currency",
        "line 8, trunk",
        "line 8, pool",
        "line 9, pool",
        "line 10, number",
        "line 11, contaminated",
        "line 12, line",
    ]
    assert "overlaps with line 2" in said(refused)[0]
    assert "stands on line 5 already" in said(refused)[2]
    assert "a block may carry 10 % at most" in said(refused)[10]
    assert (await count(database), await count(database, "block")) == (0, 0)


async def test_what_is_there_already_is_refused_line_by_line(
    stock: StockImport, administration: Administration, database: Database, by: By
) -> None:
    """Blocks and numbers of anybody, company lines, numbers that others keep; not what we withdrew."""
    await stock.import_stock(BLOCK, by=by)
    await administration.add_numbers(["+13156590007", "+13156590008", "+74951110001"], by=by)
    await administration.add_target("boss", number="+74951110009", trunk="carrier-1", by=by)
    await administration.withdraw_numbers(["+74951110001"], by=by)
    text = (
        "number,block_id\n1-315-658-21,\n1-315-659-0,\n+13156582017,1-315-658-2\n+13156582001,\n"
        "+74951110009,\n+74951110001,\n"
    )
    with pytest.raises(FieldErrors) as refused:
        await stock.import_stock(text, by=by)
    back = await stock.import_stock("number\n+74951110001\n", by=by)

    assert said(refused) == [
        "line 2, number: overlaps with block 1-315-658-2, which is there already",
        "line 2, number: 100 of its numbers are registered already, the first is +13156582100",
        "line 3, number: 2 of its numbers are registered already, the first is +13156590007",
        "line 4, number: block 1-315-658-2: others keep this number",
        "line 5, number: is in block 1-315-658-2: name it in block_id",
        "line 5, number: +13156582001 is registered already",
        "line 6, number: +74951110009 is a company line that calls are sent to",
    ]
    assert (back.numbers, back.returned) == (1, 1)


async def test_a_pool_takes_numbers_of_its_region_and_carrier(
    stock: StockImport, database: Database, by: By
) -> None:
    """Unless forced; what is not known is no reason to refuse."""
    await stock.import_stock(
        "number,carrier,region,pool\n+74951110001,MTS,RU-MOW,ads\n+74951110002,,,ads\n", by=by
    )
    other = "number,carrier,region\n+78121110001,Tele2,RU-SPE\n"
    with pytest.raises(FieldErrors) as refused:
        await stock.import_stock(other, pool="ads", by=by)
    done = await stock.import_stock(other, pool="ads", force=True, by=by)

    assert [line.split(" is not ")[0] for line in said(refused)] == [
        "line 2, region: RU-SPE",
        "line 2, carrier: Tele2",
    ]
    assert done.by_place == {"pool ads": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1, number: this column is missing"),
        ("number\n", "file: it has no line"),
        ("number,colour\n+74951110001,red\n", "line 1, colour: there is no such column"),
        ("number,number\n", "line 1, number: stands twice"),
        ('number\n"+7495', "is not CSV"),
    ],
)
async def test_files_that_are_no_stock(stock: StockImport, by: By, text: str, problem: str) -> None:
    with pytest.raises(FieldError, match=problem):
        await stock.import_stock(text, by=by)


async def test_a_hundred_thousand_numbers(stock: StockImport, database: Database, by: By) -> None:
    """Ten whole codes, counted while they go in."""
    progress: list[int] = []
    lines = "".join(f"1-315-{658 + i},code {i},,,\n" for i in range(10))
    done = await stock.import_stock(
        "number,block_id,carrier,region,standing\n" + lines,
        progress=lambda done, _: progress.append(done),
        by=by,
    )

    assert done.numbers == await count(database) == 100_000
    assert progress == [*range(0, 100_001, 5000)]
