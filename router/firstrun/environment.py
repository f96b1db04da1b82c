"""The virtual environment in `.venv`, made from a lock file; standard library only."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path

from router.firstrun import prefixes

RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


class EnvironmentProblem(Exception):
    """The environment cannot be made; the message says why and what to do."""


def is_ready(checkout: Path, lock: str) -> bool:
    """Whether `.venv` was made here, whole, from the lock file as it is now."""
    return _read_stamp(checkout).get(lock) == _digest(checkout / lock)


def install(
    checkout: Path,
    lock: str,
    state: Path,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> int:
    """Make `.venv` or bring it up to date; the number of packages in the lock file.

    The stamp is written last, so an interrupted installation starts anew.
    """
    venv = checkout / ".venv"
    stamp = _read_stamp(checkout)
    if not stamp:
        shutil.rmtree(venv, ignore_errors=True)
        _run([sys.executable, "-m", "venv", "--without-pip", str(venv)], environ)
        site = next((venv / "lib").glob("python*/site-packages"))
        (site / "call-router.pth").write_text(f"{checkout}\n")
        _write_command(venv / "bin/call-router", venv / "bin/python")
    _stamp(checkout).unlink(missing_ok=True)
    pip, extra = _pip(state, environ, say)
    _run(
        [
            *(str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "--no-cache-dir", "--no-warn-script-location"),
            # The lock names every package, so nothing is left to be resolved.
            *("--no-deps", "--no-compile", "--require-hashes"),
            *("--requirement", str(checkout / lock)),
        ],
        {**environ, **extra, "PYTHONPATH": str(pip)},
    )
    stamp |= _here(checkout) | {lock: _digest(checkout / lock)}
    if lock == DEVELOPMENT:
        # It holds the runtime lock's packages too: nothing is left to do for `make run`.
        stamp[RUNTIME] = _digest(checkout / RUNTIME)
    _stamp(checkout).write_text(json.dumps(stamp, indent=1) + "\n")
    return len(re.findall(r"^[\w.-]+==", (checkout / lock).read_text(), re.MULTILINE))


def _write_command(path: Path, python: Path) -> None:
    path.write_text(f"#!{python}\nimport sys\nfrom router.__main__ import main\nsys.exit(main())\n")
    path.chmod(0o755)


def _pip(
    state: Path, environ: Mapping[str, str], say: Callable[[str], None]
) -> tuple[Path, dict[str, str]]:
    """Where Python finds a pip, and the variables that pip needs.

    Debian's python3 has none unless python3-pip or python3-venv is installed: then the wheel of
    its package python3-pip-whl is unpacked aside, which Python runs as it is.
    """
    certificates = {"PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"} & set(environ)
    bundled = Path(sysconfig.get_path("stdlib"), "ensurepip/_bundled")
    wheels = [
        *sorted(Path("/usr/share/python-wheels").glob("pip-*.whl")),
        *sorted(bundled.glob("pip-*.whl")),
    ]
    if wheels and (_BUNDLE.exists() or certificates):
        return wheels[-1], {}
    root = prefixes.ensure_pip(state, environ, say)
    wheel = next(root.glob("usr/share/python-wheels/pip-*.whl"))
    if _BUNDLE.exists() or certificates:
        return wheel, {}
    bundle = root / "certificates.pem"
    authorities = sorted(root.glob("usr/share/ca-certificates/mozilla/*.crt"))
    bundle.write_text("".join(path.read_text() for path in authorities))
    return wheel, {"PIP_CERT": str(bundle)}


def _run(command: list[str], environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, env=dict(environ), capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode != 0:
        last = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        what = "pip" if "pip" in command else "venv"
        raise EnvironmentProblem(f"the Python environment cannot be made; {what} says:\n  {last}")


def _stamp(checkout: Path) -> Path:
    return checkout / ".venv" / "installed.json"


def _read_stamp(checkout: Path) -> dict[str, str]:
    try:
        stamp = json.loads(_stamp(checkout).read_text())
    except (OSError, ValueError):
        return {}
    # A checkout that was moved, or another Python, needs a new environment.
    fits = isinstance(stamp, dict) and _here(checkout).items() <= stamp.items()
    return stamp if fits else {}


def _here(checkout: Path) -> dict[str, str]:
    python = checkout / ".venv/bin/python"
    return {"checkout": str(checkout), "python": str(python.resolve())}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
