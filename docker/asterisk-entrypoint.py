"""Starts Asterisk in its container: renders the configuration from the environment, then becomes it.

The values are compose.yaml's; the files are asterisk-conf/'s, rendered as `make run` renders them.
Files in EXTRA (docker/pjsip.d on the host) join pjsip.d/, with the same placeholders.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from router.firstrun.asterisk import AsteriskServer
from router.firstrun.asterisk_config import AsteriskConfig, AsteriskError, render_templates

# What a start makes anew lies in memory, what has to outlive it in volumes.
BASE = Path("/srv/pbx/asterisk")
VOLUMES = Path("/srv/asterisk")
EXTRA = Path("/etc/call-router/pjsip.d")

# Callers reach this container through a published port: to them it has the host's address. The
# sections are asterisk-conf/pjsip.conf's and trunk1.conf's; (+) adds to them.
BEHIND_THE_HOST = """\
[udp](+)
external_signaling_address = {address}
external_signaling_port = {port}
external_media_address = {address}
local_net = {containers}

; Voice and requests go back to where they came from, which behind a published port may be another
; place than the one that the caller names.
[trunk1](+)
rtp_symmetric = yes
rewrite_contact = yes
"""


def configuration(environment: Mapping[str, str]) -> AsteriskConfig:
    """Raises KeyError for a variable that compose.yaml must give, AsteriskError for a bad value."""
    inside = environment["INSIDE_ADDRESS"]
    return AsteriskConfig(
        system_name=environment["SYSTEM_NAME"],
        sip_host=environment["SIP_HOST"],
        sip_port=5060,
        trunk_host=environment["TRUNK_HOST"],
        trunk_port=number(environment, "TRUNK_PORT"),
        company_host=environment["COMPANY_HOST"],
        company_port=number(environment, "COMPANY_PORT"),
        agi_host=environment["ROUTER_ADDRESS"],
        agi_port=number(environment, "AGI_PORT"),
        ami_host=inside,
        ami_port=number(environment, "AMI_PORT"),
        ami_permit=f"{environment['ROUTER_ADDRESS']}/255.255.255.255",
        rtp_first=number(environment, "RTP_FIRST"),
        rtp_last=number(environment, "RTP_LAST"),
        events_secret=environment["AMI_EVENTS_SECRET"],
        records_secret=environment["AMI_RECORDS_SECRET"],
        country_code=environment["COUNTRY_CODE"],
        national_length=environment["NATIONAL_LENGTH"],
    )


def number(environment: Mapping[str, str], name: str) -> int:
    """A port. Raises AsteriskError with the variable's name."""
    text = environment[name]
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise AsteriskError(f"{name}: {text!r} is not a port, for example 5060")
    return int(text)


def render(environment: Mapping[str, str]) -> AsteriskServer:
    """Write the configuration below BASE."""
    BASE.mkdir(mode=0o750, exist_ok=True)
    for volume in ("db", "log", "spool"):
        link = BASE / volume
        link.unlink(missing_ok=True)
        link.symlink_to(VOLUMES / volume)
    server = AsteriskServer(None, BASE, configuration(environment), run_as=None)
    server.render()
    if EXTRA.is_dir():
        render_templates(server.config.values(), server.conf / "pjsip.d", EXTRA)
    (server.conf / "pjsip.d" / "zz-behind-the-host.conf").write_text(
        BEHIND_THE_HOST.format(
            address=environment["EXTERNAL_ADDRESS"],
            port=number(environment, "EXTERNAL_PORT"),
            containers=environment["CONTAINER_ADDRESSES"],
        )
    )
    return server


def main() -> None:
    # Recordings and call records: for Asterisk and the router's group, for nobody else.
    os.umask(0o027)
    try:
        server = render(os.environ)  # noqa: TID251  (a program of its own: this is its edge)
    except KeyError as missing:
        sys.exit(f"asterisk: {missing} is not set: start this image through docker/compose.yaml")
    except AsteriskError as error:
        sys.exit(f"asterisk: {error}")
    program = server.installation.program
    os.execv(program, [str(program), "-f", "-n", "-C", str(server.conf / "asterisk.conf")])


if __name__ == "__main__":
    main()
