"""An organisation's settings: what is kept, what is refused; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from router.domain.errors import FieldError
from router.domain.model import OrganisationId
from router.domain.organisation_settings import OrganisationSettings, setting
from router.services.administration import Administration
from router.services.work import By
from router.store import organisation_settings
from router.store.database import Database
from tests.services.test_administration_cli import Command, command

__all__ = ["command"]


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


@pytest.fixture
async def administration(database: Database, by: By) -> Administration:
    service = Administration(database)
    await service.add_organisation("Acme", by=by)
    return service


async def test_a_change_holds_and_can_be_taken_back(
    administration: Administration, database: Database, by: By
) -> None:
    """Only what was changed is stored; each change is audited with what was there before."""
    acme = OrganisationId(1)
    await administration.change_setting("noise_calls", "5", by=by)
    changed = await administration.change_setting("noise_calls", 4, by=by)

    assert changed == OrganisationSettings(noise_calls=4)
    assert await organisation_settings.load(database, acme) == changed
    rows = {row.setting.name: row for row in await administration.settings()}
    assert (rows["noise_calls"].value, rows["noise_calls"].changed) == (4, True)
    assert (rows["listening_days"].value, rows["listening_days"].changed) == (14, False)

    await administration.reset_setting("noise_calls", by=by)
    await administration.reset_setting("noise_calls", by=by)

    assert await organisation_settings.load(database, acme) == OrganisationSettings()
    audited = await database._pool.fetch(
        "SELECT action, subject, detail FROM audit_entry WHERE action LIKE 'setting%' ORDER BY id"
    )
    assert [tuple(row) for row in audited] == [
        ("setting.change", "noise_calls", {"value": 5, "was": 3}),
        ("setting.change", "noise_calls", {"value": 4, "was": 5}),
        ("setting.reset", "noise_calls", {"value": 3, "was": 4}),
    ]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("noise_cals", "3", "there is no 'noise_cals'; there is: shared_idle_days"),
        ("noise_calls", "many", "noise_calls: 'many' is not a whole number"),
        ("noise_calls", 2.5, "noise_calls: 2.5 is not a whole number"),
        ("noise_calls", True, "noise_calls: True is not a whole number"),
        ("noise_calls", "0", "noise_calls: 0 is not between 1 and 1000"),
        ("shared_percent", "101", "shared_percent: 101 is not between 0 and 100"),
        ("shared_percent", "nan", "shared_percent: nan is not between 0 and 100"),
        (
            "quarantine_automatic",
            "perhaps",
            "quarantine_automatic: 'perhaps' is neither yes nor no",
        ),
        (
            "shared_rest_days",
            "15",
            "shared_rest_days: shared_idle_days and shared_rest_days would be",
        ),
    ],
)
async def test_refusals_name_the_setting(
    administration: Administration, by: By, name: str, value: object, problem: str
) -> None:
    with pytest.raises(FieldError) as refused:
        await administration.change_setting(name, value, by=by)

    assert problem in str(refused.value)
    assert "(for example" in str(refused.value)


async def test_what_goes_together_may_not_be_reset_apart(
    administration: Administration, by: By
) -> None:
    """A rest of 2 days goes with 28 days without a show, not with the default of 14."""
    await administration.change_setting("shared_idle_days", 28, by=by)
    await administration.change_setting("shared_rest_days", 2, by=by)

    with pytest.raises(FieldError, match="shared_idle_days"):
        await administration.reset_setting("shared_idle_days", by=by)


def test_values_have_the_type_of_their_setting() -> None:
    """A percentage written without a fraction is a float all the same."""
    assert setting("shared_percent").parse("5") == 5.0
    assert isinstance(setting("shared_percent").parse(5), float)
    assert setting("quarantine_automatic").parse(" No ") is False


async def test_the_commands(command: Command) -> None:
    """Listed with their meaning, set, reset."""
    await asyncio.to_thread(command, "organisation add Acme")
    set_to = await asyncio.to_thread(command, "setting set quarantine_automatic no")
    listed = await asyncio.to_thread(command, "setting list")
    reset = await asyncio.to_thread(command, "setting reset quarantine_automatic")
    refused = await asyncio.to_thread(command, "setting set quarantine_percent 200")

    assert set_to.stdout == "quarantine_automatic is no\n"
    lines = {line.split()[0]: line.split()[1:3] for line in listed.stdout.splitlines()}
    assert lines["quarantine_automatic"] == ["no", "yes"]
    assert lines["shared_percent"] == ["2", "2"]
    assert reset.stdout == "quarantine_automatic is yes\n"
    assert (refused.exit_code, refused.stderr.startswith("error: quarantine_percent: 200")) == (
        2,
        True,
    )
