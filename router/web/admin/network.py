"""What belongs to the telephone network: codes that change, and countries' numbering plans.

Everybody reads them. They are changed for all organisations at once, so a token changes them only where its
organisation is the installation's only one; elsewhere that is the work of whoever runs the router, by command.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from router.domain import phone
from router.domain.errors import FieldError
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.regions import Regions
from router.store.codes import CodeRow
from router.store.database import Database
from router.store.plans import PlanRow
from router.web.admin.bodies import E164, Body, read_bytes, read_json
from router.web.admin.stock import CSV, FILE_AT_MOST
from router.web.admin.writes import ERRORS, KEY, Change, Writes, reading, writing
from router.web.answers import NotAlone, json_answer
from router.web.endpoint import Endpoint, read_query
from router.web.schemas import Answer

Code = Annotated[str, Field(max_length=40)]
Moment = Annotated[str, Field(max_length=40)]


class CodeChangeBody(Body):
    """Numbers that begin with `old` begin with `new`; from `begins` (now) to `until` both are valid."""

    old: Code = Field(examples=["1-315-658"])
    new: Code = Field(examples=["1-680-658"])
    begins: Moment | None = Field(None, examples=["2027-03-01"])
    until: Moment = Field(examples=["2027-06-01"])


class CodeChangedOut(Answer):
    """So many numbers of ours change."""

    numbers: int


class CodeEndBody(Body):
    old: Code = Field(examples=["1-315-658"])


class CodeChangeOut(Answer):
    """`applied_at`: since when our numbers are written in the new form; null before it begins."""

    old: str = Field(examples=["+1315658"])
    new: str = Field(examples=["+1680658"])
    begins: datetime
    until: datetime
    applied_at: datetime | None

    @classmethod
    def of(cls, row: CodeRow) -> CodeChangeOut:
        change = row.change
        return cls(
            old=change.old,
            new=change.new,
            begins=change.from_at,
            until=change.until_at,
            applied_at=row.applied_at,
        )


class CodeChangesOut(Answer):
    items: list[CodeChangeOut]


class PlanOut(Answer):
    country: str = Field(examples=["RU"])
    ranges: int
    loaded_at: datetime

    @classmethod
    def of(cls, row: PlanRow) -> PlanOut:
        return cls(country=row.country, ranges=row.ranges, loaded_at=row.loaded_at)


class PlansOut(Answer):
    items: list[PlanOut]


class PlanQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    country: str = Field(max_length=2, examples=["RU"])
    dry_run: bool = Field(False, description="Only check the file.")


class PlanLoadedOut(Answer):
    dry_run: bool
    country: str = Field(examples=["RU"])
    ranges: int


class LookupQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    number: E164


class LookupOut(Answer):
    """Where a caller's number is, as far as plans tell."""

    region: str | None = Field(examples=["RU-MOW"])
    operator: str | None


class Network:
    def __init__(self, database: Database, writes: Writes, clock: Callable[[], datetime]) -> None:
        self._administration = Administration(database)
        self._regions = Regions(database)
        self._writes = writes
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        codes, plans = "/v1/code-changes", "/v1/plans"
        begin = "A code is split or renumbered."
        return [
            reading(codes, self.codes, "Changes of codes that are not over.", CodeChangesOut),
            writing("POST", codes, self.change, begin, {201: CodeChangedOut}, CodeChangeBody),
            writing(
                "POST",
                f"{codes}/end",
                self.end,
                "The old form is valid no longer; a change that has not begun is called off.",
                {200: CodeChangesOut},
                CodeEndBody,
            ),
            reading(plans, self.plans, "Which numbering plans are loaded.", PlansOut),
            reading(f"{plans}/lookup", self.lookup, "Where a number is.", LookupOut, LookupQuery),
            Endpoint(
                method="POST",
                path=f"{plans}/import",
                handler=self.take_in,
                summary="Load a country's plan in place of the one before: all of the file, or nothing.",
                query=PlanQuery,
                accepts=(CSV,),
                text_body=True,
                headers=(KEY,),
                answers={200: PlanLoadedOut},
                errors=ERRORS,
            ),
        ]

    async def codes(self, _: web.Request) -> web.StreamResponse:
        return json_answer(await _changes(self._administration, self._clock()))

    async def change(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, CodeChangeBody)

        async def work(change: Change) -> BaseModel:
            await _alone(change.database)
            count = await change.administration.change_code(
                body.old, body.new, from_=body.begins, until=body.until, by=change.by
            )
            return CodeChangedOut(numbers=count)

        return await self._writes.answer(request, work, status=201)

    async def end(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, CodeEndBody)

        async def work(change: Change) -> BaseModel:
            await _alone(change.database)
            await change.administration.end_code_change(body.old, by=change.by)
            return await _changes(change.administration, change.by.now)

        return await self._writes.answer(request, work)

    async def plans(self, _: web.Request) -> web.StreamResponse:
        rows = await self._administration.plans()
        return json_answer(PlansOut(items=[PlanOut.of(row) for row in rows]))

    async def lookup(self, request: web.Request) -> web.StreamResponse:
        # a plus that was not escaped arrives as a blank
        number = "+" + read_query(LookupQuery, request).number.lstrip("+ ")
        await self._regions.read()
        place = self._regions.place(phone.parse(number))
        return json_answer(LookupOut(region=place.region, operator=place.operator))

    async def take_in(self, request: web.Request) -> web.StreamResponse:
        query = read_query(PlanQuery, request)
        data = await read_bytes(request, (CSV,), FILE_AT_MOST)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FieldError("file", "is not text in UTF-8", "ru.csv") from None

        async def work(change: Change) -> BaseModel:
            await _alone(change.database)
            count = await change.administration.import_plan(
                text, country=query.country, dry_run=query.dry_run, by=change.by
            )
            return PlanLoadedOut(dry_run=query.dry_run, country=query.country.upper(), ranges=count)

        return await self._writes.answer(request, work, patience=60)


async def _changes(administration: Administration, now: datetime) -> CodeChangesOut:
    rows = await administration.code_changes(now)
    return CodeChangesOut(items=[CodeChangeOut.of(row) for row in rows])


async def _alone(database: Database) -> None:
    if len(await Inventory(database).organisations()) > 1:
        raise NotAlone
