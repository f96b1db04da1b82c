"""Recordings for a player: WAV, in the pieces it asks for. Who heard what is written down first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from router.services.recordings import Recordings, Wav
from router.services.reports import Reports
from router.web.auth import ACTOR
from router.web.calls import REF
from router.web.edge import NOTES
from router.web.endpoint import Endpoint

# A player that takes nothing for so long holds a connection for nothing.
WRITE_SECONDS = 30.0


class RecordingFiles:
    def __init__(
        self, reports: Reports, recordings: Recordings, clock: Callable[[], datetime]
    ) -> None:
        self._reports = reports
        self._recordings = recordings
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path=f"/v1/calls/{REF}/recordings/{{id:[0-9]{{1,18}}}}",
                handler=self.hear,
                summary="A recording as WAV: the caller left, the company right. Takes Range.",
                answers={200: "audio/wav", 206: "audio/wav", 416: None},
                errors=(401, 404, 429, 503),
            )
        ]

    async def hear(self, request: web.Request) -> web.StreamResponse:
        ref, identity = request.match_info["ref"], int(request.match_info["id"])
        place = await self._reports.hear(request[ACTOR], ref, identity, now=self._clock())
        wav = await self._recordings.open_wav(place.path)
        request[NOTES]["ref"] = ref
        try:
            start, end = _wanted(request, wav.size)
        except ValueError:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{wav.size}"})
        answer = web.StreamResponse(status=206 if "Range" in request.headers else 200)
        answer.content_type = "audio/wav"
        answer.content_length = end - start
        answer.headers["Accept-Ranges"] = "bytes"
        answer.headers["Content-Disposition"] = f'inline; filename="{ref}-{identity}.wav"'
        answer.headers["Cache-Control"] = "private, no-store"
        if answer.status == 206:
            answer.headers["Content-Range"] = f"bytes {start}-{end - 1}/{wav.size}"
        await answer.prepare(request)
        await _send(answer, wav, start, end, request)
        return answer


def _wanted(request: web.Request, size: int) -> tuple[int, int]:
    """The bytes [start, end) that are asked for. Raises ValueError where there are none."""
    wanted = request.http_range
    start, end, _ = slice(wanted.start, wanted.stop).indices(size)
    if wanted.start is not None and start >= end:
        raise ValueError("nothing there")
    return start, end


async def _send(
    answer: web.StreamResponse, wav: Wav, start: int, end: int, request: web.Request
) -> None:
    try:
        async for piece in wav.stream(start, end):
            async with asyncio.timeout(WRITE_SECONDS):
                await answer.write(piece)
        await answer.write_eof()
    except (ConnectionError, TimeoutError, OSError) as error:
        # the head is sent already: all that is left is to end the connection, so that the player
        # does not take the piece for the whole
        request[NOTES]["error"] = repr(error)[:200]
        answer.force_close()
        if request.transport is not None:
            request.transport.abort()
