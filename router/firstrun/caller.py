"""One real SIP call with audio, placed by SIPp as the demo operator would."""

import re
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from router.firstrun import audio, process
from router.firstrun.state import Ports

HOST = "127.0.0.2"
_SCENARIO = Path(__file__).with_name("caller.xml")
_SET_UP_SECONDS = 40
_PORT_SECONDS = 15


class CallFailed(Exception):
    """The call did not go through; the message says what the other side answered."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The demo operator's side: SIPp in `folder` (its audio, its logs)."""

    sipp: Path
    folder: Path
    ports: Ports

    def call(self, number: str, caller: str, *, talk_seconds: float) -> str:
        """Call `number` (E.164) from `caller`, talk, hang up; the call's SIP Call-ID.

        Raises CallFailed if it was not answered and ended in order.
        """
        self._wait_for_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        audio.write_melody(self.folder / "caller.alaw", audio.CALLER_NOTES)
        # SIPp looks for the audio beside the scenario.
        shutil.copyfile(_SCENARIO, self.folder / "caller.xml")
        errors = self.folder / "caller-errors.log"
        errors.unlink(missing_ok=True)
        call_id = f"demo-{secrets.token_hex(8)}"
        child = process.start(
            [
                *(self.sipp, f"127.0.0.1:{self.ports.sip}", "-sf", "caller.xml", "-s", number),
                *("-key", "caller", caller, "-cid_str", call_id, "-m", "1"),
                *("-d", str(int(talk_seconds * 1000)), "-i", HOST, "-p", str(self.ports.caller)),
                *("-mi", HOST, "-min_rtp_port", str(self.ports.rtp), "-nostdin"),
                *("-timeout", f"{talk_seconds + _SET_UP_SECONDS:.0f}s", "-timeout_error"),
                *("-trace_err", "-error_file", errors),
            ],
            log=self.folder / "caller.log",
            cwd=self.folder,
        )
        try:
            status = child.wait(talk_seconds + _SET_UP_SECONDS + 10)
        except subprocess.TimeoutExpired:
            raise CallFailed(f"SIPp does not end; its log: {self.folder / 'caller.log'}") from None
        finally:
            process.stop(child, within=2)
        if status != 0:
            raise CallFailed(_why(errors, self.folder / "caller.log"))
        return call_id

    def _wait_for_port(self) -> None:
        """The demo operator has one address; another call from it may be under way."""
        deadline = time.monotonic() + _PORT_SECONDS
        while True:
            with socket.socket(type=socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind((HOST, self.ports.caller))
                except OSError as error:
                    problem = error
                else:
                    return
            if time.monotonic() > deadline:
                raise CallFailed(
                    f"udp {HOST}:{self.ports.caller} cannot be used ({problem.strerror}):"
                    " is another call being made?"
                )
            time.sleep(0.1)


def _why(errors: Path, log: Path) -> str:
    text = errors.read_text(errors="replace") if errors.exists() else ""
    answered = re.search(r"SIP/2\.0 (\d{3}) ([^\r\n]*)", text)
    if answered:
        return f"the call was answered with {answered[1]} {answered[2]}"
    last = process.tail(errors, 3) or process.tail(log, 3)
    return f"SIPp gave up: {last} (log: {log})"
