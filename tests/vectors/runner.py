"""`make vectors`: every file of test vectors through the functions that serve visitors.

    python -m tests.vectors.runner [folder]

Each *.json of a known form is run, without a folder the copies beside this file. A difference is told with
its file, case and field, and the end is 1; so is a file that cannot be read or whose form nobody knows.
What of a file belongs to rules that are not built yet is named and left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from tests.vectors import attribution, later, sizing, traces
from tests.vectors.kinds import Difference, Kind, LeftOut, Passed

COPIES = Path(__file__).parent
KINDS: Sequence[Kind] = (traces, attribution, sizing, *later.KINDS)


def main(arguments: Sequence[str], out: TextIO = sys.stdout) -> int:
    """Run the folder's files. 0: all as expected; 1: a difference, or nothing that could be run."""
    folder = Path(arguments[0]) if arguments and arguments[0] else COPIES
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except OSError as error:
        print(f"{folder}: cannot be read: {error.strerror}", file=out)
        return 1
    if not files:
        print(f"{folder}: there is no *.json", file=out)
        return 1
    right = [run_file(path, out) for path in files]
    print(f"{sum(right)} of {len(right)} files without a difference", file=out)
    return 0 if all(right) else 1


def run_file(path: Path, out: TextIO) -> bool:
    """True if nothing differs."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        print(f"{path.name}: cannot be read: {error}", file=out)
        return False
    kind = _kind_of(data)
    if kind is None:
        known = ", ".join(one.name for one in KINDS)
        print(f"{path.name}: its form is none of {known}", file=out)
        return False
    passed = different = 0
    try:
        for outcome in kind.run(data):
            match outcome:
                case Passed():
                    passed += 1
                case LeftOut(what=what, cases=cases):
                    print(f"{path.name}: left out, not built yet: {what} ({cases} cases)", file=out)
                case Difference():
                    different += 1
                    print(f"{path.name}: {_in_words(outcome)}", file=out)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        print(f"{path.name}: malformed as {kind.name}: {error!r}", file=out)
        return False
    print(f"{path.name}: {passed} cases as expected, {different} differences", file=out)
    return different == 0


def _kind_of(data: Any) -> Kind | None:
    if not isinstance(data, dict):
        return None
    return next((kind for kind in KINDS if kind.is_it(data)), None)


def _in_words(found: Difference) -> str:
    return f"{found.case}: {found.field}: expected {found.expected!r}, got {found.got!r}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
