"""Numbers by the file, their pools, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from router.domain.errors import FieldError, NoSuch, NotFound
from router.services.histories import Histories, NumberHistory
from router.services.listing import soon
from router.services.stock.exporting import StockExport
from router.services.stock.importing import StockImport
from router.store.database import Database
from router.web.admin.bodies import Body, Name, Ref, absent, read_bytes, read_json
from router.web.admin.numbers import NUMBER, AddedOut, NumberList, number_of
from router.web.admin.writes import ERRORS, KEY, Change, Writes, reading, writing
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import Endpoint, read_query
from router.web.schemas import Answer

CSV = "text/csv"
FILE_AT_MOST = 1024 * 1024  # longer ones by command: reading them takes seconds
_NUMBERS = [["+74951110001"]]


class MoveBody(Body):
    """All of these numbers into one pool, or none. `force`: also of another region or carrier."""

    numbers: NumberList = Field(examples=_NUMBERS)
    to: Ref = Field(examples=["ads"], description="A pool's name, or its id.")
    site: Ref = absent(examples=["shop"], description="Where two sites have such a pool.")
    force: bool = absent(examples=[False])
    region: Name = absent(examples=["RU"])


class MovedOut(Answer):
    """`waiting` ones are on a visitor's page, and go when nobody holds them."""

    at_once: list[str] = Field(examples=_NUMBERS)
    waiting: list[str]


class RetireBody(Body):
    """Shown to nobody new, answered for `days` more, then withdrawn."""

    numbers: NumberList = Field(examples=_NUMBERS)
    days: int = absent(ge=0, le=365, examples=[30])
    region: Name = absent(examples=["RU"])


class ImportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    pool: str | None = Field(None, max_length=200, description="For numbers that name none.")
    region: str | None = Field(None, max_length=2, examples=["RU"])
    force: bool = Field(False, description="Also into a pool of another region or carrier.")
    dry_run: bool = Field(False, description="Say what would happen; change nothing.")


class ImportedOut(Answer):
    """What was taken in, or would be. `by_place`: how many numbers stand where."""

    dry_run: bool
    lines: int
    blocks: int
    numbers: int
    returned: int
    contaminated: int
    ported: int
    by_place: dict[str, int]


class HeldOut(Answer):
    """Who held it. What retention has deleted is null."""

    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    pool: str | None
    session: UUID | None
    visitor: UUID | None
    source: str | None
    medium: str | None
    campaign: str | None
    channel: str | None
    region: str | None


class CalledOut(Answer):
    ref: str
    arrived_at: datetime
    caller: str
    outcome: str | None
    level: str | None
    confidence: float | None
    source: str | None
    medium: str | None
    campaign: str | None


class ChangedOut(Answer):
    """`what`: its digits, from then on, or withdrawn, or a standing."""

    at: datetime
    what: str
    pool: str | None
    why: str
    actor: str


class HistoryOut(Answer):
    """One number and what became of it, each list newest first. `shows`: how often it was handed out."""

    number: str = Field(examples=["+74951110001"])
    block: str | None
    rate_centre: str | None
    monthly_cost: Decimal | None
    currency: str | None
    moves_to: str | None
    leaves_at: datetime | None
    shows: int
    calls_in_all: int
    held_by: list[HeldOut]
    calls: list[CalledOut]
    changes: list[ChangedOut]

    @classmethod
    def of(cls, found: NumberHistory) -> HistoryOut:
        facts = found.number
        return cls(
            number=facts.e164,
            block=facts.block,
            rate_centre=facts.rate_centre,
            monthly_cost=facts.monthly_cost,
            currency=facts.currency,
            moves_to=facts.moves_to,
            leaves_at=facts.leaves_at,
            shows=facts.shows,
            calls_in_all=facts.calls,
            held_by=[HeldOut(**vars(one)) for one in found.holdings],
            calls=[CalledOut(**vars(one)) for one in found.calls],
            changes=[ChangedOut(**vars(one)) for one in found.changes],
        )


class HistoryQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(20, ge=1, le=1000, description="So many of each list.", examples=[20])


class Stock:
    def __init__(self, database: Database, writes: Writes, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._writes = writes
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        root = "/v1/numbers"
        history = "What became of a number: who held it, who called it, what was done to it."
        return [
            writing(
                "POST",
                f"{root}/move",
                self.move,
                "Put numbers into a pool; one on a visitor's page goes when he has left.",
                {200: MovedOut},
                MoveBody,
            ),
            writing(
                "POST",
                f"{root}/retire",
                self.retire,
                "Withdraw numbers gently.",
                {200: AddedOut},
                RetireBody,
            ),
            reading(f"{root}/{NUMBER}/history", self.history, history, HistoryOut, HistoryQuery),
            Endpoint(
                method="POST",
                path=f"{root}/import",
                handler=self.take_in,
                summary="Take in a CSV file of numbers and blocks: all of it, or nothing.",
                query=ImportQuery,
                accepts=(CSV,),
                text_body=True,
                headers=(KEY,),
                answers={200: ImportedOut},
                errors=ERRORS,
            ),
            reading(f"{root}/export", self.export, "All numbers in the form of the import.", CSV),
        ]

    async def move(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, MoveBody)

        async def work(change: Change) -> BaseModel:
            given = body.changes()
            moved = await change.administration.move_numbers(
                given.pop("numbers"), by=change.by, **given
            )
            return MovedOut(at_once=[*moved.at_once], waiting=[*moved.waiting])

        return await self._writes.answer(request, work)

    async def retire(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, RetireBody)

        async def work(change: Change) -> BaseModel:
            given = body.changes()
            gone = await change.administration.retire_numbers(
                given.pop("numbers"), by=change.by, **given
            )
            return AddedOut(numbers=[*gone])

        return await self._writes.answer(request, work)

    async def history(self, request: web.Request) -> web.StreamResponse:
        query = read_query(HistoryQuery, request)
        work = Histories(self._database).number(
            number_of(request),
            self._clock(),
            most=query.limit,
            organisation=request[ACTOR].organisation_id,
        )
        try:
            return json_answer(HistoryOut.of(await soon(work)))
        except NoSuch:
            raise NotFound from None

    async def take_in(self, request: web.Request) -> web.StreamResponse:
        query = read_query(ImportQuery, request)
        data = await read_bytes(request, (CSV,), FILE_AT_MOST)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FieldError("file", "is not text in UTF-8", "numbers.csv") from None

        async def work(change: Change) -> BaseModel:
            done = await StockImport(change.database).import_stock(
                text,
                pool=query.pool,
                region=query.region,
                force=query.force,
                dry_run=query.dry_run,
                by=change.by,
            )
            figures = {**vars(done), "by_place": dict(done.by_place)}
            return ImportedOut(dry_run=query.dry_run, **figures)

        return await self._writes.answer(request, work, patience=60)

    async def export(self, request: web.Request) -> web.StreamResponse:
        text = await StockExport(self._database).export_stock(request[ACTOR].organisation_id)
        named = {"Content-Disposition": 'attachment; filename="numbers.csv"'}
        return web.Response(text=text, content_type=CSV, headers=named)
