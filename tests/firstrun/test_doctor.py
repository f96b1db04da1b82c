"""The doctor names what is missing and how to mend it, without changing anything."""

import shutil
import socket
from pathlib import Path

import pytest

from router.firstrun import debian_sources, doctor_machine, state
from router.firstrun.doctor_instance import instance_findings
from router.firstrun.findings import Finding
from tests.firstrun.ports import free_base

CHECKOUT = Path(__file__).resolve().parents[2]


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool, path=None: None)
    tools = _called("tools", list(doctor_machine.machine_findings(CHECKOUT, {})))
    assert tools.well is False
    assert "setpriv missing" in tools.detail or "setpriv," in tools.detail
    assert tools.mend.startswith("apt-get install apt dpkg tar util-linux make")


def test_machine_without_an_archive_is_told_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian_sources, "machine_sources", lambda _: [])
    archive = _called("Debian archive", list(doctor_machine.machine_findings(CHECKOUT, {})))
    assert archive.well is False
    assert "DEBIAN_MIRROR=" in archive.mend


def test_short_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(100 << 20))
    disk = doctor_machine._disk(CHECKOUT)
    assert disk.well is False
    assert "has 100 MB" in disk.detail


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_fresh_checkout_has_nothing_to_mend_and_stays_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "SERVICE_HOME", tmp_path / "var")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "requirements.lock").touch()
    findings = list(instance_findings(checkout, {"PORT": str(free_base())}))
    assert [f.what for f in findings if f.well is False] == []
    assert _called("running", findings).well is None
    assert list(checkout.iterdir()) == [checkout / "requirements.lock"]
    assert not (tmp_path / "var").exists()


def test_taken_port_is_named_with_another_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "SERVICE_HOME", tmp_path / "var")
    (tmp_path / "requirements.lock").touch()
    port = free_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        ports = _called("ports", list(instance_findings(tmp_path, {"PORT": str(port)})))
    assert ports.well is False
    assert f"tcp 127.0.0.1:{port} for the snippet's API" in ports.detail
    assert f"make run PORT={state.another_port(state.Ports(base=port))}" in ports.mend


def test_wrong_port_is_a_finding_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").touch()
    port = _called("PORT", list(instance_findings(tmp_path, {"PORT": "x"})))
    assert port.well is False


def _called(what: str, findings: list[Finding]) -> Finding:
    return next(finding for finding in findings if finding.what == what)
