"""The staff API: the list of calls, and one call with its explanation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from router.services.reports import Reports
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.call_schemas import CallsOut, CallsQuery, ExplanationOut
from router.web.endpoint import Endpoint, read_query

REF = r"{ref:[A-Za-z0-9_-]{8,64}}"


class Calls:
    def __init__(self, reports: Reports, clock: Callable[[], datetime]) -> None:
        self._reports = reports
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/v1/calls",
                handler=self.list,
                summary="Calls, newest first.",
                query=CallsQuery,
                answers={200: CallsOut},
                errors=(400, 401, 429, 503),
            ),
            Endpoint(
                method="GET",
                path=f"/v1/calls/{REF}",
                handler=self.explain,
                summary="One call: whom it is credited to, and why.",
                answers={200: ExplanationOut},
                errors=(401, 404, 429, 503),
            ),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        query = read_query(CallsQuery, request)
        page = await self._reports.calls(
            request[ACTOR].organisation_id,
            limit=query.limit,
            before=query.before,
            state=query.state,
        )
        return json_answer(CallsOut.of(page, self._clock()))

    async def explain(self, request: web.Request) -> web.StreamResponse:
        found = await self._reports.explain(
            request[ACTOR].organisation_id, request.match_info["ref"]
        )
        return json_answer(ExplanationOut.of(found, self._clock()))
