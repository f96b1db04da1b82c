"""What an organisation wants otherwise than by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.domain.organisation_settings import (
    SETTINGS,
    OrganisationSettings,
    Setting,
    Value,
    check,
    setting,
    settings,
)
from router.services import checks
from router.services.administration.desk import Desk
from router.services.checks import Ref
from router.services.work import By, Work, organisation_called
from router.store import organisation_settings as store


@dataclass(frozen=True, kw_only=True)
class SettingRow:
    """A setting with the organisation's value; `changed` says whether that is its own."""

    setting: Setting
    value: Value
    changed: bool


class Settings(Desk):
    """The settings of one organisation."""

    async def settings(self, organisation: Ref | None = None) -> list[SettingRow]:
        """All of them, in the order of the documentation."""
        found = await organisation_called(self._database, organisation)
        stored = await store.stored(self._database, found.id)
        return [
            SettingRow(setting=one, value=stored.get(name, one.default), changed=name in stored)
            for name, one in SETTINGS.items()
        ]

    async def change_setting(self, name: str, value: object, *, by: By) -> OrganisationSettings:
        """Another value, as a text or of the setting's own type. Returns all settings as they are then."""
        return await self.change_settings({name: value}, by=by)

    async def reset_setting(self, name: str, *, by: By) -> OrganisationSettings:
        """Back to the default; what is the default already stays so. Returns all settings."""
        return await self.change_settings({name: None}, by=by)

    async def change_settings(
        self, changes: Mapping[str, object], *, by: By
    ) -> OrganisationSettings:
        """Several at once, all or none; None is the default. Returns all settings as they are then."""
        problems = checks.Problems()
        parsed = {
            name: None if value is None else problems.check(_parsed, name, value)
            for name, value in changes.items()
            if problems.check(setting, name)
        }
        problems.refuse()
        async with self._work(by) as work:
            stored = await store.stored(work.queries, work.organisation_id)
            values = {name: value for name, value in stored.items() if name not in parsed}
            wanted = settings(
                values | {name: value for name, value in parsed.items() if value is not None}
            )
            for name in parsed:
                problems.check(check, wanted, name)
            problems.refuse()
            for name, value in parsed.items():
                await self._keep(work, stored, name, value)
            return wanted

    async def _keep(
        self, work: Work, stored: Mapping[str, Value], name: str, value: Value | None
    ) -> None:
        was = stored.get(name, SETTINGS[name].default)
        if value is not None:
            await store.put(work.queries, work.organisation_id, name, value, work.by.now)
            await work.note("setting.change", name, {"value": value, "was": was})
        elif await store.forget(work.queries, work.organisation_id, name):
            await work.note("setting.reset", name, {"value": SETTINGS[name].default, "was": was})


def _parsed(name: str, value: object) -> Value:
    return setting(name).parse(value)
