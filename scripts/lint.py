"""Every check that needs no running part; all are run, so that one look shows all there is."""

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
)


def main() -> int:
    """Run the checks; 1 if any of them found something."""
    failed = []
    for check in CHECKS:
        print(f"--- {' '.join(check)}", flush=True)
        if subprocess.run([BIN / check[0], *check[1:]], check=False).returncode != 0:
            failed.append(check[0])
    print(f"--- found something: {', '.join(failed)}" if failed else "--- all clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
