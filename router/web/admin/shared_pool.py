"""The shared pool. Its numbers are `/v1/numbers?standing=shared`, and `resting` on their way to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, Field

from router.services.shared_pool import DryRun, Due, SharedPool, costs
from router.store.database import Database
from router.store.shared_pool import TakenBack
from router.web.admin.bodies import Body, Ref, absent, read_json
from router.web.admin.numbers import AddedOut, NumberList
from router.web.admin.pages import PageQuery, cut, newest
from router.web.admin.standings import NumbersChange
from router.web.admin.writes import ERRORS, KEY, READ_ERRORS, Change, Writes
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint, read_query
from router.web.schemas import Answer

_EXAMPLE = "+74951110001"


class SharedNew(Body):
    """Numbers without a pool, all or none of them. `listen`: first find out whether they ring."""

    numbers: NumberList = Field(examples=[[_EXAMPLE]])
    listen: bool = Field(True, examples=[True])
    why: str = Field("", max_length=300, examples=["bought for the season"])


class Growth(Body):
    """One number for a dynamic pool."""

    pool: Ref
    site: Ref | None = absent(examples=["shop"], description="Where two sites have such a pool.")


class TakeBack(Body):
    """These numbers, whatever the settings say; without any, those that are due."""

    numbers: NumberList | None = absent(examples=[[_EXAMPLE]])
    why: str = Field("", max_length=300, examples=["the season is over"])


class DueOut(Answer):
    """`goes`: now; else the month's share of its site is used up."""

    number: str = Field(examples=[_EXAMPLE])
    site: str
    pool: str
    grown_at: datetime
    last_shown_at: datetime | None
    last_call_at: datetime | None
    monthly_cost: Decimal | None
    currency: str | None
    goes: bool

    @classmethod
    def of(cls, due: Due) -> DueOut:
        idle = due.idle
        return cls(
            number=idle.e164,
            site=idle.site,
            pool=idle.pool,
            grown_at=idle.grown_at,
            last_shown_at=idle.last_shown_at,
            last_call_at=idle.last_call_at,
            monthly_cost=idle.monthly_cost,
            currency=idle.currency,
            goes=due.goes,
        )


class DueList(Answer):
    """What would be taken back now. Of the `history_days` before: so many times a number was `idle` for as
    long, so many calls came to it afterwards within its rest, and so many later."""

    items: list[DueOut]
    monthly_costs: dict[str, Decimal] = Field(
        description="Of those that go now, by currency.", examples=[{"RUB": "450.00"}]
    )
    history_days: int
    idle: int
    calls_reached: int
    calls_lost: int

    @classmethod
    def of(cls, dry: DryRun) -> DueList:
        return cls(
            items=[DueOut.of(due) for due in dry.due],
            monthly_costs=costs(due.idle for due in dry.due if due.goes),
            history_days=dry.history.days,
            idle=dry.past.taken,
            calls_reached=dry.past.reached,
            calls_lost=dry.past.lost,
        )


class TakenBackOut(Answer):
    """`calls`: those that came afterwards, for the length of a rest, until a site got the number again."""

    id: int
    at: datetime
    number: str = Field(examples=[_EXAMPLE])
    site: str | None
    pool: str | None
    grown_at: datetime
    last_shown_at: datetime | None
    last_call_at: datetime | None
    given_at: datetime | None
    monthly_cost: Decimal | None
    currency: str | None
    calls: list[datetime]

    @classmethod
    def of(cls, row: TakenBack) -> TakenBackOut:
        return cls(
            id=row.id,
            at=row.at,
            number=row.e164,
            site=row.site,
            pool=row.pool,
            grown_at=row.grown_at,
            last_shown_at=row.last_shown_at,
            last_call_at=row.last_call_at,
            given_at=row.given_at,
            monthly_cost=row.monthly_cost,
            currency=row.currency,
            calls=[*row.calls],
        )


class TakenBackPage(Answer):
    items: list[TakenBackOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class Shared:
    def __init__(self, database: Database, writes: Writes, clock: Callable[[], datetime]) -> None:
        self._pool = SharedPool(database)
        self._writes = writes
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        path = "/v1/shared-pool"

        def write(what: str, handler: Handler, body: type[Body], summary: str) -> Endpoint:
            return Endpoint(
                method="POST",
                path=f"{path}/{what}",
                handler=handler,
                summary=summary,
                body=body,
                accepts=(JSON,),
                headers=(KEY,),
                answers={200: AddedOut},
                errors=ERRORS,
            )

        return [
            write("add", self.add, SharedNew, "Put numbers into the shared pool."),
            write("remove", self.remove, NumbersChange, "Take numbers out of the shared pool."),
            write("grow", self.grow, Growth, "Give a pool one number of the shared pool."),
            write("take-back", self.take_back, TakeBack, "Let grown numbers rest, now."),
            Endpoint(
                method="GET",
                path=f"{path}/due",
                handler=self.due,
                summary="What would be taken back now, and what the rule would have cost in the past.",
                answers={200: DueList},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="GET",
                path=f"{path}/taken-back",
                handler=self.log,
                summary="What went back, newest first, with the calls that came since, in pages.",
                query=PageQuery,
                answers={200: TakenBackPage},
                errors=READ_ERRORS,
            ),
        ]

    async def add(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, SharedNew)

        async def work(change: Change) -> BaseModel:
            put = await change.administration.share_numbers(
                body.numbers, listen=body.listen, why=body.why, by=change.by
            )
            return AddedOut(numbers=[*put])

        return await self._writes.answer(request, work)

    async def remove(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, NumbersChange)

        async def work(change: Change) -> BaseModel:
            put = await change.administration.unshare_numbers(
                body.numbers, why=body.why, by=change.by
            )
            return AddedOut(numbers=[*put])

        return await self._writes.answer(request, work)

    async def grow(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, Growth)

        async def work(change: Change) -> BaseModel:
            grown = await change.administration.grow_pool(body.pool, site=body.site, by=change.by)
            return AddedOut(numbers=[grown])

        return await self._writes.answer(request, work)

    async def take_back(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, TakeBack)

        async def work(change: Change) -> BaseModel:
            if body.numbers is None:
                return AddedOut(numbers=[*await change.administration.take_back_due(by=change.by)])
            put = await change.administration.take_back_numbers(
                body.numbers, why=body.why, by=change.by
            )
            return AddedOut(numbers=[*put])

        return await self._writes.answer(request, work)

    async def due(self, request: web.Request) -> web.StreamResponse:
        dry = await self._pool.dry_run(self._clock(), request[ACTOR].organisation_id)
        return json_answer(DueList.of(dry))

    async def log(self, request: web.Request) -> web.StreamResponse:
        query = read_query(PageQuery, request)
        found = await self._pool.log(
            request[ACTOR].organisation_id, below=query.seen(newest()), most=query.limit + 1
        )
        items, following = cut(found, query.limit, lambda row: row.id, TakenBackOut.of)
        return json_answer(TakenBackPage(items=items, next=following))
