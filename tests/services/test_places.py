"""Where visitors are, by a file that may be missing, broken, or replaced while it serves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import structlog

from router.services.places import NOWHERE, Place, Places
from router.services.visits import Visits
from router.store.database import Database
from tests.company import a_visit, set_up
from tests.conftest import MONDAY
from tests.services.conftest import serving
from tests.services.mmdb import place, write

NETWORKS = {
    "192.0.2.0/25": place("RU", "MOW", "Moscow"),
    "192.0.2.128/25": place("RU"),
    "2001:db8:1::/48": place("US", "NY", "New York\n"),
    "198.51.100.0/24": {"country": {"iso_code": "RUS"}},
    "203.0.113.0/24": {
        "subdivisions": "none",
        "city": {"names": ["x"]},
        "country": {"iso_code": "DE"},
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "places.mmdb", NETWORKS)


def loaded(file: Path | None) -> Places:
    places = Places(file)
    places.load()
    return places


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", Place("RU-MOW", "Moscow")),
        ("192.0.2.200", Place("RU", None)),
        ("2001:db8:1::5", Place("US-NY", "New York")),
        ("203.0.113.1", Place("DE", None)),
        ("198.51.100.1", NOWHERE),
        ("10.0.0.1", NOWHERE),
        ("2001:db8:2::1", NOWHERE),
        ("not an address", NOWHERE),
        ("", NOWHERE),
        (None, NOWHERE),
    ],
)
def test_an_address(file: Path, address: str | None, expected: Place) -> None:
    places = loaded(file)

    assert places.visitor(address) == expected
    assert places.visitor(address) == expected  # as it is remembered


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    """A missing one is said once, and looked for again."""
    assert loaded(None).visitor("192.0.2.7") == NOWHERE
    places = Places(tmp_path / "places.mmdb")
    with structlog.testing.capture_logs() as logs:
        places.load()
        places.load()
        assert places.visitor("192.0.2.7") == NOWHERE
        write(tmp_path / "places.mmdb", NETWORKS)
        places.load()

    assert [log["event"] for log in logs] == ["no file of places", "file of places read"]
    assert places.visitor("192.0.2.7").region == "RU-MOW"


def test_a_file_that_is_replaced(file: Path) -> None:
    """What it says from then on counts; one that is broken, or gone, leaves the old one to serve."""
    places = loaded(file)
    assert places.visitor("192.0.2.7").city == "Moscow"
    write(file, {"192.0.2.0/24": place("RU", "SPE", "Saint Petersburg")})
    places.load()
    assert places.visitor("192.0.2.7").region == "RU-SPE"
    file.write_bytes(b"this is no database")
    places.load()
    assert places.visitor("192.0.2.7").region == "RU-SPE"
    file.unlink()
    places.load()

    assert places.visitor("192.0.2.7").region == "RU-SPE"


def test_a_file_that_is_broken_inside(file: Path) -> None:
    """Opens well, and holds rubbish where its records should be: warned of, and nobody is anywhere."""
    whole = file.read_bytes()
    at = whole.index(b"iso_code") - 10
    file.write_bytes(whole[:at] + b"\xff" * 20 + whole[at + 20 :])
    places = loaded(file)
    with structlog.testing.capture_logs() as logs:
        found = {places.visitor(f"192.0.2.{i}") for i in range(256)}

    assert found == {NOWHERE}
    assert [log["event"] for log in logs] == ["the file of places is broken"]


async def test_a_visit_has_its_place(database: Database, file: Path) -> None:
    """Stored with its session; the address itself is not."""
    await set_up(database, MONDAY)
    async with serving(Visits(database, places=loaded(file))) as visits:
        await visits.visit(a_visit(address="192.0.2.7"), MONDAY)
        await visits.visit(a_visit(), MONDAY)
    rows = await database._pool.fetch("SELECT region, city FROM session ORDER BY id")
    whole = await database._pool.fetchval("SELECT session::text FROM session WHERE id = 1")

    assert [tuple(row) for row in rows] == [("RU-MOW", "Moscow"), (None, None)]
    assert "192.0.2.7" not in whole


async def test_it_is_looked_after(file: Path) -> None:
    """By a task that ends with the router."""
    places = Places(file)
    task = asyncio.create_task(places.run())
    for _ in range(200):
        if places.visitor("192.0.2.7") != NOWHERE:
            break
        await asyncio.sleep(0.01)
    task.cancel()

    assert places.visitor("192.0.2.7").city == "Moscow"
