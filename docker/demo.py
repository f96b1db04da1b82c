"""The demonstration's container: the demo company in the database, its web page, its telephone.

Started by compose.yaml's profile `demo`. It prints one line for each call that rings.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from router.firstrun import demo
from router.firstrun.company_line import CompanyLine, Ring
from router.firstrun.demo_site_server import DEFAULT_NUMBER, DemoSite


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def rang(ring: Ring) -> None:
    shown = ", ".join(f"{name} {value}" for name, value in ring.tags.items())
    say(f"the company's telephone rings: {ring.name or 'no name'} <{masked(ring.caller)}> {shown}")


def masked(caller: str) -> str:
    """Logs of containers are kept and shipped: no whole telephone numbers in them."""
    return f"{caller[:-4]}…" if len(caller) > 4 else "…"


def main(environment: Mapping[str, str]) -> None:
    site_url = environment["SITE_URL"]
    now = datetime.now(UTC)  # noqa: TID251  (a program of its own: this is its edge)
    database_url = environment["CALL_ROUTER_DATABASE_URL"]
    for done in asyncio.run(demo.prepare(database_url, site_url, now)):
        say(done)
    line = CompanyLine(environment["COMPANY_HOST"], int(environment["COMPANY_PORT"]), rang)
    site = DemoSite(
        int(environment["SITE_PORT"]),
        demo.SITE_KEY,
        environment["API_URL"],
        DEFAULT_NUMBER,
        host="0.0.0.0",
    )
    # Blocked before any thread is started: the signal then waits for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    line.start()
    with site:
        say(f"the demo page: {site_url}{demo.LANDING}")
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    line.stop()


if __name__ == "__main__":
    main(os.environ)  # noqa: TID251  (a program of its own: this is its edge)
