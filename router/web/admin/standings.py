"""Numbers put aside and brought back; why they stand where they stand; which are noisy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field

from router.domain.model import Standing
from router.domain.noise import Noise
from router.services.administration import Administration
from router.services.hygiene import Hygiene
from router.store.database import Database
from router.store.standings import LoggedChange
from router.web.admin.bodies import E164, Body, read_json
from router.web.admin.numbers import AddedOut, NumberList
from router.web.admin.pages import PageQuery, cut, newest
from router.web.admin.writes import ERRORS, KEY, READ_ERRORS, Change, Writes
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint, read_query
from router.web.schemas import Answer

_EXAMPLE = "+74951110001"


class NumbersChange(Body):
    """All of these numbers, or none."""

    numbers: NumberList = Field(examples=[[_EXAMPLE]])
    why: str = Field("", max_length=300, examples=["rings at night"])


class StandingChangeOut(Answer):
    """`was` and `became` are standings, or withdrawn. `pool` and `site`: it belonged to them then."""

    id: int
    at: datetime
    number: str = Field(examples=[_EXAMPLE])
    was: str = Field(examples=["in_use"])
    became: str = Field(examples=["quarantined"])
    pool: str | None
    site: str | None
    why: str
    actor: str = Field(examples=["router"])

    @classmethod
    def of(cls, row: LoggedChange) -> StandingChangeOut:
        return cls(
            id=row.id,
            at=row.at,
            number=row.e164,
            was=row.from_standing,
            became=row.to_standing,
            pool=row.pool,
            site=row.site,
            why=row.why,
            actor=row.actor,
        )


class StandingChangesPage(Answer):
    items: list[StandingChangeOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class StandingChangesQuery(PageQuery):
    number: E164 | None = Field(None, description="One number, with its plus.")


class NoiseOut(Answer):
    """`calls` to the number although nobody had been shown it; `score`: 0 to 100, how unusual that is among
    the numbers of its pool; `usual`: noise calls a day of the others."""

    number: str = Field(examples=[_EXAMPLE])
    site: str | None
    pool: str | None
    standing: Standing
    calls: int
    callers: int
    days: int
    silent_days: float
    usual: float
    score: float
    dirty: bool
    reasons: list[str]

    @classmethod
    def of(cls, noise: Noise) -> NoiseOut:
        return cls(
            number=noise.heard.e164,
            site=noise.heard.site,
            pool=noise.heard.pool,
            standing=noise.heard.standing,
            calls=noise.calls,
            callers=noise.callers,
            days=noise.days,
            silent_days=noise.heard.silent_days,
            usual=noise.usual,
            score=noise.score,
            dirty=noise.dirty,
            reasons=[*noise.reasons],
        )


class NoiseList(Answer):
    items: list[NoiseOut]
    more: int = Field(description="So many noisy numbers are left out.")


class NoiseQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(50, ge=1, le=1000, examples=[50])


class Standings:
    def __init__(self, database: Database, writes: Writes, clock: Callable[[], datetime]) -> None:
        self._administration = Administration(database)
        self._hygiene = Hygiene(database)
        self._writes = writes
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            _write("/v1/numbers/quarantine", self.quarantine, "Take numbers out of rotation."),
            _write(
                "/v1/numbers/listen", self.listen, "Show numbers to nobody until they are quiet."
            ),
            _write("/v1/numbers/release", self.release, "Bring numbers back to where they stood."),
            Endpoint(
                method="GET",
                path="/v1/numbers/noise",
                handler=self.noise,
                summary="Numbers that ring although nobody was shown them, the most unusual first.",
                query=NoiseQuery,
                answers={200: NoiseList},
                errors=READ_ERRORS,
            ),
            Endpoint(
                method="GET",
                path="/v1/standing-changes",
                handler=self.log,
                summary="Why numbers stand where they stand, newest first, in pages.",
                query=StandingChangesQuery,
                answers={200: StandingChangesPage},
                errors=READ_ERRORS,
            ),
        ]

    async def quarantine(self, request: web.Request) -> web.StreamResponse:
        return await self._put(request, lambda change: change.administration.quarantine_numbers)

    async def listen(self, request: web.Request) -> web.StreamResponse:
        return await self._put(request, lambda change: change.administration.listen_to_numbers)

    async def release(self, request: web.Request) -> web.StreamResponse:
        return await self._put(request, lambda change: change.administration.release_numbers)

    async def noise(self, request: web.Request) -> web.StreamResponse:
        query = read_query(NoiseQuery, request)
        found = await self._hygiene.noise(self._clock(), request[ACTOR].organisation_id)
        noisy = [one for one in found if one.calls]
        return json_answer(
            NoiseList(
                items=[NoiseOut.of(one) for one in noisy[: query.limit]],
                more=max(0, len(noisy) - query.limit),
            )
        )

    async def log(self, request: web.Request) -> web.StreamResponse:
        query = read_query(StandingChangesQuery, request)
        # a plus that was not escaped arrives as a blank
        number = "+" + query.number.lstrip("+ ") if query.number else None
        found = await self._administration.standing_log(
            number,
            organisation=request[ACTOR].organisation_id,
            below=query.seen(newest()),
            most=query.limit + 1,
        )
        items, following = cut(found, query.limit, lambda row: row.id, StandingChangeOut.of)
        return json_answer(StandingChangesPage(items=items, next=following))

    async def _put(
        self,
        request: web.Request,
        service: Callable[[Change], Callable[..., Awaitable[tuple[str, ...]]]],
    ) -> web.StreamResponse:
        body = await read_json(request, NumbersChange)

        async def work(change: Change) -> BaseModel:
            put = await service(change)(body.numbers, why=body.why, by=change.by)
            return AddedOut(numbers=[*put])

        return await self._writes.answer(request, work)


def _write(path: str, handler: Handler, summary: str) -> Endpoint:
    return Endpoint(
        method="POST",
        path=path,
        handler=handler,
        summary=summary,
        body=NumbersChange,
        accepts=(JSON,),
        headers=(KEY,),
        answers={200: AddedOut},
        errors=ERRORS,
    )
