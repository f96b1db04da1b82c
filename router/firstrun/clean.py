"""`make clean`: removes everything the other targets made, and nothing else."""

import os
import shutil
import sys
from pathlib import Path

from router.firstrun import state, users

CHECKOUT = Path(__file__).resolve().parents[2]
_CACHES = (
    *(".venv", ".run", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
    ".import_linter_cache",
)


def main() -> int:
    """Remove; 1 where something is in the way."""
    try:
        return _clean(CHECKOUT)
    except PermissionError as problem:
        print(f"make clean: {problem}", file=sys.stderr)
        return 1


def _clean(checkout: Path) -> int:
    folder = state.state_folder(checkout)
    if folder.exists():
        pid = state.holder(folder / "run.lock")
        if pid is not None:
            print(f"make clean: this instance runs (pid {pid}): stop it first, with Ctrl-C there")
            return 1
    other = checkout / ".run/state"
    if os.geteuid() != 0 and other.exists():
        print(
            f"make clean: root also ran this checkout, its state is in {other.read_text().strip()};"
            " run `make clean` as root first"
        )
        return 1
    for path in [folder, *(checkout / name for name in _CACHES)]:
        if path.exists():
            shutil.rmtree(path)
            print(f"removed {path}")
    for cache in checkout.rglob("__pycache__"):
        shutil.rmtree(cache)
    if os.geteuid() == 0:
        _leave_machine()
    if os.environ.get("CALL_ROUTER_CACHE"):
        print(f"kept {os.environ['CALL_ROUTER_CACHE']}: other checkouts may use it")
    return 0


def _leave_machine() -> None:
    """Remove the system user and its home if no other instance is left."""
    others = sorted(users.SERVICE_HOME.iterdir()) if users.SERVICE_HOME.exists() else []
    if others:
        print(f"kept the user {users.SERVICE_USER}: other instances are left")
        for other in others:
            owner = other / "checkout"
            print(f"  {other} of {owner.read_text().strip() if owner.exists() else 'unknown'}")
        return
    if users.SERVICE_HOME.exists():
        users.SERVICE_HOME.rmdir()
    if users.user_exists(users.SERVICE_USER):
        try:
            users.remove_service_user()
        except users.UserError as problem:
            print(f"kept the user {users.SERVICE_USER}: {problem}")
        else:
            print(f"removed the user {users.SERVICE_USER}")


if __name__ == "__main__":
    sys.exit(main())
