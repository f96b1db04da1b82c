"""Where an instance keeps its state, which ports it uses, and who else uses it now."""

import fcntl
import hashlib
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from router.firstrun.users import SERVICE_HOME

DEFAULT_PORT = 8080
_HIGHEST_PORT = 65535 - 10399
RTP_PORTS = 400


class StateError(Exception):
    """The instance cannot be used like this; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """All ports of an instance, counted from the one setting PORT."""

    base: int

    @property
    def http(self) -> int:
        return self.base

    @property
    def staff(self) -> int:
        return self.base + 1

    @property
    def agi(self) -> int:
        return self.base + 2

    @property
    def ami(self) -> int:
        return self.base + 3

    @property
    def postgres(self) -> int:
        return self.base + 4

    @property
    def sip(self) -> int:
        return self.base + 5

    @property
    def company(self) -> int:
        return self.base + 6

    @property
    def caller(self) -> int:
        return self.base + 7

    @property
    def site(self) -> int:
        return self.base + 8

    @property
    def rtp(self) -> int:
        return self.base + 10000


def another_port(ports: Ports) -> int:
    """A PORT to suggest where this one is taken: far enough for the audio ports not to meet."""
    return ports.base + 1000 if ports.base + 1000 <= _HIGHEST_PORT else ports.base - 1000


def read_port(environment: Mapping[str, str]) -> Ports:
    """The setting PORT. Raises StateError that names it and gives an example."""
    text = environment.get("PORT", "").strip() or str(DEFAULT_PORT)
    try:
        port = int(text)
    except ValueError:
        raise StateError(
            f"PORT: {text!r} is not a number; an example: make run PORT=9080"
        ) from None
    if not 1024 <= port <= _HIGHEST_PORT:
        raise StateError(
            f"PORT: {port} is not between 1024 and {_HIGHEST_PORT} (ports up to PORT+10399 are"
            " used); an example: make run PORT=9080"
        )
    return Ports(base=port)


def taken_ports(
    ports: Ports, *, caller: str = "127.0.0.2", company: str = "127.0.0.3"
) -> list[str]:
    """What cannot be bound now, in words: one line a port."""
    wanted = [
        ("the snippet's API", "127.0.0.1", ports.http, socket.SOCK_STREAM),
        ("the staff's API and live page", "127.0.0.1", ports.staff, socket.SOCK_STREAM),
        ("FastAGI", "127.0.0.1", ports.agi, socket.SOCK_STREAM),
        ("Asterisk's manager", "127.0.0.1", ports.ami, socket.SOCK_STREAM),
        ("PostgreSQL", "127.0.0.1", ports.postgres, socket.SOCK_STREAM),
        ("Asterisk's SIP", "127.0.0.1", ports.sip, socket.SOCK_DGRAM),
        ("the demo company line", company, ports.company, socket.SOCK_DGRAM),
        ("the demo caller", caller, ports.caller, socket.SOCK_DGRAM),
        ("the demo site", "127.0.0.1", ports.site, socket.SOCK_STREAM),
        ("the first audio stream", "127.0.0.1", ports.rtp, socket.SOCK_DGRAM),
    ]
    taken = []
    for name, host, port, kind in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                protocol = "tcp" if kind == socket.SOCK_STREAM else "udp"
                why = (error.strerror or "").lower()
                taken.append(f"{protocol} {host}:{port} for {name}: {why}")
    return taken


def state_folder(checkout: Path) -> Path:
    """The instance's folder: `.run` in the checkout, or as root one that the service user reaches."""
    if os.geteuid() != 0:
        return checkout / ".run"
    digest = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:12]
    return SERVICE_HOME / digest


def make_state_folder(checkout: Path) -> Path:
    """Make the instance's folder; only its owner lists it, as root the service user passes."""
    run = checkout / ".run"
    state = state_folder(checkout)
    try:
        # A user's own state is nobody else's business; root's `.run` only says where it is.
        run.mkdir(mode=0o700 if state == run else 0o755, exist_ok=True)
        if state != run:
            # 0711: the service user has to pass to its own folders inside, nobody needs to list.
            SERVICE_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
            state.mkdir(mode=0o711, exist_ok=True)
            (run / "state").write_text(f"{state}\n")
            (state / "checkout").write_text(f"{checkout}\n")
        (state / "log").mkdir(exist_ok=True)
        if not os.access(state, os.W_OK):
            raise PermissionError(13, "Permission denied", str(state))
    except PermissionError as error:
        raise StateError(
            f"{error.filename} cannot be written by this user: it was made by another one;"
            " run as that user, or remove it with `make clean` as that user"
        ) from None
    return state


def lock(path: Path) -> IO[str] | None:
    """Take the lock file `path` until it is closed; None if a living process holds it.

    The kernel lets go of it when the holder dies, so a killed run leaves nothing to clean up.
    The file holds the holder's pid.
    """
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def holder(path: Path) -> int | None:
    """The pid of the living process that holds the lock file, None if nobody does."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(path.read_text().strip() or 0)
    return None


def read_secrets(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Random secrets of this instance, made once and kept in `path` (mode 0600)."""
    known: dict[str, str] = {}
    if path.exists():
        lines = path.read_text().splitlines()
        known = dict(line.split("=", 1) for line in lines if "=" in line)
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(24) for name in missing}
        write_private(path, "".join(f"{name}={value}\n" for name, value in known.items()))
    return {name: known[name] for name in names}


def write_private(path: Path, text: str) -> None:
    """Replace a file at one stroke; only its owner may read it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.rename(path)
