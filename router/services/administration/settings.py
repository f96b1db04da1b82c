"""What an organisation wants otherwise than by default."""

from __future__ import annotations

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
from router.services.administration.desk import Desk
from router.services.work import By, organisation_called
from router.store import organisation_settings as store


@dataclass(frozen=True, kw_only=True)
class SettingRow:
    """A setting with the organisation's value; `changed` says whether that is its own."""

    setting: Setting
    value: Value
    changed: bool


class Settings(Desk):
    """The settings of one organisation."""

    async def settings(self, organisation: str | None = None) -> list[SettingRow]:
        """All of them, in the order of the documentation."""
        found = await organisation_called(self._database, organisation)
        stored = await store.stored(self._database, found.id)
        return [
            SettingRow(setting=one, value=stored.get(name, one.default), changed=name in stored)
            for name, one in SETTINGS.items()
        ]

    async def change_setting(self, name: str, value: object, *, by: By) -> OrganisationSettings:
        """Another value, as a text or of the setting's own type. Returns all settings as they are then."""
        parsed = setting(name).parse(value)
        async with self._work(by) as work:
            stored = await store.stored(work.queries, work.organisation_id)
            wanted = settings({**stored, name: parsed})
            check(wanted, name)
            await store.put(work.queries, work.organisation_id, name, parsed, by.now)
            was = getattr(settings(stored), name)
            await work.note("setting.change", name, {"value": parsed, "was": was})
            return wanted

    async def reset_setting(self, name: str, *, by: By) -> OrganisationSettings:
        """Back to the default; what is the default already stays so. Returns all settings."""
        setting(name)
        async with self._work(by) as work:
            stored = await store.stored(work.queries, work.organisation_id)
            was = stored.pop(name, None)
            check(settings(stored), name)
            if await store.forget(work.queries, work.organisation_id, name):
                default = SETTINGS[name].default
                await work.note("setting.reset", name, {"value": default, "was": was})
            return settings(stored)
