"""What `make doctor` looks at in an instance: while it runs, its parts; else whether it could."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from router.firstrun import http_client, prefixes, state
from router.firstrun.asterisk import AsteriskError, AsteriskServer
from router.firstrun.doctor_machine import made_findings
from router.firstrun.findings import Finding
from router.firstrun.instance import Instance
from router.store import queries

_MOST_SKEW_SECONDS = 0.5


def instance_findings(checkout: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The checkout's instance, looked at without changing it."""
    yield from made_findings(checkout, environ)
    folder = state.state_folder(checkout)
    pid = state.holder(folder / "run.lock") if folder.exists() else None
    if pid is None:
        yield from _stopped(environ)
        return
    ports = state.Ports(base=int((folder / "port").read_text()))
    yield Finding(what="running", detail=f"pid {pid}, PORT={ports.base}")
    instance = Instance.open(checkout, ports)
    yield from _database(instance)
    yield from _asterisk(instance, environ)
    yield from _router(instance)


def _stopped(environ: Mapping[str, str]) -> Iterator[Finding]:
    yield Finding(what="running", detail="no: `make run` starts it", well=None)
    try:
        ports = state.read_port(environ)
    except state.StateError as problem:
        yield Finding(what="PORT", detail=str(problem), mend="give another PORT", well=False)
        return
    taken = state.taken_ports(ports)
    yield Finding(
        what="ports",
        detail="; ".join(taken) or f"{ports.base} to {ports.site} are free",
        mend=f"make run PORT={state.another_port(ports)}",
        well=not taken,
    )


def _database(instance: Instance) -> Iterator[Finding]:
    log = instance.state / "log/postgres.log"
    try:
        theirs = float(_sql(instance, "firstrun.clock"))
    except (OSError, subprocess.SubprocessError, ValueError) as problem:
        yield Finding(what="PostgreSQL", detail=str(problem), mend=f"its log: {log}", well=False)
        return
    skew = theirs - time.time()
    yield Finding(
        what="PostgreSQL",
        detail=f"answers; its clock differs by {skew * 1000:+.0f} ms",
        mend="its clock and this machine's differ: set the time (timedatectl, ntp)",
        well=abs(skew) < _MOST_SKEW_SECONDS,
    )
    overlapping = int(_sql(instance, "firstrun.overlapping_reservations"))
    yield Finding(
        what="reservations",
        detail=f"{overlapping} overlap" if overlapping else "none overlaps another",
        mend="two visitors held one number: report it, with the tables reservation and number",
        well=overlapping == 0,
    )


def _sql(instance: Instance, name: str) -> str:
    """One value, by one of our named queries, through psql (no package is needed for it)."""
    query = queries.load(queries.sql_folder() / "queries")[name]
    psql = next((instance.checkout / ".venv/lib").glob("*/site-packages/*/pginstall18/bin/psql"))
    done = subprocess.run(
        [psql, "--no-psqlrc", "-At", "-c", query.sql, instance.postgres().dsn()],
        env={"PATH": "/usr/bin:/bin", "PGCONNECT_TIMEOUT": "3"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return done.stdout.strip()


def _asterisk(instance: Instance, environ: Mapping[str, str]) -> Iterator[Finding]:
    telephony = prefixes.find_telephony(instance.state, environ)
    if telephony is None:
        return
    server = instance.asterisk(telephony)
    try:
        loaded = server.cli("module show", timeout=5)
        missing = _missing_modules(server, loaded)
    except AsteriskError as problem:
        yield Finding(
            what="Asterisk", detail=str(problem), mend=f"its log: {server.log}", well=False
        )
        return
    count = re.search(r"(\d+) modules loaded", loaded)
    yield Finding(
        what="Asterisk's modules",
        detail=f"{', '.join(missing)} missing"
        if missing
        else f"{count[1] if count else 'all'} loaded",
        mend="see asterisk-conf/modules.conf and Asterisk's log",
        well=not missing,
    )
    line = server.cli("pjsip show contacts", timeout=5)
    reached = re.search(r"company/\S+\s+\S+\s+(\w+)", line)
    status = reached[1] if reached else "unknown"
    yield Finding(
        what="company line",
        detail=status,
        mend="the demo company's telephone does not answer OPTIONS: restart `make run`",
        well=status not in {"Unavail", "unknown"},
    )


def _missing_modules(server: AsteriskServer, loaded: str) -> list[str]:
    text = (server.conf / "modules.conf").read_text()
    wanted = re.findall(r"^\s*require\s*=>?\s*(\S+)", text, re.MULTILINE)
    return [name for name in wanted if name.removesuffix(".so") + ".so" not in loaded]


def _router(instance: Instance) -> Iterator[Finding]:
    """Both listeners; the staff's tells of each part: database, AMI, clocks."""
    log = f"its log: {instance.state}/log/router.log"
    for what, url in (
        ("router, snippet's API", f"{instance.public_url}/ready"),
        ("router, staff's API", f"{instance.staff_url}/ready"),
    ):
        try:
            told = http_client.get(url, seconds=5)
        except http_client.RequestFailed as problem:
            told = problem.body
            if not isinstance(told, dict):
                yield Finding(what=what, detail=str(problem), mend=log, well=False)
                continue
        yield Finding(what=what, detail="answers")
        for name, part in told["parts"].items():
            if part["words"] or not part["ok"]:
                yield Finding(
                    what=f"  {name}", detail=part["words"], mend=log, well=bool(part["ok"])
                )
