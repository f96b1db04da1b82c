"""Where this machine gets its Debian packages from: its own apt configuration, read, not changed."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ARCHIVE_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SCHEMES = ("http:", "https:", "file:", "copy:", "mirror:", "mirror+")


class DebianError(Exception):
    """Debian packages cannot be fetched here; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One archive of the machine's apt configuration.

    `signed_by` is the value of its Signed-By: paths, or a whole key in ASCII armour, or empty.
    """

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def read_one_line(text: str) -> Iterator[Source]:
    """Sources of a `sources.list`: `deb [signed-by=…] URI suite component…` a line."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match is None:
            continue
        options, uri, suite, components = match.groups()
        pairs = (pair.partition("=") for pair in (options or "").split())
        signed_by = {key.lower(): value for key, _, value in pairs}.get("signed-by", "")
        yield Source(
            uri=uri,
            suite=suite,
            components=tuple(components.split()),
            signed_by=signed_by.replace(",", " "),
        )


def read_deb822(text: str) -> Iterator[Source]:
    """Sources of a `.sources` file: paragraphs of `Field: value` with continued lines."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields = _fields(paragraph)
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(
                    uri=uri,
                    suite=suite,
                    components=tuple(fields.get("components", "").split()),
                    signed_by=fields.get("signed-by", ""),
                )


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in {" ", "\t"} and name:
            # In deb822 a lone dot stands for an empty line (armoured keys have one).
            fields[name] += "\n" + ("" if line.strip() == "." else line.strip())
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return {key: value.strip() for key, value in fields.items()}


def machine_sources(folder: Path = Path("/etc/apt")) -> list[Source]:
    """All sources of the machine, in apt's order."""
    found: list[Source] = []
    parts = folder / "sources.list.d"
    lists = [folder / "sources.list", *sorted(parts.glob("*.list"))]
    for path, read in [
        *((path, read_one_line) for path in lists),
        *((path, read_deb822) for path in sorted(parts.glob("*.sources"))),
    ]:
        if path.is_file():
            found += read(path.read_text(errors="replace"))
    return found


def debian_archives(sources: Iterable[Source], codename: str) -> list[Source]:
    """The sources that are Debian's own archive, the likeliest first.

    Others may use Debian's suite names as well, so an archive that also has the suite's
    `-updates`, and one signed by Debian's keyring, come first.
    """
    known = [s for s in sources if s.uri.startswith(_SCHEMES) and "main" in s.components]
    updates = {s.uri for s in known if s.suite.endswith("-updates")}
    names = {codename, "stable", "oldstable", "testing", "unstable", "sid"} - {""}
    candidates = [s for s in known if s.suite in names]

    def unlikely(source: Source) -> tuple[bool, bool]:
        own_key = source.signed_by != "" and "debian-archive" not in source.signed_by
        return (own_key, source.uri not in updates)

    unique = {s.uri: s for s in sorted(candidates, key=unlikely, reverse=True)}
    return sorted(unique.values(), key=unlikely)


def archives(
    environment: Mapping[str, str], *, apt: Path = Path("/etc/apt"), codename: str | None = None
) -> list[Source]:
    """Debian archives to try, in order: DEBIAN_MIRROR alone if it is set, else the machine's."""
    own = debian_archives(machine_sources(apt), host_codename() if codename is None else codename)
    override = environment.get("DEBIAN_MIRROR", "").strip()
    if override:
        if not override.startswith(_SCHEMES):
            raise DebianError(
                f"DEBIAN_MIRROR={override!r} is not the address of a mirror;"
                " an example: DEBIAN_MIRROR=http://mirror.example/debian"
            )
        signed_by = own[0].signed_by if own else ""
        return [Source(uri=override, suite="", components=("main",), signed_by=signed_by)]
    if not own:
        raise DebianError(
            f"no Debian archive in {apt}/sources.list or {apt}/sources.list.d;"
            " name one: DEBIAN_MIRROR=http://mirror.example/debian make run"
        )
    return own


def host_codename(path: Path = Path("/etc/os-release")) -> str:
    """The code name of the machine's Debian release (`bookworm`), empty if it names none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    words = shlex.split(pairs.get("VERSION_CODENAME", ""))
    return words[0] if words else ""


def transport_options() -> list[str]:
    """The machine's own apt settings about reaching mirrors (proxies, certificates), as lines."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::ftp", "Acquire::ForceIPv")
    dump = subprocess.run(
        ["apt-config", "dump", "--no-empty", "--format", '%F "%v";%n'],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in dump.stdout.splitlines() if line.startswith(wanted)]
