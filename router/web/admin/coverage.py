"""How well each pool covers its visits, as it was last reckoned."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from pydantic import Field

from router.domain.model import Goal
from router.services.coverage import Coverages
from router.services.listing import soon
from router.store.coverage import Reckoned
from router.store.database import Database
from router.web.admin.writes import reading
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import Endpoint
from router.web.schemas import Answer


class CoverageOut(Answer):
    """One pool. Of `visits`, `covered` would have found a free number with the `numbers` it has now: that
    is the `share`, with its standard `error`; `found_free` really got one, with those it had then."""

    pool: str = Field(examples=["ads"])
    site: str = Field(examples=["shop"])
    goal: Goal
    aim: float = Field(examples=[0.9])
    reckoned_at: datetime
    since: datetime
    days: int
    numbers: int
    found_free: int
    visits: int
    covered: int
    share: float = Field(examples=[0.94])
    error: float

    @classmethod
    def of(cls, row: Reckoned) -> CoverageOut:
        figures = row.coverage
        return cls(
            pool=row.pool,
            site=row.site,
            goal=row.goal,
            aim=row.aim,
            reckoned_at=row.reckoned_at,
            since=row.since,
            days=row.days,
            numbers=row.numbers,
            found_free=row.found_free,
            visits=figures.visits,
            covered=figures.covered,
            share=figures.share,
            error=figures.error,
        )


class CoverageList(Answer):
    items: list[CoverageOut]


class Coverage:
    def __init__(self, database: Database) -> None:
        self._coverages = Coverages(database)

    def endpoints(self) -> list[Endpoint]:
        told = "How well each pool covers its visits, reckoned every hour."
        return [reading("/v1/coverage", self.list, told, CoverageList)]

    async def list(self, request: web.Request) -> web.StreamResponse:
        rows = await soon(self._coverages.latest(request[ACTOR].organisation_id))
        return json_answer(CoverageList(items=[CoverageOut.of(row) for row in rows]))
