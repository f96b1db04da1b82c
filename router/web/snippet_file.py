"""Serves the snippet: cached for five minutes, then asked for by its ETag; embeddable by any site."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from aiohttp import web

from router.web.endpoint import Endpoint

SNIPPET = Path(__file__).parent / "snippet" / "ct.js"


class SnippetFile:
    def __init__(self, path: Path = SNIPPET) -> None:
        self._plain = path.read_bytes()
        self._gzipped = gzip.compress(self._plain, mtime=0)
        self._etag = hashlib.sha256(self._plain).hexdigest()[:20]

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/ct.js",
                handler=self.serve,
                summary="The snippet.",
                answers={200: "text/javascript", 304: None},
                open=True,
            )
        ]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        headers = {
            "ETag": f'W/"{self._etag}"',
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
            "Vary": "Accept-Encoding",
        }
        if any(tag.value == self._etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = "text/javascript; charset=utf-8"
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=self._gzipped, headers=headers)
        return web.Response(body=self._plain, headers=headers)
