"""`python -m router.firstrun run|call|live`: what `make` calls once everything is in place."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from router.domain.errors import CallRouterError
from router.firstrun import state
from router.firstrun.asterisk_config import AsteriskError
from router.firstrun.call import CallRefused, NotRunning, call, live
from router.firstrun.main_job import JobFailed
from router.firstrun.postgres import PostgresError
from router.firstrun.process import ProcessError
from router.firstrun.router_process import RouterError
from router.firstrun.run import AlreadyRuns, run
from router.firstrun.supervise import PartFailed
from router.firstrun.users import UserError

CHECKOUT = Path(__file__).resolve().parents[2]
_EXPECTED = (
    *(AlreadyRuns, AsteriskError, CallRefused, CallRouterError, JobFailed, NotRunning),
    *(PartFailed, PostgresError, ProcessError, RouterError, state.StateError, UserError, OSError),
)


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Do what the one argument says; 1 with the reason in words where it cannot be done."""
    command = arguments[0] if len(arguments) == 1 else ""
    try:
        match command:
            case "run":
                ports = state.read_port(environment)
                return run(CHECKOUT, ports, once=environment.get("ONCE", "") not in {"", "0"})
            case "call":
                return call(CHECKOUT, environment)
            case "live":
                return live(CHECKOUT)
            case _:
                print("router.firstrun: run, call or live, one of them", file=sys.stderr)
                return 2
    except _EXPECTED as problem:
        print(f"\ncall-router: {problem}", file=sys.stderr)
        if not isinstance(problem, AlreadyRuns | CallRefused | NotRunning | state.StateError):
            print("`make doctor` says what is missing and how to mend it", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
