"""The unprivileged system user that servers run under when the first run is started by root."""

import os
import pwd
import subprocess
from pathlib import Path

SERVICE_USER = "call-router"
SERVICE_HOME = Path("/var/lib/call-router")


class UserError(Exception):
    """The service user cannot be made, removed or used."""


def service_user() -> str | None:
    """Name of the user that servers run under: None for an ordinary user, who runs them himself.

    As root the system user is made if it is missing.
    """
    if os.geteuid() != 0:
        return None
    if not user_exists(SERVICE_USER):
        _run(
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            str(SERVICE_HOME),
            "--shell",
            "/usr/sbin/nologin",
            SERVICE_USER,
        )
    return SERVICE_USER


def remove_service_user() -> None:
    """Remove the system user; does nothing where it does not exist."""
    if user_exists(SERVICE_USER):
        _run("userdel", SERVICE_USER)


def user_exists(name: str) -> bool:
    """Whether the machine knows a user of that name."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def give(path: Path, user: str | None) -> None:
    """Make `user` the owner of `path` and everything in it; nothing to do for None."""
    if user is None:
        return
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _run(*command: str) -> None:
    sbin = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(command, env=sbin, capture_output=True, text=True, check=False)
    # Two first runs started together may both want the user: the second finds it made.
    if done.returncode != 0 and not (command[0] == "useradd" and user_exists(SERVICE_USER)):
        raise UserError(f"{command[0]} failed: {done.stderr.strip()}")
