"""Debian packages of any suite unpacked into a private prefix: no root, the host untouched.

apt works with lists, status and cache of its own and checks the archive's signatures; the
packages are then only unpacked. Standard library only, since it runs before anything is
installed.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from router.firstrun.debian_sources import (
    ARCHIVE_KEYRING,
    DebianError,
    Source,
    archives,
    transport_options,
)

FORMAT = 1
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64")
_UNNEEDED = (
    *("./usr/share/doc/*", "./usr/share/man/*", "./usr/share/info/*", "./usr/share/locale/*"),
    *("./usr/share/lintian/*", "./usr/share/bug/*", "./usr/share/perl/*", "./usr/share/gtk-doc/*"),
    *("./usr/lib/python3*", "./usr/share/icons/Adwaita/*", "./usr/share/snmp/*"),
)
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a prefix has to hold: packages, with all they depend on, of the first suite that has
    them."""

    name: str
    packages: tuple[str, ...]
    suites: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Prefix:
    """A finished prefix: `root` holds the tree, versions are those of the packages asked for."""

    root: Path
    suite: str
    versions: dict[str, str]
    packages: int
    fresh: bool = False


def existing(folder: Path, wanted: Wanted) -> Prefix | None:
    """The prefix in `folder` if it is whole, made for this very place and for these packages."""
    try:
        told = json.loads((folder / "prefix.json").read_text())
    except (OSError, ValueError):
        return None
    root = folder / "root"
    fits = (
        isinstance(told, dict)
        and told.get("format") == FORMAT
        and told.get("root") == str(root)
        and told.get("suite") in wanted.suites
        and set(wanted.packages) <= set(told.get("versions", {}))
    )
    if not fits:
        return None
    return Prefix(
        root=root, suite=told["suite"], versions=told["versions"], packages=told["packages"]
    )


def ensure(
    folder: Path,
    wanted: Wanted,
    environment: Mapping[str, str],
    *,
    say: Say,
    finish: Callable[[Path, Path], None] = lambda fresh, final: None,
) -> Prefix:
    """The prefix `folder`, made first if need be: whole or not at all.

    `finish(fresh root, final root)` is called on the unpacked tree before it gets its name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_name(f".{folder.name}.lock")):
        found = existing(folder, wanted)
        if found is not None:
            return found
        for left in folder.parent.glob(f"{folder.name}.new*"):
            shutil.rmtree(left)
        fresh = folder.with_name(f"{folder.name}.new")
        made = _fetch(fresh, wanted, environment, say)
        finish(fresh / "root", folder / "root")
        shutil.rmtree(fresh / "apt")
        made = replace(made, root=folder / "root")
        told = {"format": FORMAT, **asdict(made), "root": str(made.root)}
        (fresh / "prefix.json").write_text(json.dumps(told, indent=1) + "\n")
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
        return made


def _fetch(fresh: Path, wanted: Wanted, environment: Mapping[str, str], say: Say) -> Prefix:
    for tool in ("apt-get", "dpkg-deb", "tar"):
        if shutil.which(tool) is None:
            raise DebianError(
                f"{tool} is missing: this needs Debian (or a relative of it); docker/ has images"
            )
    problems: list[str] = []
    for suite in wanted.suites:
        for source in archives(environment):
            shutil.rmtree(fresh, ignore_errors=True)
            apt = _Apt(fresh / "apt", replace(source, suite=suite), environment)
            try:
                apt.update(say)
                debs = apt.download(wanted.packages)
            except DebianError as problem:
                problems.append(f"{suite} of {source.uri}: {problem}")
                continue
            _unpack(debs, fresh / "root")
            return Prefix(
                root=fresh / "root",
                suite=suite,
                versions={deb.name.split("_")[0]: _version(deb) for deb in debs},
                packages=len(debs),
                fresh=True,
            )
    shutil.rmtree(fresh, ignore_errors=True)
    raise DebianError(f"cannot fetch {' and '.join(wanted.packages)}:\n  " + "\n  ".join(problems))


class _Apt:
    """apt with everything of its own in `home`, looking at one archive."""

    def __init__(self, home: Path, source: Source, environment: Mapping[str, str]) -> None:
        self._home = home
        self._refuse_expired = environment.get("DEBIAN_REFUSE_EXPIRED", "") not in {"", "0"}
        for folder in ("lists/partial", "archives/partial", "etc"):
            (home / folder).mkdir(parents=True)
        (home / "status").touch()
        line = f"deb [signed-by={self._keyring(source)}] {source.uri} {source.suite} main\n"
        (home / "etc/sources.list").write_text(line)
        architecture = subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
        ).stdout.strip()
        (home / "apt.conf").write_text(
            "\n".join(
                [
                    *transport_options(),
                    f'Dir::Etc "{home}/etc";',
                    f'Dir::Etc::sourcelist "{home}/etc/sources.list";',
                    'Dir::Etc::sourceparts "/dev/null"; Dir::Etc::parts "/dev/null";',
                    'Dir::Etc::preferencesparts "/dev/null";',
                    'Dir::Etc::netrc "/etc/apt/auth.conf";',
                    'Dir::Etc::netrcparts "/etc/apt/auth.conf.d";',
                    f'Dir::State "{home}"; Dir::State::lists "{home}/lists";',
                    f'Dir::State::status "{home}/status";',
                    f'Dir::Cache "{home}"; Dir::Cache::archives "{home}/archives";',
                    f'Dir::Log "{home}";',
                    f'APT::Architecture "{architecture}"; APT::Architectures "{architecture}";',
                    'APT::Install-Recommends "false"; APT::Sandbox::User "";',
                    'APT::Update::Error-Mode "any";',
                    'Acquire::Languages "none"; Acquire::Retries "2"; Acquire::http::Timeout "30";',
                    "",
                ]
            )
        )

    def _keyring(self, source: Source) -> str:
        value = source.signed_by
        if value.startswith("-----BEGIN"):
            key = self._home / "etc/archive.asc"
            key.write_text(value + "\n")
            return str(key)
        paths = [word for word in value.split() if word.startswith("/")]
        return ",".join(paths) or str(ARCHIVE_KEYRING)

    def update(self, say: Say) -> None:
        """Fetch the archive's index: strictly at first."""
        try:
            self._get("update")
        except DebianError as problem:
            expired = "is expired" in str(problem) or "not valid anymore" in str(problem)
            if not expired:
                raise
            if self._refuse_expired:
                raise DebianError(f"{problem} (DEBIAN_REFUSE_EXPIRED is set)") from problem
            say(
                "the mirror's index is signed but past its Valid-Until date: used all the same"
                " (DEBIAN_REFUSE_EXPIRED=1 forbids it)"
            )
            self._get("update", "-o", "Acquire::Check-Valid-Until=false")

    def download(self, packages: Sequence[str]) -> list[Path]:
        """The packages and all they depend on, as files."""
        self._get("install", "--yes", "--download-only", *packages)
        return sorted((self._home / "archives").glob("*.deb"))

    def _get(self, *arguments: str) -> None:
        done = subprocess.run(
            ["apt-get", "-qq", *arguments],
            env={**os.environ, "APT_CONFIG": str(self._home / "apt.conf"), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            errors = [x for x in done.stderr.splitlines() if x.startswith("E:")]
            raise DebianError("; ".join(errors or done.stderr.splitlines()[-3:] or ["apt failed"]))


def _unpack(debs: Sequence[Path], root: Path) -> None:
    """Unpack on all cores, into a merged /usr made beforehand (so that order does not matter)."""
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    stop = threading.Event()

    def unpack(deb: Path) -> None:
        if stop.is_set():
            return
        try:
            _unpack_one(deb, root)
        except BaseException:
            stop.set()
            raise
        deb.unlink()

    # The largest first, so that no core is left with a large one at the end.
    by_size = sorted(debs, key=lambda deb: deb.stat().st_size, reverse=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(unpack, by_size))


def _unpack_one(deb: Path, root: Path) -> None:
    excludes = [f"--exclude={pattern}" for pattern in _UNNEEDED]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as source:
        done = subprocess.run(
            [
                *("tar", "--extract", "--directory", root, "--no-same-owner"),
                *("--no-same-permissions", "--keep-directory-symlink", "--warning=no-timestamp"),
                *(*excludes, "--file=-"),
            ],
            stdin=source.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0 or source.returncode != 0:
        raise DebianError(f"cannot unpack {deb.name}: {done.stderr.strip()}")


def _version(deb: Path) -> str:
    return deb.name.split("_")[1].replace("%3a", ":")


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Two checkouts may share a folder of prefixes: the second waits for the first."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
