"""An organisation's settings."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field, create_model

from router.domain.organisation_settings import SETTINGS
from router.services.administration import Administration
from router.services.administration.settings import SettingRow
from router.store.database import Database
from router.web.admin.bodies import Body, absent, read_json
from router.web.admin.writes import ERRORS, IF_MATCH, KEY, READ_ERRORS, Change, Writes, read_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint
from router.web.schemas import Answer


class SettingOut(Answer):
    """`changed`: it is not the default. `least` and `most` are null for yes or no."""

    name: str = Field(examples=["shared_percent"])
    value: bool | int | float = Field(examples=[2.0])
    default: bool | int | float = Field(examples=[2.0])
    changed: bool
    least: float | None
    most: float | None
    meaning: str

    @classmethod
    def of(cls, row: SettingRow) -> SettingOut:
        one = row.setting
        return cls(
            name=one.name,
            value=row.value,
            default=one.default,
            changed=row.changed,
            least=one.least,
            most=one.most,
            meaning=one.words,
        )


class SettingsOut(Answer):
    items: list[SettingOut]


_FIELDS: dict[str, Any] = {
    one.name: (type(one.default) | None, absent(examples=[one.default], description=one.words))
    for one in SETTINGS.values()
}
SettingsChange = create_model(
    "SettingsChange",
    __base__=Body,
    __doc__="Those that are given change, together or not at all; null is the default.",
    **_FIELDS,
)


class Settings:
    def __init__(self, database: Database, writes: Writes) -> None:
        self._administration = Administration(database)
        self._writes = writes

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/v1/settings",
                handler=self.read,
                summary="The organisation's settings, with their limits and meanings.",
                answers={200: SettingsOut},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="PATCH",
                path="/v1/settings",
                handler=self.edit,
                summary="Change settings: what is not given stays as it is.",
                body=SettingsChange,
                accepts=(JSON,),
                headers=(KEY, IF_MATCH),
                answers={200: SettingsOut},
                errors=ERRORS,
            ),
        ]

    async def read(self, request: web.Request) -> web.StreamResponse:
        return read_answer(await _all(self._administration, request))

    async def edit(self, request: web.Request) -> web.StreamResponse:
        given = (await read_json(request, SettingsChange)).changes()
        changes = {name: given[name] for name in SETTINGS if name in given}

        async def work(change: Change) -> SettingsOut:
            await change.unchanged(lambda _: _all(change.administration, request))
            await change.administration.change_settings(changes, by=change.by)
            return await _all(change.administration, request)

        return await self._writes.answer(request, work)


async def _all(administration: Administration, request: web.Request) -> SettingsOut:
    rows = await administration.settings(request[ACTOR].organisation_id)
    return SettingsOut(items=[SettingOut.of(row) for row in rows])
