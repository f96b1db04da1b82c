"""Which Chromium the tests drive, and how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from router.firstrun import prefixes
from router.firstrun.state import state_folder

_BINARY = "usr/lib/chromium/chromium"
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu")
_SYSTEM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")

ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    "--disable-dev-shm-usage",
)


class ChromiumMissing(Exception):
    """There is no browser for the tests; the message says how to get one."""


@dataclass(frozen=True, kw_only=True)
class Chromium:
    """A binary, and what must be added to its environment."""

    binary: Path
    environment: Mapping[str, str]


def find(checkout: Path, environment: Mapping[str, str]) -> Chromium:
    """The prefix in CALL_ROUTER_TEST_CHROMIUM, else the checkout's own, else the system's."""
    named = environment.get("CALL_ROUTER_TEST_CHROMIUM", "").strip()
    root = Path(named) if named else prefixes.find_chromium(state_folder(checkout), environment)
    if root is not None:
        if not (root / _BINARY).exists():
            raise ChromiumMissing(f"CALL_ROUTER_TEST_CHROMIUM: {root} has no {_BINARY}")
        return Chromium(binary=root / _BINARY, environment=_unpacked(root))
    for place in _SYSTEM:
        if Path(place).exists():
            return Chromium(binary=Path(place), environment={})
    raise ChromiumMissing(
        "the browser tests need Chromium: `make test` fetches it into the checkout's state,"
        " `apt install chromium` installs it, and CALL_ROUTER_TEST_CHROMIUM=<folder with"
        f" {_BINARY}> names an unpacked one"
    )


def _unpacked(root: Path) -> dict[str, str]:
    """Debian's packages, not installed: their libraries and fonts are found by variables."""
    folders = [str(root / folder) for folder in _LIBRARIES if (root / folder).exists()]
    folders += [f"{folder}/pulseaudio" for folder in folders]
    return {"LD_LIBRARY_PATH": ":".join(folders), "FONTCONFIG_PATH": str(root / "etc/fonts")}
