"""What docker/check.sh asks of the running containers: free ports, a visit, a call's record."""

# ruff: noqa: T201  (what it prints is its answer to a shell script)

import argparse
import re
import socket
import sys
import time
import urllib.request
from pathlib import Path

from router.firstrun import audio, calls_api, http_client

VOICE_PORTS = 100
LANDING = "utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=check"


def free_ports(arguments: argparse.Namespace) -> None:
    """Print the ports of compose.yaml, none of them in use, as lines of an environment file."""
    for base in range(28080, 48080, 200):
        voice = range(base + 20, base + 20 + VOICE_PORTS)
        http, staff, site, sip, caller = (base + offset for offset in range(5))
        caller_voice = range(base + 130, base + 134)
        if all(map(free, (http, staff, site))) and all(
            map(free_udp, (sip, caller, *voice, *caller_voice))
        ):
            break
    else:
        sys.exit("no free ports between 28080 and 48080")
    for name, value in {
        "HTTP_PORT": http,
        "STAFF_PORT": staff,
        "DEMO_PORT": site,
        "SIP_PORT": sip,
        "RTP_FIRST": voice[0],
        "RTP_LAST": voice[-1],
        "PUBLIC_URL": f"http://127.0.0.1:{http}",
        "STAFF_URL": f"http://127.0.0.1:{staff}",
        "CALLER_PORT": caller,
        "CALLER_VOICE_PORT": caller_voice[0],
    }.items():
        print(f"{name}={value}")


def free(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def free_udp(port: int) -> bool:
    return free(port, socket.SOCK_DGRAM)


def caller_files(arguments: argparse.Namespace) -> None:
    """Put the caller's scenario and sound into a folder, for SIPp in its container."""
    arguments.folder.mkdir(parents=True, exist_ok=True)
    scenario = Path("router/firstrun/caller.xml").read_text(encoding="utf-8")
    (arguments.folder / "caller.xml").write_text(scenario, encoding="utf-8")
    audio.write_melody(arguments.folder / "caller.alaw", audio.CALLER_NOTES)


def visit(arguments: argparse.Namespace) -> None:
    """Visit the demo page from an advertisement, as a browser and the snippet do; print the number."""
    environment = read(arguments.environment)
    site = f"http://127.0.0.1:{environment['DEMO_PORT']}"
    with urllib.request.urlopen(f"{site}/?{LANDING}", timeout=10) as answer:
        page = answer.read().decode()
    key = re.search(r'data-site="([^"]+)"', page)
    script = re.search(r'src="([^"]+)/ct\.js"', page)
    if key is None or script is None:
        sys.exit("the demo page does not load the snippet")
    answer = http_client.post(
        f"{script[1]}/v1/visits",
        {
            "site": key[1],
            "url": f"{site}/?{LANDING}",
            "referrer": "https://www.google.com/",
            "visitor": None,
            "session": None,
        },
        origin=site,
    )
    if answer["how"] not in {"free", "kept", "retaken"}:
        sys.exit(f"the visit got no number of its own: {answer}")
    print(answer["number"]["e164"])


def record(arguments: argparse.Namespace) -> None:
    """Print the finished record of a call once it is complete and credited to the visit's advertisement."""
    environment = read(arguments.environment)
    staff_url = f"http://127.0.0.1:{environment['STAFF_PORT']}"
    deadline = time.monotonic() + arguments.within
    while True:
        try:
            found = calls_api.wait_for_record(
                staff_url,
                arguments.token,
                number=arguments.number,
                caller=arguments.caller,
                since=arguments.since,
            )
            break
        except calls_api.NotFinished as problem:
            if time.monotonic() > deadline:
                sys.exit(str(problem))
    print("\n".join(f"         {line}" for line in calls_api.describe(found)))
    problems = wrong(found, arguments.route)
    if problems:
        sys.exit(f"the record is not what it should be: {'; '.join(problems)}")


def wrong(found: calls_api.Record, route: str) -> list[str]:
    """What in a call's record is not as the visit and the call were."""
    call = found["call"]
    credit = call["attribution"] or {}
    origin = tuple(credit.get(part) for part in ("source", "medium", "campaign"))
    recorded = [recording["duration_ms"] for recording in call["recordings"]]
    return [
        *([f"credited to {origin}"] if origin != ("google", "cpc", "spring") else []),
        *([f"credit of level {credit.get('level')}"] if credit.get("level") != "session" else []),
        *([f"routed by {call['route_source']}"] if call["route_source"] != route else []),
        *(
            [f"recorded {recorded} ms"]
            if not any(2500 < length < 4500 for length in recorded)
            else []
        ),
    ]


def read(path: Path) -> dict[str, str]:
    """The NAME=value lines of an environment file."""
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, separator, value in pairs if separator}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("free-ports").set_defaults(run=free_ports)
    files = commands.add_parser("caller-files")
    files.add_argument("folder", type=Path)
    files.set_defaults(run=caller_files)
    visits = commands.add_parser("visit")
    visits.set_defaults(run=visit)
    records = commands.add_parser("record")
    records.add_argument("--number", required=True, help="what was dialled, +…")
    records.add_argument("--caller", required=True, help="who called, +…")
    records.add_argument("--since", type=float, required=True, help="seconds since 1970")
    records.add_argument("--route", required=True, help="the route_source there should be")
    records.add_argument("--token", required=True)
    records.add_argument("--within", type=float, default=15, help="seconds")
    records.set_defaults(run=record)
    for command in (visits, records):
        command.add_argument("--environment", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except http_client.RequestFailed as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
