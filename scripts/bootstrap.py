"""What every `make` target starts with, on a bare Debian: python3 alone, nothing installed yet.

Makes `.venv` from the lock file and fetches Asterisk and SIPp, both at once, then hands over to
the program itself. What is there already is used as it is.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said in words before anything newer is imported
    sys.exit(
        f"call-router needs Python 3.11 or newer; {sys.executable} is"
        f" {sys.version_info[0]}.{sys.version_info[1]} (another one: make run PYTHON=python3.12)"
    )

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NoReturn

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from router.firstrun import environment, prefixes, state  # noqa: E402
from router.firstrun.debian_sources import DebianError  # noqa: E402
from router.firstrun.environment import DEVELOPMENT, RUNTIME  # noqa: E402
from router.firstrun.steps import Steps  # noqa: E402

# what each command needs besides the environment
NEEDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "run": (RUNTIME, ("telephony",)),
    "call": (RUNTIME, ("telephony",)),
    "live": (RUNTIME, ()),
    "test": (DEVELOPMENT, ("telephony", "chromium")),
    "vectors": (RUNTIME, ()),
    "bench": (DEVELOPMENT, ("telephony", "chromium")),
    "lint": (DEVELOPMENT, ()),
    "prepare": (DEVELOPMENT, ("telephony", "chromium")),
}


def main(arguments: list[str]) -> int:
    """Prepare what the command needs, then become the command."""
    command = arguments[0] if arguments else ""
    if command not in NEEDS:
        print(f"bootstrap: {command!r} is none of {', '.join(NEEDS)}", file=sys.stderr)
        return 2
    steps = Steps()
    try:
        if command == "run":
            state.read_port(os.environ)
        folder = state.make_state_folder(CHECKOUT)
        found = prepare(command, folder, steps)
    except (DebianError, environment.EnvironmentProblem, state.StateError) as problem:
        print(f"\ncall-router: {problem}", file=sys.stderr)
        print("`make doctor` says what is missing and how to mend it", file=sys.stderr)
        return 1
    return become(command, arguments[1:], found)


def become(command: str, arguments: list[str], found: dict[str, str]) -> NoReturn:
    """Replace this process by the command, in the environment that is ready now."""
    python = str(CHECKOUT / ".venv/bin/python")
    program = {
        "test": ["-m", "pytest"],
        "vectors": ["-m", "tests.vectors.runner"],
        "bench": ["-m", "tests.bench"],
        "lint": ["scripts/lint.py"],
        "prepare": ["-c", ""],
    }.get(command, ["-m", "router.firstrun", command])
    os.chdir(CHECKOUT)
    os.execve(python, [python, *program, *arguments], {**os.environ, **found})


def prepare(command: str, folder: Path, steps: Steps) -> dict[str, str]:
    """Make what is missing, all at once; the variables that tell the command where it is."""
    lock, needs = NEEDS[command]
    jobs: dict[str, Callable[[], dict[str, str]]] = {}
    if not environment.is_ready(CHECKOUT, lock):
        jobs["Python environment"] = lambda: _environment(lock, folder, steps)
    if "telephony" in needs:
        jobs["Asterisk and SIPp"] = lambda: _telephony(folder, steps)
    if "chromium" in needs:
        jobs["Chromium for the tests"] = lambda: _chromium(folder, steps)
    found: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=len(jobs) or 1) as pool:
        waiting: list[Future[dict[str, str]]] = [pool.submit(job) for job in jobs.values()]
        for done in as_completed(waiting):
            found |= done.result()
    return found


def _environment(lock: str, folder: Path, steps: Steps) -> dict[str, str]:
    with steps.step("Python environment") as step:
        count = environment.install(CHECKOUT, lock, folder, os.environ, steps.say)
        step.note = f"{count} packages of {lock}, hashes checked"
    return {}


def _telephony(folder: Path, steps: Steps) -> dict[str, str]:
    found = prefixes.find_telephony(folder, os.environ)
    if found is None:
        with steps.step("Asterisk and SIPp") as step:
            found = prefixes.ensure_telephony(folder, os.environ, steps.say)
            step.note = f"Asterisk {found.version}, {found.origin}"
    return {"CALL_ROUTER_TEST_ASTERISK": str(found.sipp.parents[2])}


def _chromium(folder: Path, steps: Steps) -> dict[str, str]:
    root = prefixes.find_chromium(folder, os.environ)
    if root is None:
        with steps.step("Chromium for the tests") as step:
            root = prefixes.ensure_chromium(folder, os.environ, steps.say)
            step.note = "from this machine's own suite, unpacked aside"
    return {"CALL_ROUTER_TEST_CHROMIUM": str(root)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
