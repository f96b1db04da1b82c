"""The whole first run, for real: everything comes up, one call proves it, and all of it goes down."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.firstrun import prefixes, process, state
from tests.firstrun.ports import free_base

CHECKOUT = Path(__file__).resolve().parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "tests")
ENVIRONMENT = dict(os.environ)


def prefix_folder() -> str:
    """The folder of prefixes this run's Asterisk lies in."""
    named = ENVIRONMENT.get("CALL_ROUTER_TEST_ASTERISK", "")
    given = Path(named).parent.parent if named not in {"", "/"} else None
    found = given or prefixes.folder(state.state_folder(CHECKOUT), ENVIRONMENT)
    if prefixes.find_telephony(Path(), {"CALL_ROUTER_CACHE": str(found)}) is None:
        raise AssertionError(f"{found} holds no Asterisk unpacked by `make test`")
    return str(found)


class Checkout:
    """A checkout of its own, with the environment and Asterisk of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = free_base()
        self.output = folder.parent / "output"
        shutil.copytree(CHECKOUT, folder, ignore=NOT_COPIED)
        (folder / ".venv").symlink_to(sys.prefix)
        self._environment = {
            **ENVIRONMENT,
            "CALL_ROUTER_CACHE": prefix_folder(),
            "PORT": str(self.base),
        }
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> Path:
        return state.state_folder(self.folder)

    def command(self, name: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """`make NAME`, past the bootstrap; its output and status."""
        module = ["router.firstrun", name]
        if name == "doctor":
            module = ["router.firstrun.doctor"]
        return subprocess.run(
            [sys.executable, "-m", *module],
            cwd=self.folder,
            env={**self._environment, **settings},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self) -> None:
        """`make run`, until it invites."""
        with self.output.open("wb") as output:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "router.firstrun", "run"],
                cwd=self.folder,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for("Ctrl-C stops everything")

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self._running is not None
        return self._running

    def wait_for(self, text: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output.read_text():
            assert self.running.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, f"{text!r} is not in {self.output.read_text()}"
            time.sleep(0.05)

    def child(self, words: str) -> int:
        """The pid of the child whose command line holds `words`."""
        for pid in process.descendants(self.running.pid):
            if words in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                return pid
        raise AssertionError(f"no child runs {words!r}")

    def end(self, what: signal.Signals) -> int:
        """Signal `make run`; its status, once it and all its children are gone."""
        family = process.descendants(self.running.pid)
        self.running.send_signal(what)
        status = self.running.wait(30)
        process.wait_gone(family, within=10)
        return status


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path / "checkout")
    yield made
    if made._running is not None and made._running.poll() is None:
        made.end(signal.SIGTERM)
    if made.state.parent != made.folder:
        shutil.rmtree(made.state)


def test_first_run_from_nothing_to_ctrl_c(checkout: Checkout) -> None:
    checkout.start()
    told = checkout.output.read_text()
    for line in (
        "Clearpane: one site, two pools, 12 numbers",
        "came from   google / cpc / spring",
        "method      reservation",
        "target      front desk, chosen by router",
        "hung up by the caller",
        "API token   ct_live_",
        f"http://127.0.0.1:{checkout.base + 8}/?utm_source=google",
        f"http://127.0.0.1:{checkout.base + 1}/sign-in?code=",
    ):
        assert line in told
    assert re.search(r"recording +1\.\d s in stereo, \d+ bytes, whole", told)
    assert "failed" not in told

    second = checkout.command("run")
    assert second.returncode == 1
    assert f"runs already (pid {checkout.running.pid})" in second.stderr

    called = checkout.command("call", CALLER="8 (903) 111-22-33")
    assert called.returncode == 0, called.stderr
    assert "caller      +7 903 111-22-33 dialled" in called.stdout
    assert "that it is this session" in called.stdout
    checkout.wait_for("its display says “google / cpc / spring")

    unknown = checkout.command("call", NUMBER="+74951350999")
    assert unknown.returncode == 1
    assert "answered with 404" in unknown.stderr

    doctor = checkout.command("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "none overlaps another" in doctor.stdout

    assert checkout.end(signal.SIGINT) == 0
    assert "stopped; nothing is lost" in checkout.output.read_text()
    assert state.taken_ports(state.Ports(base=checkout.base)) == []


def test_second_start_goes_on_after_kills(checkout: Checkout) -> None:
    checkout.start()
    os.kill(checkout.child("router serve"), signal.SIGKILL)
    checkout.wait_for("the router runs again")
    assert checkout.command("call").returncode == 0
    assert checkout.end(signal.SIGKILL) == -signal.SIGKILL, "and no child outlives it"

    once = checkout.command("run", ONCE="1")
    assert once.returncode == 0, once.stdout + once.stderr
    assert "as before" in once.stdout
    assert "came from   google / cpc / spring" in once.stdout
    assert "ct_live_" not in once.stdout


def test_failed_main_job_names_its_part(checkout: Checkout) -> None:
    """The company's line refuses every call: the call fails, and the status says so."""
    dialplan = checkout.folder / "asterisk-conf/pjsip.d/trunk1.conf"
    dialplan.write_text(dialplan.read_text().replace("match = ", "match = 127.0.0.99 ;"))
    once = checkout.command("run", ONCE="1")
    assert once.returncode == 1
    assert "The main job failed at the call: the call was answered with 401" in once.stdout
    assert "messages.log" in once.stdout


def test_taken_port_is_told_before_anything_starts(checkout: Checkout) -> None:
    with socket.socket() as taken:
        # an earlier test may have used the port a moment ago
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", checkout.base + 3))
        taken.listen()
        refused = checkout.command("run")
    assert refused.returncode == 1
    assert f"tcp 127.0.0.1:{checkout.base + 3} for Asterisk's manager" in refused.stderr
    assert f"make run PORT={checkout.base + 1000}" in refused.stderr
    assert not (checkout.state / "postgres").exists()
