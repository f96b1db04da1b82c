"""The few HTTP requests of the first run, made as any client of the product would make them."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

_SECONDS = 10.0
# A proxy of the environment has no business between two programs of one machine.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RequestFailed(Exception):
    """The request was refused or not answered; the message says by whom and why.

    `body` is what the refusal said, None where nobody answered.
    """

    def __init__(self, message: str, body: Any = None) -> None:
        super().__init__(message)
        self.body = body


def get(url: str, *, token: str = "", seconds: float = _SECONDS) -> Any:
    """The JSON at `url`. Raises RequestFailed."""
    return _request(url, None, _authorization(token), seconds)


def post(url: str, body: Mapping[str, Any], *, origin: str) -> Any:
    """Send JSON as a page of `origin` does; the JSON of the answer. Raises RequestFailed."""
    headers = {"Content-Type": "application/json", "Origin": origin, "User-Agent": _BROWSER}
    return _request(url, json.dumps(body).encode(), headers, _SECONDS)


# Visits of programs get no number of their own, so the demonstration names itself a browser.
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def events(url: str, *, token: str) -> Iterator[tuple[str, str]]:
    """Server-sent events: name and data, until the other side ends the stream.

    Raises RequestFailed where it cannot be opened, or is silent for a minute.
    """
    request = urllib.request.Request(
        url, headers={**_authorization(token), "Accept": "text/event-stream"}
    )
    name, data = "message", []
    try:
        with _DIRECT.open(request, timeout=60) as stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\r\n")
                field, _, value = line.partition(":")
                if field == "event":
                    name = value.strip()
                elif field == "data":
                    data.append(value.removeprefix(" "))
                elif line == "":
                    if data:
                        yield name, "\n".join(data)
                    name, data = "message", []
    except urllib.error.HTTPError as error:
        with error:
            raise RequestFailed(f"{url} answers {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise RequestFailed(f"{url}: {error}") from None


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _request(url: str, body: bytes | None, headers: Mapping[str, str], seconds: float) -> Any:
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    try:
        with _DIRECT.open(request, timeout=seconds) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            told = error.read(20_000)
        text = told[:500].decode(errors="replace")
        raise RequestFailed(f"{url} answers {error.code}: {text}", _json(told)) from None
    except (OSError, http.client.HTTPException) as error:
        raise RequestFailed(f"{url} does not answer: {error}") from None
    return _json(text)


def _json(text: bytes) -> Any:
    """JSON as a value; other text as it is, nothing as None."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text.decode(errors="replace")
