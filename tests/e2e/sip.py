"""A SIP telephone in the test's own event loop: places, takes, refuses and ends many calls."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence

from tests.e2e.calls import Call, IncomingCall, OutgoingCall
from tests.e2e.message import Message

Behaviour = Callable[[IncomingCall], Awaitable[None]]


async def answer(call: IncomingCall) -> None:
    """What a telephone does that is picked up at once."""
    await call.ring()
    await call.accept()


async def ring_only(call: IncomingCall) -> None:
    """What a telephone does that nobody picks up."""
    await call.ring()


async def busy(call: IncomingCall) -> None:
    """What a telephone does that is in use."""
    call.refuse(486)


class SipAgent(asyncio.DatagramProtocol):
    """One UDP address. Calls that come in are handled by `behaviour` and kept in `incoming`."""

    def __init__(self, behaviour: Behaviour, frequency: int) -> None:
        self.behaviour = behaviour
        self.frequency = frequency
        self.calls: dict[str, Call] = {}
        self.incoming: list[IncomingCall] = []
        self.registered: list[Message] = []
        self.problems: list[BaseException] = []
        self.host, self.port = "", 0
        self._arrived = asyncio.Event()
        self._answers: dict[str, asyncio.Queue[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(
        cls, host: str, port: int = 0, *, behaviour: Behaviour = answer, frequency: int = 1500
    ) -> SipAgent:
        loop = asyncio.get_running_loop()
        transport, agent = await loop.create_datagram_endpoint(
            lambda: cls(behaviour, frequency), local_addr=(host, port)
        )
        agent._transport = transport
        agent.host, agent.port = transport.get_extra_info("sockname")
        return agent

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for call in self.calls.values():
            call.close()
        if self._transport is not None:
            self._transport.close()
        await asyncio.sleep(0)

    def forget(self) -> None:
        """Begin a new test: no calls, no complaints."""
        for call in self.calls.values():
            call.close()
        self.calls.clear()
        self.incoming.clear()
        self.problems.clear()

    @property
    def contact(self) -> str:
        return f"<sip:{self.host}:{self.port}>"

    def send(self, message: Message | bytes, remote: tuple[str, int]) -> None:
        assert self._transport is not None
        data = message if isinstance(message, bytes) else message.encode()
        self._transport.sendto(data, remote)

    def in_background(self, work: Awaitable[None]) -> None:
        """Run `work`; what it raises is kept in `problems`, where the test's end looks."""

        async def guarded() -> None:
            try:
                await work
            except Exception as problem:  # noqa: BLE001  (the test fails with it)
                self.problems.append(problem)

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(
        self,
        uri: str,
        remote: tuple[str, int],
        *,
        caller: str = "sip:+79161234567@operator.example",
        name: str = "",
        to: str = "",
        headers: Sequence[tuple[str, str]] = (),
        frequency: int | None = None,
    ) -> OutgoingCall:
        """Send an INVITE for `uri` and return at once; `to` differs from it where asked."""
        call = OutgoingCall(self, remote, frequency or self.frequency)
        self.calls[call.id] = call
        await call.invite(uri, caller=caller, name=name, to=to or uri, headers=headers)
        return call

    async def next_call(self, count: int = 1, timeout: float = 5) -> IncomingCall:
        """The `count`-th call that came in since the last forget(), waited for."""
        async with asyncio.timeout(timeout):
            while len(self.incoming) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.incoming[count - 1]

    async def request(
        self,
        method: str,
        uri: str,
        remote: tuple[str, int],
        *,
        sender: str = "sip:someone@somewhere.example",
        headers: Sequence[tuple[str, str]] = (),
        body: str = "",
        timeout: float = 3,
    ) -> int:
        """Send one request outside any call and return the final status of its answer."""
        call_id = secrets.token_hex(8)
        answers = self._answers[call_id] = asyncio.Queue()
        message = Message(
            f"{method} {uri} SIP/2.0",
            [
                ("Via", f"SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{call_id};rport"),
                ("Max-Forwards", "70"),
                ("From", f"<{sender}>;tag={call_id}"),
                ("To", f"<{uri}>"),
                ("Call-ID", call_id),
                ("CSeq", f"1 {method}"),
                ("Contact", self.contact),
                *headers,
            ],
            body,
        )
        self.send(message, remote)
        async with asyncio.timeout(timeout):
            while True:
                received = await answers.get()
                if received.status >= 200:
                    break
        if method == "INVITE":
            to = ("To", received.get("to"))
            keep = [h for h in message.headers if h[0] not in ("To", "CSeq", "Content-Type")]
            ack = Message(f"ACK {uri} SIP/2.0", [*keep, to, ("CSeq", "1 ACK")])
            self.send(ack, remote)
        del self._answers[call_id]
        return received.status

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        message = Message.parse(data)
        call_id = message.get("call-id")
        if message.status:
            if call_id in self._answers:
                self._answers[call_id].put_nowait(message)
            elif call := self.calls.get(call_id):
                call.on_response(message)
            return
        if call := self.calls.get(call_id):
            call.on_request(message, addr)
        elif message.method == "INVITE":
            arrived = IncomingCall(self, addr, self.frequency, message)
            self.calls[call_id] = arrived
            self.incoming.append(arrived)
            self._arrived.set()
            self.in_background(self.behaviour(arrived))
        elif message.method == "OPTIONS":
            self.send(message.answer(200, "alive", contact=self.contact), addr)
        elif message.method == "REGISTER":
            self._register(message, addr)
        elif message.method != "ACK":
            self.send(message.answer(481, "unknown"), addr)

    def _register(self, message: Message, addr: tuple[str, int]) -> None:
        """Ask for a password once, as an operator does, and then believe any."""
        if not message.get("authorization"):
            challenge = message.answer(401, "who")
            challenge.headers.append(("WWW-Authenticate", 'Digest realm="op", nonce="n"'))
            self.send(challenge, addr)
            return
        self.registered.append(message)
        reply = message.answer(200, "welcome")
        reply.headers += [("Contact", message.get("contact")), ("Expires", "120")]
        self.send(reply, addr)

    def error_received(self, exc: Exception) -> None:
        # nobody listens there (yet): an INVITE is repeated, and a test that waits will say so
        with contextlib.suppress(OSError):
            raise exc
