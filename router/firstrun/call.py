"""`make call` and `make live`: a real call to the running instance, a link to its live page."""

import asyncio
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from router.domain import phone
from router.domain.errors import PhoneRefused
from router.firstrun import calls_api, demo, main_job, prefixes, state
from router.firstrun.caller import Caller
from router.firstrun.instance import Instance

_TALK_SECONDS = 2.5


class NotRunning(Exception):
    """There is no running instance to call."""


class CallRefused(Exception):
    """An argument is wrong; the message names it, its problem and an example."""


def call(checkout: Path, environment: Mapping[str, str]) -> int:
    """Call NUMBER, or the number on the newest visitor's page; print the finished record.

    Returns 1 if the call was not attributed.
    """
    wanted = _argument(environment, "NUMBER", "")
    who = _argument(environment, "CALLER", demo.CALLER)
    instance = _running(checkout)
    number = wanted or _shown(instance)
    telephony = prefixes.find_telephony(instance.state, environment)
    if telephony is None:
        raise NotRunning("Asterisk is not unpacked: start with `make run`")
    caller = Caller(sipp=telephony.sipp, folder=instance.state / "caller", ports=instance.ports)
    since = time.time()
    print(f"calling {phone.international(number)} from {phone.international(who)}", flush=True)
    main_job.call(instance, caller, number=number, who=who, talk_seconds=_TALK_SECONDS)
    found = main_job.record(instance, number=number, who=who, since=since)
    for row in calls_api.describe(found):
        print(f"  {row}")
    problem = calls_api.shortfall(found)
    if problem:
        print(f"\nnot attributed: {problem}", file=sys.stderr)
    return 1 if problem else 0


def live(checkout: Path) -> int:
    """Print a fresh one-time link to the live page."""
    instance = _running(checkout)
    url, now = instance.postgres().dsn(), datetime.now(UTC)
    print(asyncio.run(demo.sign_in_link(url, instance.staff_url, now)))
    return 0


def _running(checkout: Path) -> Instance:
    folder = state.state_folder(checkout)
    if not folder.exists() or state.holder(folder / "run.lock") is None:
        raise NotRunning("nothing runs here: `make run` in another terminal, then this again")
    return Instance.open(checkout, state.Ports(base=int((folder / "port").read_text())))


def _argument(environment: Mapping[str, str], name: str, default: str) -> str:
    text = environment.get(name, "").strip() or default
    if not text:
        return ""
    try:
        return phone.parse(text, "RU", field=name)
    except PhoneRefused as refused:
        raise CallRefused(str(refused)) from refused


def _shown(instance: Instance) -> str:
    """The number on the page of the newest visitor; a visit is made where there is none."""
    now = datetime.now(UTC)
    seen = asyncio.run(demo.newest_shown(instance.postgres().dsn(), now))
    if seen is not None:
        print(f"the newest visitor came from {seen.source} / {seen.medium} / {seen.campaign}")
        return seen.e164
    visit = main_job.visit(instance)
    print(f"nobody is on the demo site: a visit from google / cpc / spring, {visit.national}")
    return visit.number
