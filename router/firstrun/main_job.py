"""The main job once, on the running instance: a visitor sees a number, a caller dials it, the
record says which advertisement it was. Each part that fails is named, with its log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.firstrun import calls_api, demo, http_client
from router.firstrun.caller import Caller, CallFailed
from router.firstrun.instance import Instance


class JobFailed(Exception):
    """A part of the main job failed: `part` says which, the message why and where to look."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part = part


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What the router answered the snippet."""

    number: str
    national: str
    session: str
    how: str


def visit(instance: Instance, *, landing: str = demo.LANDING) -> Visit:
    """One visit to the demo page, told to the router over HTTP exactly as the snippet tells it."""
    log = instance.state / "log/router.log"
    body = {
        "site": demo.SITE_KEY,
        "url": instance.site_url + landing,
        "referrer": "https://www.google.com/",
        "visitor": None,
        "session": None,
    }
    try:
        answer = http_client.post(
            f"{instance.public_url}/v1/visits", body, origin=instance.site_url
        )
        return Visit(
            number=answer["number"]["e164"],
            national=answer["number"]["national"],
            session=answer["session"],
            how=answer["how"],
        )
    except http_client.RequestFailed as problem:
        raise JobFailed("visit", f"{problem}; the router's log: {log}") from problem
    except (KeyError, TypeError) as problem:
        raise JobFailed("visit", f"the router's answer is not whole: {problem}") from problem


def call(instance: Instance, caller: Caller, *, number: str, who: str, talk_seconds: float) -> str:
    """A real SIP call with audio to `number`; the call's SIP Call-ID."""
    try:
        return caller.call(number, who, talk_seconds=talk_seconds)
    except CallFailed as problem:
        log = instance.state / "asterisk/log/messages.log"
        raise JobFailed("call", f"{problem}; Asterisk's log: {log}") from problem


def record(instance: Instance, *, number: str, who: str, since: float) -> Mapping[str, Any]:
    """The finished record of the call to `number` by `who` that began after `since`."""
    token = instance.token_file.read_text().strip()
    try:
        return calls_api.wait_for_record(
            instance.staff_url, token, number=number, caller=who, since=since
        )
    except (http_client.RequestFailed, calls_api.NotFinished) as problem:
        log = instance.state / "log/router.log"
        raise JobFailed("record", f"{problem}; the router's log: {log}") from problem
