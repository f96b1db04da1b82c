"""The prefixes a first run needs (Asterisk with SIPp, Chromium, pip) and where they lie."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from router.firstrun import debian
from router.firstrun.debian_sources import DebianError, host_codename

OLDEST_ASTERISK = 22
_ASTERISK_SUITES = ("forky", "sid")
_SOUNDS = "usr/share/asterisk/sounds"


@dataclass(frozen=True, kw_only=True)
class Telephony:
    """Asterisk and SIPp to run: `asterisk_root` is `/` where the host's own is new enough."""

    asterisk_root: Path
    sipp: Path
    version: str
    origin: str


def folder(state: Path, environment: Mapping[str, str]) -> Path:
    """The folder of prefixes: CALL_ROUTER_CACHE, shared by checkouts, or the instance's own."""
    cache = environment.get("CALL_ROUTER_CACHE", "").strip()
    return Path(cache).absolute() if cache else state / "debian"


def host_asterisk() -> str | None:
    """Version of the host's own Asterisk if it is new enough and speaks PJSIP."""
    asterisk = shutil.which("asterisk", path="/usr/sbin:/usr/bin")
    if asterisk is None or not any(Path("/usr/lib").glob("**/asterisk/modules/chan_pjsip.so")):
        return None
    told = subprocess.run([asterisk, "-V"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"Asterisk\D*((\d+)[\w.]*)", told)
    return match[1] if match and int(match[2]) >= OLDEST_ASTERISK else None


def find_telephony(state: Path, environment: Mapping[str, str]) -> Telephony | None:
    """Asterisk and SIPp if nothing has to be fetched."""
    own, own_sipp = host_asterisk(), shutil.which("sipp", path="/usr/bin")
    if own and own_sipp:
        return Telephony(
            asterisk_root=Path("/"), sipp=Path(own_sipp), version=own, origin="the host's own"
        )
    wanted = _asterisk(environment)
    prefix = debian.existing(folder(state, environment) / wanted.name, wanted)
    return _telephony(prefix, own) if prefix else None


def ensure_telephony(state: Path, environment: Mapping[str, str], say: debian.Say) -> Telephony:
    """Asterisk and SIPp, fetched where the host has none that will do."""
    found = find_telephony(state, environment)
    if found is not None:
        return found
    wanted = _asterisk(environment)
    place = folder(state, environment) / wanted.name
    prefix = debian.ensure(place, wanted, environment, say=say, finish=_make_runnable)
    return _telephony(prefix, host_asterisk())


def _asterisk(environment: Mapping[str, str]) -> debian.Wanted:
    suite = environment.get("ASTERISK_SUITE", "").strip()
    return debian.Wanted(
        name="asterisk",
        packages=("asterisk", "sip-tester", "patchelf"),
        suites=(suite,) if suite else _ASTERISK_SUITES,
    )


def _telephony(prefix: debian.Prefix, own: str | None) -> Telephony:
    version = own or prefix.versions["asterisk"].split(":")[-1].split("+")[0]
    if int(version.split(".")[0]) < OLDEST_ASTERISK:
        raise DebianError(
            f"{prefix.suite} has Asterisk {version}; {OLDEST_ASTERISK} or newer is needed:"
            " name another suite, as in ASTERISK_SUITE=sid"
        )
    return Telephony(
        asterisk_root=Path("/") if own else prefix.root,
        sipp=prefix.root / "usr/bin/sipp",
        version=version,
        origin="the host's own" if own else f"{prefix.packages} packages of Debian {prefix.suite}",
    )


def find_chromium(state: Path, environment: Mapping[str, str]) -> Path | None:
    """Root of the prefix with Chromium if it is there."""
    wanted = _chromium()
    prefix = debian.existing(folder(state, environment) / wanted.name, wanted)
    return prefix.root if prefix else None


def ensure_chromium(state: Path, environment: Mapping[str, str], say: debian.Say) -> Path:
    """Root of the prefix with Chromium and a font, from the host's own suite."""
    wanted = _chromium()
    place = folder(state, environment) / wanted.name
    return debian.ensure(place, wanted, environment, say=say).root


def _chromium() -> debian.Wanted:
    return debian.Wanted(
        name="chromium",
        packages=("chromium", "fonts-dejavu-core"),
        suites=(host_codename() or "stable",),
    )


def ensure_pip(state: Path, environment: Mapping[str, str], say: debian.Say) -> Path:
    """Root of the prefix with Debian's pip wheel and the certificates it trusts."""
    wanted = debian.Wanted(
        name="pip",
        packages=("python3-pip-whl", "ca-certificates"),
        suites=(host_codename() or "stable",),
    )
    place = folder(state, environment) / wanted.name
    return debian.ensure(place, wanted, environment, say=say).root


def _make_runnable(fresh: Path, final: Path) -> None:
    """Let Asterisk and SIPp find their own loader and libraries at `final`.

    Children they start (a shell) then keep the host's libraries, which LD_LIBRARY_PATH would
    not allow. DT_RPATH, not RUNPATH: only it counts for the modules' own dependencies too.
    """
    loader = next(fresh.glob("usr/lib*/ld-linux*.so.*")).relative_to(fresh)
    libraries = next(fresh.glob("usr/lib/*/libc.so.6")).parent.relative_to(fresh)
    tool = [str(fresh / loader), "--library-path", str(fresh / libraries)]
    tool.append(str(fresh / "usr/bin/patchelf"))
    for binary in ("usr/sbin/asterisk", "usr/bin/sipp"):
        subprocess.run(
            [
                *(*tool, "--set-interpreter", str(final / loader), "--force-rpath"),
                *("--set-rpath", str(final / libraries), str(fresh / binary)),
            ],
            check=True,
        )
    # Debian's post-install script, which is not run, makes this link.
    voices = sorted((fresh / _SOUNDS).glob("en_US_*"))
    english = fresh / _SOUNDS / "en"
    if voices and not english.exists():
        english.symlink_to(voices[0].name)
