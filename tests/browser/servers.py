"""A company's web server and the router's public API as the snippet meets them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from router.web.snippet_file import current

SITE_KEY = "demo-site-key"
OWN = "+74951350000"
# a second number of the page, what stands in its place, and the session that holds that
SECOND, SECOND_SHOWN = "+74951350011", "+74957650011"
SECOND_SESSION = "7c0d7e0a-2f43-4d1e-9b43-5d2c1a0b9e8f"
SESSION = "3f0c8a52-9d8e-4c7b-8f0e-0d6f9a1b2c3d"
TOKEN, SECOND_TOKEN = "AGkrXQBzQ1o3ZrW0k8yLh5nTfQ2e", "AGkrXQDm8-5q_0WcVtYxa2LrEu9s"
VISITOR = "b6a7c1de-1f2a-4b3c-9d4e-5f6a7b8c9d0e"

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP answer; `wait` seconds pass before it is sent."""

    status: int = 200
    body: str = ""
    kind: str = "application/json"
    wait: float = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What arrived: `at` is monotonic seconds."""

    method: str
    path: str
    headers: dict[str, str]
    text: str
    at: float

    @property
    def body(self) -> Body:
        """The body's JSON object."""
        parsed: Body = json.loads(self.text)
        return parsed


class LoopbackServer:
    """Answers on a free port of 127.0.0.1 by `answer`, each request in a thread."""

    def __init__(self) -> None:
        self._server = _Threading(("127.0.0.1", 0), _handler(self.answer))
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, request: Request) -> Reply:
        """The answer to one request."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Company(LoopbackServer):
    """A company's site: pages by path."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, str] = {}

    def answer(self, request: Request) -> Reply:
        """The page, whatever the query."""
        path = urlsplit(request.path).path
        page = self.pages.get(path)
        if page is None:
            return Reply(status=204 if path == "/favicon.ico" else 404, kind="text/plain")
        return Reply(body=page, kind="text/html; charset=utf-8")


class FakeApi(LoopbackServer):
    """The public API by its contract; tests replace `on_visit` and `on_heartbeat`."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Request] = []
        self.number = number("+74957654321")
        self.own = [OWN]
        self.heartbeat_seconds = 30
        self.on_visit: Callable[[Body], Reply] = lambda _: self.visit_answer()
        self.on_heartbeat: Callable[[Body], Reply] = lambda _: heartbeat_answer()

    def visit_answer(self, *, wait: float = 0, **changed: object) -> Reply:
        """What the router says to a visit, with fields `changed`."""
        answer = {
            "session": SESSION,
            "token": TOKEN,
            "visitor": VISITOR,
            "number": self.number,
            "how": "free",
            "replace": self.own,
            "heartbeat_seconds": self.heartbeat_seconds,
            "valid_until": "2099-01-01T00:00:00Z",
        }
        return Reply(body=json.dumps(answer | changed), wait=wait)

    def others(self, e164: str = SECOND_SHOWN, **changed: object) -> list[Body]:
        """What an answer says of the page's second number."""
        other = {
            "session": SECOND_SESSION,
            "token": SECOND_TOKEN,
            "number": number(e164),
            "how": "free",
            "replace": [SECOND],
            "valid_until": "2099-01-01T00:00:00Z",
        }
        return [other | changed]

    def requests(self, path: str) -> list[Body]:
        """Bodies of what was posted to `/v1/<path>`, in order."""
        return [seen.body for seen in list(self.seen) if seen.path == f"/v1/{path}"]

    def answer(self, request: Request) -> Reply:
        """The snippet itself, or an answer to what it says."""
        if request.path.startswith("/ct.js") or request.path == current().path:
            headers = {"Cache-Control": "max-age=600", "Access-Control-Allow-Origin": "*"}
            return Reply(body=current().body.decode(), kind="text/javascript", headers=headers)
        self.seen.append(request)
        if request.path == "/v1/visits":
            reply = self.on_visit(request.body)
        elif request.path == "/v1/heartbeats":
            reply = self.on_heartbeat(request.body)
        else:
            reply = Reply(status=204)
        readable = {
            "Access-Control-Allow-Origin": request.headers.get("Origin", ""),
            "Access-Control-Allow-Credentials": "true",
        }
        return replace(reply, headers={**readable, **reply.headers})


def number(e164: str, national: str = "", international: str = "") -> dict[str, str]:
    """The number object of an answer; the forms of a Moscow number unless given."""
    area, rest = e164[2:5], e164[5:]
    local = f"{rest[:3]}-{rest[3:5]}-{rest[5:]}"
    return {
        "e164": e164,
        "national": national or f"8 ({area}) {local}",
        "international": international or f"+7 {area} {local}",
    }


def heartbeat_answer(new: dict[str, str] | None = None, token: str | None = None) -> Reply:
    """What the router says to a heartbeat: keep the number, or show `new`; speak with `token` from now on."""
    answer = {
        "number": new,
        "token": token,
        "how": "swapped" if new else "kept",
        "valid_until": "2099-01-01T00:00:00Z",
    }
    return Reply(body=json.dumps(answer))


class _Threading(ThreadingHTTPServer):
    # The browser keeps connections open, and some tests leave an answer waiting.
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no fault of the server; the rest is reported."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(answer: Callable[[Request], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            reply = answer(
                Request(
                    method=self.command,
                    path=self.path,
                    headers=dict(self.headers.items()),
                    text=self.rfile.read(length).decode(),
                    at=time.monotonic(),
                )
            )
            time.sleep(reply.wait)
            body = reply.body.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.status != 204:
                self.wfile.write(body)

        do_GET = do_POST = do_OPTIONS = handle_any  # noqa: N815 (names of the base class)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet: the tests look at `seen`."""

    return Handler
