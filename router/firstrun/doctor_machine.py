"""What the doctor looks at before anything runs: this machine, and what was made on it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from router.firstrun import debian_sources, environment, prefixes, state, users
from router.firstrun.caller import HOST as CALLER_HOST
from router.firstrun.findings import Finding

_TOOLS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "tar": "tar",
    "setpriv": "util-linux",
    "make": "make",
}
_DISK_FRESH_MB = 1000
_DISK_MADE_MB = 200


def machine_findings(checkout: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What the first run needs of a machine."""
    yield Finding(
        what="Python",
        detail=f"{sys.version.split()[0]} ({sys.executable})",
        mend="Python 3.11 or newer is needed: make doctor PYTHON=python3.12",
        well=sys.version_info >= (3, 11),
    )
    yield Finding(
        what="Python's venv module",
        mend="apt-get install python3-venv",
        well=importlib.util.find_spec("venv") is not None,
    )
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if os.geteuid() == 0 and shutil.which("useradd", path="/usr/sbin:/usr/bin") is None:
        missing.append("useradd")
    packages = " ".join(_TOOLS.get(tool, "passwd") for tool in missing)
    yield Finding(
        what="tools",
        detail=f"{', '.join(missing)} missing" if missing else ", ".join(_TOOLS),
        mend=f"apt-get install {packages} (these are Debian's; elsewhere see docker/)",
        well=not missing,
    )
    yield from _archive(environ)
    yield _disk(checkout)
    yield _loopback()


def _archive(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        found = debian_sources.archives(environ)
    except debian_sources.DebianError as problem:
        yield Finding(
            what="Debian archive",
            detail=str(problem),
            mend="DEBIAN_MIRROR=http://mirror.example/debian names one",
            well=False,
        )
        return
    yield Finding(what="Debian archive", detail=", ".join(source.uri for source in found))
    signed_by = found[0].signed_by or str(debian_sources.ARCHIVE_KEYRING)
    paths = [Path(word) for word in signed_by.split() if word.startswith("/")]
    lost = [str(path) for path in paths if not path.exists()]
    yield Finding(
        what="its keyring",
        detail=f"{', '.join(lost)} missing" if lost else ", ".join(map(str, paths)) or "in place",
        mend="apt-get install debian-archive-keyring",
        well=not lost,
    )


def _disk(checkout: Path) -> Finding:
    folder = state.state_folder(checkout)
    made = prefixes.find_telephony(folder, os.environ) is not None
    needed = _DISK_MADE_MB if made else _DISK_FRESH_MB
    exists = next(path for path in (folder, *folder.parents) if path.exists())
    free = {path: shutil.disk_usage(path).free >> 20 for path in (checkout, exists)}
    short = [f"{path} has {mb} MB" for path, mb in free.items() if mb < needed]
    return Finding(
        what="disk space",
        detail="; ".join(short) or f"{min(free.values()) / 1024:.1f} GB free",
        mend=f"{needed} MB are needed",
        well=not short,
    )


def _loopback() -> Finding:
    """The demo's caller and company have addresses of their own in 127.0.0.0/8."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import socket; socket.socket(type=socket.SOCK_DGRAM).bind(({CALLER_HOST!r}, 0))",
        ],
        capture_output=True,
        check=False,
    )
    return Finding(
        what="loopback addresses",
        detail="127.0.0.1 to 127.0.0.3" if done.returncode == 0 else f"{CALLER_HOST} is refused",
        mend="ip address add 127.0.0.1/8 dev lo (the whole network has to be on lo)",
        well=done.returncode == 0,
    )


def made_findings(checkout: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What the first run makes before it starts anything."""
    ready = environment.is_ready(checkout, environment.RUNTIME)
    yield Finding(
        what="Python environment",
        detail=".venv matches requirements.lock" if ready else "`make run` makes it",
        well=ready or None,
    )
    folder = state.state_folder(checkout)
    found = prefixes.find_telephony(folder, environ)
    if found is None:
        yield Finding(
            what="Asterisk and SIPp",
            detail="`make run` fetches them",
            well=None,
        )
        return
    for name, program, option, status in (
        ("Asterisk", found.asterisk_root / "usr/sbin/asterisk", "-V", 0),
        ("SIPp", found.sipp, "-v", 99),
    ):
        answer = subprocess.run(
            [program, option], capture_output=True, text=True, check=False, errors="replace"
        )
        lines = [line.strip() for line in answer.stdout.splitlines() if line.strip()]
        runs = answer.returncode in {0, status} and bool(lines)
        yield Finding(
            what=name,
            detail=lines[0] if runs else answer.stderr.strip() or "does not run",
            mend=f"remove {prefixes.folder(folder, environ)}/asterisk; `make run` fetches it anew",
            well=runs,
        )
    if os.geteuid() == 0:
        yield Finding(
            what="service user",
            detail=users.SERVICE_USER,
            well=users.user_exists(users.SERVICE_USER) or None,
        )
