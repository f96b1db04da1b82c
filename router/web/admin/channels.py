"""Channels, and default numbers of channels and sources."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from router.domain.channels import Channel, ready_made
from router.domain.rules import written
from router.services.inventory import Inventory
from router.store.channels import DefaultNumberRow
from router.store.database import Database
from router.web.admin.bodies import E164, Body, Name, Ref, absent, read_json
from router.web.admin.rule_schemas import Rules
from router.web.admin.writes import ERRORS, KEY, READ_ERRORS, Change, Writes
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint
from router.web.schemas import Answer

_RULE = "source=radio or path^=/radio"


class ChannelOut(Answer):
    """`place` is null for a ready-made one: those are asked after the organisation's own."""

    key: str = Field(examples=["google_ads"])
    name: str = Field(examples=["Google Ads"])
    group: str = Field(examples=["ads"])
    place: int | None
    rules: list[str] = Field(description="Any of them is enough.", examples=[[_RULE]])

    @classmethod
    def of(cls, channel: Channel, place: int | None = None) -> ChannelOut:
        return cls(
            key=channel.key,
            name=channel.name,
            group=channel.group,
            place=place,
            rules=[written(rule) for rule in channel.rules],
        )


class ChannelsOut(Answer):
    """In the order in which they are asked."""

    items: list[ChannelOut]


class ChannelNew(Body):
    """One of the organisation's own."""

    key: Name = Field(examples=["radio"])
    name: Name | None = Field(None, examples=["Radio spots"])
    place: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        100, examples=[100], description="Of own ones the lowest is asked first."
    )
    rules: Rules = Field(examples=[[_RULE]], description="Any of them is enough.")


class DefaultNumberOut(Answer):
    """Of a channel or of a source: the other one is null."""

    site: str = Field(examples=["shop"])
    channel: str | None = Field(examples=["google_ads"])
    source: str | None
    number: str = Field(examples=["+74951350301"])

    @classmethod
    def of(cls, row: DefaultNumberRow) -> DefaultNumberOut:
        return cls(site=row.site, channel=row.channel, source=row.source, number=row.e164)


class DefaultNumbersOut(Answer):
    items: list[DefaultNumberOut]


class DefaultNumberGone(Body):
    """Whose: give a channel or a source."""

    site: Ref = Field(examples=["shop"])
    channel: Name | None = absent(examples=["google_ads"])
    source: Name | None = absent(examples=["newsletter"])


class DefaultNumberSet(DefaultNumberGone):
    """Takes the place of the one there was."""

    number: E164


class Channels:
    def __init__(self, database: Database, writes: Writes) -> None:
        self._inventory = Inventory(database)
        self._writes = writes

    def endpoints(self) -> list[Endpoint]:
        numbers = "/v1/default-numbers"
        return [
            Endpoint(
                method="GET",
                path="/v1/channels",
                handler=self.read,
                summary="All channels: the organisation's own, then the ready-made.",
                answers={200: ChannelsOut},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="POST",
                path="/v1/channels",
                handler=self.add,
                summary="Add a channel. Sessions that began before keep theirs.",
                body=ChannelNew,
                accepts=(JSON,),
                headers=(KEY,),
                answers={201: ChannelOut},
                errors=ERRORS,
            ),
            Endpoint(
                method="DELETE",
                path="/v1/channels/{key:[a-z0-9][a-z0-9_-]{0,39}}",
                handler=self.remove,
                summary="Remove one of the organisation's own that nothing asks for.",
                headers=(KEY,),
                answers={204: None},
                errors=ERRORS,
            ),
            Endpoint(
                method="GET",
                path=numbers,
                handler=self.numbers,
                summary="Default numbers of channels and sources.",
                answers={200: DefaultNumbersOut},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="POST",
                path=numbers,
                handler=self.set_number,
                summary="Give a channel, or a source, a default number of its own.",
                body=DefaultNumberSet,
                accepts=(JSON,),
                headers=(KEY,),
                answers={200: DefaultNumberOut},
                errors=ERRORS,
            ),
            Endpoint(
                method="POST",
                path=f"{numbers}/remove",
                handler=self.remove_number,
                summary="Take the default number of a channel or a source away.",
                body=DefaultNumberGone,
                accepts=(JSON,),
                headers=(KEY,),
                answers={204: None},
                errors=ERRORS,
            ),
        ]

    async def read(self, request: web.Request) -> web.StreamResponse:
        own = await self._inventory.channels(request[ACTOR].organisation_id)
        found = [ChannelOut.of(row.channel, row.place) for row in own]
        return json_answer(ChannelsOut(items=[*found, *map(ChannelOut.of, ready_made())]))

    async def add(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, ChannelNew)

        async def work(change: Change) -> BaseModel:
            added = await change.administration.add_channel(
                body.key, name=body.name, rules=body.rules, place=body.place, by=change.by
            )
            return ChannelOut.of(added, body.place)

        return await self._writes.answer(request, work, status=201)

    async def remove(self, request: web.Request) -> web.StreamResponse:
        async def work(change: Change) -> None:
            await change.administration.remove_channel(request.match_info["key"], by=change.by)

        return await self._writes.answer(request, work, subject="key")

    async def numbers(self, request: web.Request) -> web.StreamResponse:
        found = await self._inventory.default_numbers(request[ACTOR].organisation_id)
        return json_answer(DefaultNumbersOut(items=[DefaultNumberOut.of(row) for row in found]))

    async def set_number(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, DefaultNumberSet)

        async def work(change: Change) -> BaseModel:
            e164 = await change.administration.set_default_number(
                body.number,
                site=body.site,
                channel=body.channel,
                source=body.source,
                by=change.by,
            )
            inventory = Inventory(change.database)
            rows = await inventory.default_numbers(change.owner)
            return next(DefaultNumberOut.of(row) for row in rows if row.e164 == e164)

        return await self._writes.answer(request, work)

    async def remove_number(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, DefaultNumberGone)

        async def work(change: Change) -> None:
            await change.administration.remove_default_number(
                site=body.site, channel=body.channel, source=body.source, by=change.by
            )

        return await self._writes.answer(request, work)
