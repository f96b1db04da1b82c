"""The two kinds of call of the test telephone: one it places and one it takes."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.e2e.message import Message, address, display_name, media_address, offer
from tests.e2e.rtp import RtpStream

if TYPE_CHECKING:
    from tests.e2e.sip import SipAgent


class Refused(Exception):
    """The call ended without an answer; `status` is what the other side said."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the call was refused: {status}")
        self.status = status


class Call:
    """What both kinds share: dialog, sound, and the end."""

    def __init__(self, agent: SipAgent, remote: tuple[str, int], frequency: int) -> None:
        self.agent = agent
        self.remote = remote
        self.frequency = frequency
        self.id = ""
        self.began = time.monotonic()
        self.media: RtpStream | None = None
        self.over = asyncio.Event()
        self.ended_by = ""  # "us", "them", "cancel" or "refused"
        self.final: Message | None = None  # the BYE, CANCEL or refusal that ended it
        self._tag = secrets.token_hex(4)
        self._cseq = 1
        self._talking = False
        self._target = ""
        self._ours = self._theirs = ""

    async def _open_media(self) -> RtpStream:
        if self.media is None:
            self.media = await RtpStream.open(self.agent.host)
        return self.media

    def _hear(self, body: str) -> None:
        remote = media_address(body)
        if remote and self.media is not None:
            self.media.start(remote, self.frequency)

    def _request(self, method: str, headers: Sequence[tuple[str, str]] = ()) -> Message:
        if method != "ACK":
            self._cseq += 1
        agent = self.agent
        branch = secrets.token_hex(8)
        return Message(
            f"{method} {self._target} SIP/2.0",
            [
                ("Via", f"SIP/2.0/UDP {agent.host}:{agent.port};branch=z9hG4bK{branch};rport"),
                ("Max-Forwards", "70"),
                ("From", self._ours),
                ("To", self._theirs),
                ("Call-ID", self.id),
                ("CSeq", f"{self._cseq} {method}"),
                ("Contact", agent.contact),
                *headers,
            ],
        )

    def hang_up(self) -> None:
        """End an answered call."""
        assert self._talking, "only an answered call can be hung up"
        assert not self.over.is_set(), f"the call has been ended by {self.ended_by} already"
        self.agent.send(self._request("BYE"), self.remote)
        self._finish("us")

    async def refer(self, target: str, timeout: float = 3) -> int:
        """Ask for a transfer to `target`; the status of the answer."""
        self._referred: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        headers = [("Refer-To", f"<{target}>"), ("Referred-By", self.agent.contact)]
        self.agent.send(self._request("REFER", headers), self.remote)
        return await asyncio.wait_for(self._referred, timeout)

    async def ended(self, timeout: float = 10) -> str:
        """Wait for the end; who ended it."""
        await asyncio.wait_for(self.over.wait(), timeout)
        return self.ended_by

    def samples(self) -> list[int]:
        assert self.media is not None, "this call never had sound"
        return self.media.samples()

    def _finish(self, by: str, final: Message | None = None) -> None:
        if not self.over.is_set():
            self.ended_by, self.final = by, final
            self.over.set()
        self.close()

    def close(self) -> None:
        if self.media is not None:
            self.media.close()

    def on_request(self, message: Message, addr: tuple[str, int]) -> None:
        if message.method == "BYE":
            self.agent.send(message.answer(200, self._tag), addr)
            self._finish("them", message)
        elif message.method == "INVITE" and self.media is not None and self._talking:
            body = offer(self.agent.host, self.media.port)
            reply = message.answer(200, self._tag, contact=self.agent.contact, body=body)
            self.agent.send(reply, addr)
        elif message.method != "ACK":
            self.agent.send(message.answer(200, self._tag, contact=self.agent.contact), addr)

    def on_response(self, message: Message) -> None:
        if message.method == "REFER" and message.status >= 200:
            self._referred.set_result(message.status)


class OutgoingCall(Call):
    """A call we place. `statuses` are all answers with the seconds they took."""

    def __init__(self, agent: SipAgent, remote: tuple[str, int], frequency: int) -> None:
        super().__init__(agent, remote, frequency)
        self.id = f"{secrets.token_hex(8)}@{agent.host}"
        self.statuses: list[tuple[int, float]] = []
        self._progress = asyncio.Event()
        self._invite = Message("")

    async def invite(
        self, uri: str, *, caller: str, name: str, to: str, headers: Sequence[tuple[str, str]]
    ) -> None:
        media = await self._open_media()
        self._target = uri
        shown = f'"{name}" ' if name else ""
        self._ours, self._theirs = f"{shown}<{caller}>;tag={self._tag}", f"<{to}>"
        self._cseq = 0
        message = self._request("INVITE", [*headers, ("Content-Type", "application/sdp")])
        message.body = offer(self.agent.host, media.port)
        self._invite = message
        self.began = time.monotonic()
        self.agent.send(message, self.remote)
        self.agent.in_background(self._repeat())

    async def _repeat(self) -> None:
        pause = 0.5
        while not self.statuses and not self.over.is_set() and pause < 16:
            await asyncio.sleep(pause)
            if not self.statuses and not self.over.is_set():
                self.agent.send(self._invite, self.remote)
            pause *= 2

    def on_response(self, message: Message) -> None:
        if message.method != "INVITE":
            super().on_response(message)
            return
        status = message.status
        self.statuses.append((status, time.monotonic() - self.began))
        if status >= 200:
            self._theirs = message.get("to")
        if 200 <= status < 300:
            self._target = address(message.get("contact"))
            self.agent.send(self._request("ACK"), self.remote)
            if self.over.is_set():  # given up while the answer was on its way
                self.agent.send(self._request("BYE"), self.remote)
                return
            self._talking = True
        elif status >= 300:
            ack = Message(f"ACK {self._invite.uri} SIP/2.0", list(self._invite.headers))
            ack.headers = [
                (n, {"To": self._theirs, "CSeq": f"{self._cseq} ACK"}.get(n, v))
                for n, v in ack.headers
                if n != "Content-Type"
            ]
            self.agent.send(ack, self.remote)
            self._finish("cancel" if status == 487 else "refused", message)
        self._hear(message.body)
        self._progress.set()

    async def _until(self, low: int, high: int, timeout: float) -> float:
        async with asyncio.timeout(timeout):
            while True:
                for status, seconds in self.statuses:
                    if low <= status < high:
                        return seconds
                    if status >= 300:
                        raise Refused(status)
                self._progress.clear()
                await self._progress.wait()

    async def ringing(self, timeout: float = 5) -> float:
        """Wait for 180 or 183; seconds from INVITE to it."""
        return await self._until(180, 200, timeout)

    async def answered(self, timeout: float = 5) -> float:
        """Wait for 200; seconds from INVITE to it. Raises Refused."""
        return await self._until(200, 300, timeout)

    async def refusal(self, timeout: float = 5) -> int:
        """Wait for a final answer that is not 200, and return it."""
        try:
            await self._until(200, 300, timeout)
        except Refused as refused:
            return refused.status
        raise AssertionError("the call was answered")

    def cancel(self) -> None:
        """Give up before the answer."""
        cancel = Message(f"CANCEL {self._invite.uri} SIP/2.0", list(self._invite.headers))
        cancel.headers = [
            (n, f"{self._cseq} CANCEL" if n == "CSeq" else v)
            for n, v in cancel.headers
            if n not in ("Content-Type", "Contact")
        ]
        self.agent.send(cancel, self.remote)


class IncomingCall(Call):
    """A call that came to us; `invite` is the request as it was."""

    def __init__(
        self, agent: SipAgent, remote: tuple[str, int], frequency: int, invite: Message
    ) -> None:
        super().__init__(agent, remote, frequency)
        self.id = invite.get("call-id")
        self.invite = invite
        self._last: Message | None = None
        self._ours = f"{invite.get('to')};tag={self._tag}"
        self._theirs = invite.get("from")
        self._target = address(invite.get("contact"))
        self._cseq = 100
        self.reply(100)

    @property
    def name(self) -> str:
        """The caller's name as the display shows it."""
        return display_name(self.invite.get("from"))

    @property
    def number(self) -> str:
        """The caller's number as the display shows it."""
        found = re.match(r"sips?:([^@;>]*)@", address(self.invite.get("from")))
        return found[1] if found else ""

    @property
    def tags(self) -> dict[str, str]:
        return {n: v for n, v in self.invite.headers if n.startswith("X-")}

    def reply(self, status: int, body: str = "", headers: Sequence[tuple[str, str]] = ()) -> None:
        message = self.invite.answer(status, self._tag, contact=self.agent.contact, body=body)
        message.headers += headers
        self._last = message
        self.agent.send(message, self.remote)

    async def ring(self, seconds: float = 0) -> None:
        self.reply(180)
        if seconds:
            await asyncio.sleep(seconds)

    async def early_sound(self, seconds: float) -> None:
        """183 with sound, as an announcement before the answer is."""
        media = await self._open_media()
        self.reply(183, offer(self.agent.host, media.port))
        self._hear(self.invite.body)
        await asyncio.sleep(seconds)

    async def accept(self) -> None:
        """Answer, and begin to send our tone. Does nothing where the caller has given up."""
        media = await self._open_media()
        if self.over.is_set():
            return
        self._talking = True
        self.reply(200, offer(self.agent.host, media.port))
        self._hear(self.invite.body)

    def refuse(self, status: int, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.reply(status, headers=headers)
        self._finish("refused")

    def on_request(self, message: Message, addr: tuple[str, int]) -> None:
        if message.method == "CANCEL":
            self.agent.send(message.answer(200, self._tag), addr)
            if not self._talking:
                self.reply(487)
                self._finish("cancel", message)
        elif message.method == "INVITE" and message.get("cseq") == self.invite.get("cseq"):
            if self._last is not None:
                self.agent.send(self._last, addr)
        else:
            super().on_request(message, addr)
