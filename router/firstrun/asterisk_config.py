"""Asterisk's configuration: what is open in the files of asterisk-conf/, and where things lie."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# in a checkout beside the package, in an installed package inside it
TEMPLATES = next(
    path
    for path in (_PACKAGE.parent / "asterisk-conf", _PACKAGE / "asterisk-conf")
    if path.is_dir()
)
_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")
# what would end a value, begin a comment or expand a variable in Asterisk's files
_UNSAFE = re.compile(r"[^\x21-\x7e]|[;\[\]\\\"'`$]")


class AsteriskError(Exception):
    """Asterisk cannot be configured, started or asked; the message says why and what to change."""


@dataclass(frozen=True, kw_only=True)
class AsteriskConfig:
    """Every value that the files of asterisk-conf/ leave open.

    Addresses are IPv4 literals, seconds may have a fraction; `default_line` is a target in the
    dialplan's notation, such as ``PJSIP/company^25``.
    """

    system_name: str
    sip_port: int
    company_port: int
    trunk_port: int
    agi_port: int
    ami_port: int
    rtp_first: int
    rtp_last: int
    events_secret: str
    records_secret: str
    sip_host: str = "127.0.0.1"
    agi_host: str = "127.0.0.1"
    ami_host: str = "127.0.0.1"
    ami_permit: str = "127.0.0.1/255.255.255.255"
    # The operator and the company of the demonstration are programs on this machine. Asterisk
    # knows both by their address, so each gets its own from the loopback network.
    trunk_host: str = "127.0.0.2"
    company_host: str = "127.0.0.3"
    default_line: str = "PJSIP/company^25"
    country_code: str = "7"
    national_length: str = "10"
    guard_seconds: float = 1
    breaker_seconds: int = 5

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if _UNSAFE.search(str(value)) or str(value) == "":
                raise AsteriskError(
                    f"{name}: {value!r} is empty or holds a character that means something else "
                    "in Asterisk's files; letters, digits and ._:/^&@+- are safe"
                )
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", self.system_name):
            raise AsteriskError(
                f"system_name: {self.system_name!r} becomes part of file names; use up to 40 "
                "letters, digits, _ and -, for example 'pbx1'"
            )

    def values(self) -> dict[str, str]:
        """The placeholders of the files and what to put in for each."""
        return {name.upper(): str(value) for name, value in asdict(self).items()}

    @classmethod
    def for_port(
        cls, port: int, *, system_name: str, events_secret: str, records_secret: str
    ) -> AsteriskConfig:
        """The demonstration's ports, all counted from the one setting PORT."""
        return cls(
            system_name=system_name,
            agi_port=port + 2,
            ami_port=port + 3,
            sip_port=port + 5,
            company_port=port + 6,
            trunk_port=port + 7,
            rtp_first=port + 10000,
            rtp_last=port + 10399,
            events_secret=events_secret,
            records_secret=records_secret,
        )


def render_templates(values: Mapping[str, str], target: Path, templates: Path = TEMPLATES) -> None:
    """Write every file of `templates` into `target` with @NAME@ replaced by values[NAME]."""
    for source in sorted(path for path in templates.rglob("*") if path.is_file()):

        def replace(match: re.Match[str], source: Path = source) -> str:
            try:
                return values[match[1]]
            except KeyError:
                raise AsteriskError(f"{source.name}: nothing to put in for {match[0]}") from None

        written = target / source.relative_to(templates)
        written.parent.mkdir(parents=True, exist_ok=True)
        # manager.conf holds secrets, and pjsip.d may: nobody else on the machine reads them
        with open(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(_PLACEHOLDER.sub(replace, source.read_text(encoding="utf-8")))


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Where the parts of one Asterisk lie."""

    program: Path
    modules: Path
    data: Path

    @classmethod
    def find(cls, prefix: Path | None) -> Installation:
        """Look below `prefix`, or at the host's own Asterisk if it is None."""
        root = prefix or Path("/")
        programs = [root / "usr/sbin/asterisk", root / "usr/local/sbin/asterisk"]
        if root == Path("/") and (found := shutil.which("asterisk")):
            programs.insert(0, Path(found))
        modules = [*sorted(root.glob("usr/lib*/*/asterisk/modules"))]
        modules += sorted(root.glob("usr/lib*/asterisk/modules"))
        data = [root / "usr/share/asterisk", root / "var/lib/asterisk"]
        try:
            return cls(
                program=next(path for path in programs if path.is_file()),
                modules=next(path for path in modules if (path / "chan_pjsip.so").is_file()),
                data=next(path for path in data if path.is_dir()),
            )
        except StopIteration:
            raise AsteriskError(
                f"no complete Asterisk below {root}: need usr/sbin/asterisk, its modules with "
                "chan_pjsip.so, and usr/share/asterisk"
            ) from None
