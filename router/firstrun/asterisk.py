"""One Asterisk in folders of its own: render its configuration, start it, stop it, ask it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from router.firstrun import process, users
from router.firstrun.asterisk_config import (
    AsteriskConfig,
    AsteriskError,
    Installation,
    render_templates,
)

__all__ = ["AsteriskConfig", "AsteriskError", "AsteriskServer", "render_templates"]

# asterisk.conf expects these to exist; Asterisk loses call records rather than make log/cel-custom
_FOLDERS = (
    *("conf", "conf/pjsip.d", "db", "cache", "lib", "keys", "run"),
    *("log", "log/cel-custom", "spool", "spool/monitor"),
)
_LONGEST_SOCKET_PATH = 107  # bytes, the kernel's limit


class AsteriskServer:
    """An Asterisk process and its folders below `state_dir`. Every call blocks, within a bound.

    `prefix` is the root of an unpacked installation (None: the host's own Asterisk); `run_as` is
    the unprivileged user to run as when root starts it, None for an ordinary user.
    """

    def __init__(
        self, prefix: Path | None, state_dir: Path, config: AsteriskConfig, run_as: str | None
    ) -> None:
        if os.geteuid() == 0 and run_as in (None, "root"):
            raise AsteriskError("as root, name the unprivileged user that Asterisk is to run as")
        if os.geteuid() != 0 and run_as is not None:
            raise AsteriskError(f"only root can run Asterisk as another user ({run_as})")
        self.installation = Installation.find(prefix)
        self.base = state_dir.resolve()
        self.config = config
        self.run_as = run_as
        self._child: subprocess.Popen[bytes] | None = None
        self._short_run: Path | None = None
        self._before: dict[Path, int] = {}

    @property
    def conf(self) -> Path:
        return self.base / "conf"

    @property
    def log(self) -> Path:
        return self.base / "log" / "messages.log"

    @property
    def cel_file(self) -> Path:
        return self.base / "log" / "cel-custom" / "cel.csv"

    @property
    def recordings(self) -> Path:
        return self.base / "spool" / "monitor"

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise AsteriskError("Asterisk has not been started")
        return self._child.pid

    def render(self) -> None:
        """Make the folders and write the configuration; files of yours beside ours stay."""
        for folder in (".", *_FOLDERS):
            path = self.base / folder
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700 if folder == "conf" else 0o750)
        render_templates(
            {
                **self.config.values(),
                "BASE": str(self.base),
                "RUN_DIR": str(self._run_dir()),
                "MODULES_DIR": str(self.installation.modules),
                "DATA_DIR": str(self.installation.data),
                "SBIN_DIR": str(self.installation.program.parent),
            },
            self.conf,
        )
        users.give(self.base, self.run_as)

    def start(self, timeout: float = 30) -> None:
        """Start Asterisk and return once it takes calls.

        It ends with the thread that started it, so call this from the main one. Raises AsteriskError, with the log's errors, if it ends or is not ready in `timeout` s.
        """
        if self.running:
            raise AsteriskError("this Asterisk is running already")
        self._end_leftover()
        self._check_ports()
        self._before = {log: _size(log) for log in (self.log, self._console)}
        self._child = process.start(
            [self.installation.program, "-f", "-n", "-C", self.conf / "asterisk.conf"],
            log=self._console,
            run_as=self.run_as,
            cwd=self.base,
        )
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self._child.poll() is not None:
                raise self._boot_error(f"Asterisk ended at once ({self._child.returncode})")
            with contextlib.suppress(AsteriskError):
                left = max(end - time.monotonic(), 0.1)
                if "fully booted" in self.cli("core waitfullybooted", timeout=left):
                    return
            time.sleep(0.05)
        error = self._boot_error(f"Asterisk was not ready within {timeout:g} s")
        self.kill()
        raise error

    def cli(self, command: str, timeout: float = 10) -> str:
        """Give one command to the console of the running Asterisk and return what it prints."""
        owner = None if self.run_as is None else pwd.getpwnam(self.run_as)
        try:
            done = subprocess.run(
                [self.installation.program, "-C", self.conf / "asterisk.conf", "-rx", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
                user=owner and owner.pw_uid,
                group=owner and owner.pw_gid,
                extra_groups=owner and [],
            )
        except subprocess.TimeoutExpired:
            raise AsteriskError(f"no answer to {command!r} within {timeout:g} s") from None
        text = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            raise AsteriskError(f"{command!r}: {text.strip()}")
        return text

    def wait_for_line(self, name: str, timeout: float = 6) -> bool:
        """Wait until Asterisk knows that the line `name` lives; False if it does not.

        Asked every 5 s only, a line that comes up after Asterisk is out of reach until then.
        """
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.cli(f"pjsip qualify {name}")
            time.sleep(0.05)
            contacts = self.cli("pjsip show contacts").splitlines()
            if any(f" {name}/" in contact and " Avail " in contact for contact in contacts):
                return True
            time.sleep(0.2)
        return False

    def stop(self, timeout: float = 10) -> None:
        """End Asterisk in order (its database is written out); calls in progress end with it."""
        if self._child is not None:
            process.stop(self._child, within=timeout)
        if self._short_run is not None:
            shutil.rmtree(self._short_run, ignore_errors=True)
            self._short_run = None

    def kill(self) -> None:
        """End Asterisk as a power cut would."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait(10)

    def freeze(self) -> None:
        """Stop the process in its tracks, sockets open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def problems(self) -> list[str]:
        """The ERROR and WARNING lines since this start."""
        lines: list[str] = []
        for log in (self.log, self._console):
            if log.exists():
                text = log.read_bytes()[self._before.get(log, 0) :].decode(errors="replace")
                lines += [x for x in text.splitlines() if "ERROR" in x or "WARNING" in x]
        return list(dict.fromkeys(lines))

    @property
    def _console(self) -> Path:
        return self.base / "log" / "console.log"

    def _run_dir(self) -> Path:
        """Folder of the control socket: run/, or a short one where that path is too long."""
        wanted = self.base / "run"
        if len(os.fsencode(wanted / "asterisk.ctl")) <= _LONGEST_SOCKET_PATH:
            return wanted
        if self._short_run is None:
            self._short_run = Path(tempfile.mkdtemp(prefix="call-router-asterisk-"))
            users.give(self._short_run, self.run_as)
        return self._short_run

    def _boot_error(self, what: str) -> AsteriskError:
        errors = [line for line in self.problems() if "ERROR" in line][-8:]
        return AsteriskError("\n  ".join([what, *(errors or [process.tail(self._console)])]))

    def _end_leftover(self) -> None:
        """End an Asterisk in our own folders whose starter died without stopping it."""
        control = self._run_dir() / "asterisk.ctl"
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(control))
            except OSError:
                return
        with contextlib.suppress(AsteriskError):
            self.cli("core stop now", timeout=5)
        end = time.monotonic() + 5
        while control.exists() and time.monotonic() < end:
            time.sleep(0.05)

    def _check_ports(self) -> None:
        """Asterisk starts although a port is taken, and then no call arrives: look first."""
        config = self.config
        for name, host, port, kind in (
            ("SIP (udp)", config.sip_host, config.sip_port, socket.SOCK_DGRAM),
            ("AMI (tcp)", config.ami_host, config.ami_port, socket.SOCK_STREAM),
        ):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    raise AsteriskError(
                        f"{name}: {host}:{port} cannot be used ({error.strerror}); "
                        "give another port (the setting PORT)"
                    ) from None


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
