"""The first run's own HTTP client against a real server."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from router.firstrun import http_client
from router.firstrun.http_client import RequestFailed

STREAM = b"""retry: 2000
event: hello
data: {"now": 1}

: a comment

event: call
data: {"ref":
data: "x"}

data: plain

"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/feed":
            self._send(200, STREAM)
        elif self.headers["Authorization"] != "Bearer right":
            self._send(401, b'{"error": "unauthorized"}')
        else:
            self._send(200, b'{"calls": []}')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, b'{"origin": "%s", "sent": %s}' % (self.headers["Origin"].encode(), body))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Tests say nothing that nobody reads."""


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_json_both_ways(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert http_client.get(f"{url}/v1/calls", token="right") == {"calls": []}
    answer = http_client.post(url, {"a": "б"}, origin="http://site.example")
    assert answer == {"origin": "http://site.example", "sent": {"a": "б"}}


def test_refusal_is_told_with_its_body(url: str) -> None:
    with pytest.raises(RequestFailed, match=r"answers 401: .*unauthorized") as refused:
        http_client.get(f"{url}/v1/calls", token="wrong")
    assert refused.value.body == {"error": "unauthorized"}


def test_nobody_answers() -> None:
    with pytest.raises(RequestFailed, match="does not answer") as refused:
        http_client.get("http://127.0.0.1:1/")
    assert refused.value.body is None


def test_server_sent_events(url: str) -> None:
    assert list(http_client.events(f"{url}/feed", token="right")) == [
        ("hello", '{"now": 1}'),
        ("call", '{"ref":\n"x"}'),
        ("message", "plain"),
    ]
    with pytest.raises(RequestFailed):
        list(http_client.events("http://127.0.0.1:1/", token=""))
