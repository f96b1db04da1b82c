"""The demo company's website, served for the first run and the browser tests."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from router.domain import phone

DEFAULT_NUMBER = "+74951350000"

_FOLDER = Path(__file__).parent / "demo_site"
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FILES = ("index.html", "contacts.html", "style.css", "demo.js", "favicon.svg")


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill each ``{{NAME}}`` with its value, escaped for HTML. Raises KeyError for an unknown name."""
    return re.sub(r"\{\{(\w+)\}\}", lambda name: html.escape(values[name[1]]), template)


def number_forms(e164: str) -> dict[str, str]:
    """One number as a company's pages write it: by name of the placeholder, e.g. NUMBER_DASHES."""
    national = phone.national(e164)
    area, bracket, local = national.rpartition(")")
    return {
        "NUMBER_E164": e164,
        "NUMBER_NATIONAL": national,
        "NUMBER_INTERNATIONAL": phone.international(e164),
        "NUMBER_DASHES": "-".join(re.findall(r"\d+", national)),
        "NUMBER_DIGITS": re.sub(r"\D", "", national),
        "NUMBER_AREA": area + bracket,
        "NUMBER_LOCAL": local.strip(),
    }


class DemoSite:
    """The site on a port of `host`; port 0 takes any free one. A context manager."""

    def __init__(
        self,
        port: int,
        site_key: str,
        api_url: str,
        default_number: str,
        *,
        host: str = "127.0.0.1",
    ) -> None:
        api = urlsplit(api_url)
        values = number_forms(default_number) | {
            "SITE_KEY": site_key,
            "API_URL": api_url.rstrip("/"),
        }
        pages = {name: _page(name, values) for name in _FILES}
        headers = {
            # A strict policy on purpose: the snippet must work under it.
            "Content-Security-Policy": (
                f"default-src 'self'; script-src 'self' {api.scheme}://{api.netloc};"
                f" connect-src {api.scheme}://{api.netloc}"
            ),
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        self._server = _Server((host, port), _handler(pages, headers))
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """Address of the first page, without a slash at the end; also the site's origin."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Serve in a thread of its own until `stop`."""
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="demo-site")
        self._thread.start()

    def stop(self) -> None:
        """Close the port and wait for the thread."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    # A browser keeps its connections open: they must not hold up the end.
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no fault of the server; the rest is reported."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _page(name: str, values: Mapping[str, str]) -> bytes:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return (render(text, values) if name.endswith(".html") else text).encode()


def _handler(
    pages: Mapping[str, bytes], headers: Mapping[str, str]
) -> type[BaseHTTPRequestHandler]:
    """Answers from memory: a path that is not one of `pages` cannot reach any file."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = urlsplit(self.path).path.removeprefix("/") or "index.html"
            if name not in pages:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES[name.rpartition(".")[2]])
            self.send_header("Content-Length", str(len(pages[name])))
            for header, value in headers.items():
                self.send_header(header, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(pages[name])

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """The first run prints its own events; a line for each file would drown them."""

    return Handler
