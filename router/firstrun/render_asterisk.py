"""Writes the configuration for an Asterisk of your own.

    python -m router.firstrun.render_asterisk FOLDER name=value ...

FOLDER gets everything: conf, log, spool, db. Names are the fields of AsteriskConfig, and `run_as`
(as root: the user Asterisk runs as) and `prefix` (root of an unpacked Asterisk). Secrets are read
from CALL_ROUTER_AMI_EVENTS_SECRET and CALL_ROUTER_AMI_RECORDS_SECRET, as the router reads them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from router.firstrun.asterisk import AsteriskConfig, AsteriskError, AsteriskServer

_SECRETS = {
    "events_secret": "CALL_ROUTER_AMI_EVENTS_SECRET",
    "records_secret": "CALL_ROUTER_AMI_RECORDS_SECRET",
}
# what a machine of its own for Asterisk would use; company_port and trunk_port are SIP's own port
_USUAL: Mapping[str, str | int | float] = {
    "system_name": "pbx1",
    "sip_port": 5060,
    "company_port": 5060,
    "trunk_port": 5060,
    "agi_port": 8082,
    "ami_port": 8083,
    "rtp_first": 10000,
    "rtp_last": 20000,
}


def configuration(given: Mapping[str, str], environment: Mapping[str, str]) -> AsteriskConfig:
    """The values given as text, typed. Raises AsteriskError that names the value."""
    values: dict[str, str | int | float] = dict(_USUAL)
    for name, variable in _SECRETS.items():
        if name in given:
            raise AsteriskError(f"{name}: secrets do not belong on a command line; set {variable}")
        values[name] = environment.get(variable, "")
        if not values[name]:
            raise AsteriskError(f"{variable} is not set: the router and Asterisk share this secret")
    kinds = {field.name: field.type for field in fields(AsteriskConfig)}
    for name, text in given.items():
        if name not in kinds:
            raise AsteriskError(f"{name}: no such value; there are {', '.join(sorted(kinds))}")
        try:
            kind = {"int": int, "float": float}.get(str(kinds[name]), str)
            values[name] = kind(text)
        except ValueError:
            raise AsteriskError(f"{name}: {text!r} is not a number, for example 5060") from None
    return AsteriskConfig(**values)  # type: ignore[arg-type]


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Render; the text to show."""
    if not arguments or any("=" not in pair for pair in arguments[1:]):
        raise AsteriskError((__doc__ or "").strip())
    given = dict(pair.split("=", 1) for pair in arguments[1:])
    run_as, prefix = given.pop("run_as", None), given.pop("prefix", None)
    server = AsteriskServer(
        Path(prefix) if prefix else None,
        Path(arguments[0]),
        configuration(given, environment),
        run_as,
    )
    server.render()
    start = f"{server.installation.program} -f -C {server.conf / 'asterisk.conf'}"
    return (
        f"configuration written to {server.conf}\n"
        f"your trunks and lines go to {server.conf / 'pjsip.d'}, any name ending in .conf\n"
        f"start it{f' as {run_as}' if run_as else ''}:  {start}\n"
        f"the router reads  CALL_ROUTER_CEL_FILE={server.cel_file}\n"
        f"             and  CALL_ROUTER_RECORDINGS_DIR={server.recordings}"
    )


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:], os.environ))
    except AsteriskError as error:
        sys.exit(str(error))
