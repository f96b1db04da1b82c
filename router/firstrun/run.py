"""`make run`: brings everything up, does the main job once, stays and tells what happens."""

import asyncio
import contextlib
import os
import queue
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO

from router.domain import phone
from router.firstrun import calls_api, company_line, demo, main_job, prefixes, state, watch
from router.firstrun.caller import HOST, Caller
from router.firstrun.demo_site_server import DEFAULT_NUMBER, DemoSite
from router.firstrun.events import Event, Teller
from router.firstrun.instance import Instance
from router.firstrun.router_process import RouterProcess
from router.firstrun.steps import Steps
from router.firstrun.supervise import Part, Supervisor

_TALK_SECONDS = 1.0
_CHECK_SECONDS = 0.5
_COMPANY_HOST = "127.0.0.3"


class AlreadyRuns(Exception):
    """Another process runs this checkout's instance."""


def run(checkout: Path, ports: state.Ports, *, once: bool) -> int:
    """Run the instance in the foreground. With `once` only until the main job is done.

    Returns 0, or with `once` 1 where the main job failed. Raises what a part could not do.
    """
    steps = Steps()
    instance = Instance.open(checkout, ports)
    held = _take(instance)
    supervisor = Supervisor(lambda text: steps.line(f"{watch.now():%H:%M:%S}  {text}"))
    _stop_by_signal(steps)
    try:
        session = _Session(instance, supervisor, steps)
        session.bring_up()
        done = session.main_job()
        if not once:
            session.stay()
        return 0 if done or not once else 1
    except KeyboardInterrupt:
        return 0
    finally:
        _ignore_signals()
        steps.line("stopping")
        for problem in supervisor.stop():
            steps.line(f"  {problem}")
        held.close()
        steps.line("stopped; nothing is lost, `make run` goes on with the same data")


def _take(instance: Instance) -> IO[str]:
    path = instance.state / "run.lock"
    held = state.lock(path)
    if held is None:
        raise AlreadyRuns(
            f"this checkout runs already (pid {state.holder(path)}); a second instance needs a"
            " checkout of its own and another PORT"
        )
    taken = state.taken_ports(instance.ports)
    if taken:
        held.close()
        raise state.StateError(
            "ports are taken:\n  "
            + "\n  ".join(taken)
            + f"\ngive another PORT, as in: make run PORT={state.another_port(instance.ports)}"
        )
    (instance.state / "port").write_text(f"{instance.ports.base}\n")
    return held


def _stop_by_signal(steps: Steps) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _ignore_signals() -> None:
    """A second Ctrl-C must not interrupt the orderly stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class _Session:
    def __init__(self, instance: Instance, supervisor: Supervisor, steps: Steps) -> None:
        self._instance = instance
        self._supervisor = supervisor
        self._steps = steps
        self._events: queue.Queue[Event] = queue.Queue()
        self._new_token = ""
        telephony = prefixes.find_telephony(instance.state, os.environ)
        if telephony is None:
            raise state.StateError("Asterisk is not unpacked: start with `make run`")
        self._telephony = telephony
        self._caller = Caller(
            sipp=telephony.sipp, folder=instance.state / "caller", ports=instance.ports
        )

    def bring_up(self) -> None:
        """Start every part, in the order they need each other."""
        steps, instance = self._steps, self._instance
        log = instance.state / "log"
        postgres = instance.postgres()
        asterisk = instance.asterisk(self._telephony)
        with steps.step("PostgreSQL and Asterisk") as step:
            asterisk.render()
            self._supervisor.start(
                Part(
                    name="PostgreSQL",
                    start=postgres.start,
                    stop=postgres.stop,
                    alive=lambda: postgres.pid is not None,
                    log=str(log / "postgres.log"),
                    stop_rank=9,
                ),
                Part(
                    name="Asterisk",
                    start=asterisk.start,
                    stop=asterisk.stop,
                    alive=lambda: asterisk.running,
                    log=str(asterisk.log),
                    stop_rank=2,
                ),
            )
            step.note = f"Asterisk {self._telephony.version}, {self._telephony.origin}"
        with steps.step("Schema and demo company") as step:
            now = datetime.now(UTC)
            done = asyncio.run(demo.prepare(postgres.dsn(), instance.site_url, now))
            self._grant(postgres.dsn(), now)
            step.note = "; ".join(done) or "as before"
        router = RouterProcess(
            instance.checkout,
            instance.router_settings(postgres.dsn(), asterisk),
            environment_file=instance.state / "router.env",
            log=log / "router.log",
            ready_url=f"{instance.staff_url}/ready",
        )
        line = company_line.CompanyLine(_COMPANY_HOST, instance.ports.company, self._rings)
        site = DemoSite(instance.ports.site, demo.SITE_KEY, instance.public_url, DEFAULT_NUMBER)
        with steps.step("Router, company line, demo site"):
            for part in (
                Part(
                    name="the demo site",
                    start=site.start,
                    stop=site.stop,
                    alive=lambda: True,
                    log="none",
                    stop_rank=1,
                ),
                Part(
                    name="the company line",
                    start=line.start,
                    stop=line.stop,
                    alive=lambda: line.alive,
                    log="none",
                    stop_rank=4,
                ),
                Part(
                    name="the router",
                    start=router.start,
                    stop=router.stop,
                    alive=lambda: router.running,
                    log=str(router.log),
                    stop_rank=3,
                ),
            ):
                self._supervisor.start(part)
            # Asterisk was up first and may have noted that nobody is there: let it look again.
            asterisk.wait_for_line("company")
        self._database_url = postgres.dsn()

    def _grant(self, database_url: str, now: datetime) -> None:
        file = self._instance.token_file
        kept = file.read_text().strip() if file.exists() else ""
        token, self._new_token = asyncio.run(demo.grant(database_url, kept, now))
        if token != kept:
            state.write_private(file, f"{token}\n")

    def main_job(self) -> bool:
        """A visit, a call, its record; says which part failed, if one did."""
        steps, instance = self._steps, self._instance
        since = time.time()
        try:
            with steps.step("A visit to the demo page") as step:
                seen = main_job.visit(instance)
                step.note = f"the page shows {seen.national}"
            with steps.step("A call to that number") as step:
                main_job.call(
                    instance,
                    self._caller,
                    number=seen.number,
                    who=demo.CALLER,
                    talk_seconds=_TALK_SECONDS,
                )
                step.note = f"SIP with audio, from {phone.international(demo.CALLER)}"
            with steps.step("Its record") as step:
                found = main_job.record(instance, number=seen.number, who=demo.CALLER, since=since)
                step.note = f"finished; ready after {time.monotonic() - steps.started:.1f} s"
        except main_job.JobFailed as failed:
            steps.line(f"\nThe main job failed at the {failed}")
            steps.line("Everything that runs goes on running; `make doctor` looks at each part.\n")
            return False
        self._drain()
        steps.line()
        for row in calls_api.describe(found):
            steps.line(f"    {row}")
        problem = calls_api.shortfall(found)
        if problem:
            steps.line(f"\nThe main job failed at the record: {problem}\n")
        return not problem

    def stay(self) -> None:
        """Tell what happens until Ctrl-C."""
        self._invite()
        instance, teller = self._instance, Teller()
        token = instance.token_file.read_text().strip()
        watch.start(
            self._events,
            staff_url=instance.staff_url,
            token=token,
            database_url=self._database_url,
        )
        checked = 0.0
        while True:
            if time.monotonic() - checked >= _CHECK_SECONDS:
                self._supervisor.check()
                checked = time.monotonic()
            with contextlib.suppress(queue.Empty):
                event = self._events.get(timeout=_CHECK_SECONDS)
                line = teller.line(event)
                if line:
                    self._steps.line(f"{event.at:%H:%M:%S}  {line}")

    def _invite(self) -> None:
        instance, line = self._instance, self._steps.line
        link = asyncio.run(
            demo.sign_in_link(self._database_url, instance.staff_url, datetime.now(UTC))
        )
        line()
        line(f"  demo page   {instance.site_url}{demo.LANDING}")
        line(f"  live page   {link}")
        line("              (signs in once, within 15 minutes; `make live` makes another link)")
        line(f"  by phone    sip:{demo.DYNAMIC[0]}@127.0.0.1:{instance.ports.sip}")
        line(f"              (from a SIP telephone on {HOST}, the demo operator's address)")
        if self._new_token:
            line(f"  API token   {self._new_token}")
            line(f"              (shown this once; for {instance.staff_url}/v1/calls)")
        line("  next        make call · make test · make doctor · Ctrl-C stops everything")
        line()

    def _rings(self, ring: company_line.Ring) -> None:
        self._events.put(Event(at=watch.now(), what=ring))

    def _drain(self) -> None:
        """What the main job made happen was told step by step already."""
        while not self._events.empty():
            self._events.get_nowait()
