"""One login to Asterisk's manager interface (AMI), kept up.

panoramisk reads and writes the protocol; what it does about connections is replaced, because it never
notices a half-open link, retries a refused login without a word, and sends pending actions again after a
reconnect. The only module that knows panoramisk.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol

from router.domain.errors import CallRouterError
from router.services.metrics import CallMetrics
from router.telephony import cel
from router.telephony.quiet import Quiet

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 3.0
ACTION_SECONDS = 3.0
PING_SECONDS = 2.0
PINGS_MISSED = 2
BACKOFF_FIRST, BACKOFF_MOST = 0.2, 5.0
REFUSED_SECONDS = 30.0
# Asterisk refuses a line of more than 1,023 bytes
VALUE_BYTES = 1000
# no single message of Asterisk comes near it
BUFFER_CHARACTERS = 1_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_END = "\r\n\r\n"
_CALL_EVENT = "Event: CEL\r\n"
# events of one call come in bunches: waking up for each costs more than reading it
QUIET_SECONDS = 0.1

Message = Mapping[str, Any]
State = Literal["connecting", "ready", "refused", "down"]


class AmiUnavailable(CallRouterError):
    """Asterisk's manager interface is not connected, or did not answer in time."""


class AmiRefused(CallRouterError):
    """Asterisk refused an action."""


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """panoramisk's, with characters that may be split over segments, and without a memory of actions.

    Call events are most of what comes, each in a segment of its own and never an answer: they are read here,
    and after them nothing is read for `QUIET_SECONDS` unless an answer is waited for.
    """

    responses: dict[str, Action]

    def __init__(
        self,
        heard: Callable[[Message], None],
        lost: Callable[[], None],
        enough: Callable[[], bool] | None = None,
    ) -> None:
        self._heard = heard
        self._lost = lost
        self._enough = enough
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._quiet = Quiet(transport, QUIET_SECONDS)
        self.factory = self
        self.encoding = "utf-8"

    def data_received(self, data: bytes) -> None:
        begun = self.queue.popleft() if self.queue else ""
        whole, end, rest = (begun + self._decoder.decode(data)).rpartition(_END)
        others, calls = [], []
        for packet in whole.split(_END) if end else ():
            if packet.startswith(_CALL_EVENT):
                calls.append(packet)
            else:
                others.append(packet + _END)
        if calls and (self._enough is None or not self._enough()):
            for packet in calls:
                self._heard(cel.fields(packet))
        if others or not end:
            super().data_received(("".join(others) + rest).encode())
        else:
            self.queue.append(rest)
            if not self.responses:
                self._quiet.begin()
        if self.queue and len(self.queue[0]) > BUFFER_CHARACTERS:
            self.close()

    def send(self, data: Any, as_list: bool | None = False) -> Any:
        self._quiet.end()
        return super().send(data, as_list=as_list)

    def dispatch(self, message: Message) -> None:
        self._heard(message)

    def connection_lost(self, exc: object) -> None:
        self.close()
        self._lost()

    def close(self) -> None:
        """Whoever waits for an answer is told that none will come; nothing is ever sent twice."""
        pending, self.responses = list(self.responses.values()), {}
        for action in pending:
            if not action.future.done():
                action.future.set_exception(AmiUnavailable("the connection ended"))
                action.future.exception()  # looked at: nobody may be waiting any more
        self.closed = True
        self.transport.abort()
        self._quiet.end()


class AmiLogin:
    """One account's connection. `run` keeps it up for ever; `ready` is set while it is logged in.

    `heard` is given every event, must not wait and must not raise. Where there is `enough`, it is asked first
    whether it is enough to know that there are call events: then they are not read. `after_login` runs after
    each login, and is cancelled with the connection.
    """

    def __init__(
        self,
        *,
        address: tuple[str, int],
        user: str,
        secret: str,
        metrics: CallMetrics,
        clock: Callable[[], datetime],
        heard: Callable[[Message], None] | None = None,
        enough: Callable[[], bool] | None = None,
        after_login: Callable[[], Awaitable[None]] | None = None,
        noted_time: Callable[[datetime, datetime, datetime], None] | None = None,
        ping_seconds: float = PING_SECONDS,
        refused_seconds: float = REFUSED_SECONDS,
    ) -> None:
        self.state: State = "down"
        self.ready = asyncio.Event()
        self._address = address
        self._user = user
        self._secret = secret
        self._metrics = metrics
        self._clock = clock
        self._heard = heard
        self._enough = enough
        self._after_login = after_login
        self._noted_time = noted_time
        self._ping_seconds = ping_seconds
        self._refused_seconds = refused_seconds
        self._protocol: _Protocol | None = None
        self._when_ready: list[Callable[[], None]] = []

    def when_ready(self, call: Callable[[], None]) -> None:
        """Have `call` called after each login."""
        self._when_ready.append(call)

    async def run(self) -> None:
        """Connect, log in, watch; again and again, with pauses that grow to 5 s."""
        failures = 0
        while True:
            began = self._clock()
            try:
                await self._connection()
            except AmiRefused as refused:
                self._now("refused")
                log.error("AMI login refused", user=self._user, reason=str(refused))
                await asyncio.sleep(self._refused_seconds)
                continue
            except (AmiUnavailable, OSError, TimeoutError) as error:
                if self.state == "ready" or failures == 0:
                    log.warning("AMI link down", user=self._user, reason=str(error) or repr(error))
            self._now("down")
            failures = 0 if self._clock() - began > timedelta(seconds=10) else failures + 1
            await asyncio.sleep(_pause(failures))

    async def _connection(self) -> None:
        """One connection from its beginning to its end. Raises what ended it."""
        self._now("connecting")
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def lost() -> None:
            if not ended.done():
                ended.set_result(None)

        async with asyncio.timeout(CONNECT_SECONDS):
            _, protocol = await loop.create_connection(
                lambda: _Protocol(self._dispatch, lost, self._enough), *self._address
            )
        self._protocol = protocol
        try:
            await self._log_in()
            self._now("ready")
            await self._until(ended)
        finally:
            self._protocol = None
            protocol.close()

    async def _log_in(self) -> None:
        events = "on" if self._heard is not None else "off"
        await self._send(
            {
                "Action": "Login",
                "Username": self._user,
                "Secret": self._secret,
                "Events": events,
            }
        )

    async def _until(self, ended: asyncio.Future[None]) -> None:
        """Ping until two in a row are not answered, or the connection ends."""
        after = asyncio.ensure_future(self._after_login()) if self._after_login else None
        missed = 0
        try:
            while True:
                await asyncio.wait({ended}, timeout=self._ping_seconds)
                if ended.done():
                    raise AmiUnavailable("Asterisk closed the connection")
                if after is not None and after.done():
                    if error := after.exception():
                        log.error("work after AMI login failed", exc_info=error)
                    after = None
                try:
                    await self._ping()
                    missed = 0
                except AmiUnavailable:
                    missed += 1
                    if missed >= PINGS_MISSED:
                        raise AmiUnavailable(f"{missed} pings were not answered") from None
        finally:
            if after is not None:
                after.cancel()

    async def _ping(self) -> None:
        asked_at = self._clock()
        answer = (await self._send({"Action": "Ping"}, seconds=self._ping_seconds))[0]
        with contextlib.suppress(ValueError, OverflowError, OSError):
            said = datetime.fromtimestamp(float(answer.get("timestamp", "")), UTC)
            if self._noted_time is not None:
                self._noted_time(said, asked_at, self._clock())

    def _dispatch(self, message: Message) -> None:
        if self._heard is not None:
            self._heard(message)

    def _now(self, state: State) -> None:
        self.state = state
        self._metrics.ami_connected.labels(self._user).set(state == "ready")
        if state == "ready":
            log.info("AMI link up", user=self._user)
            self.ready.set()
            for call in self._when_ready:
                call()
        else:
            self.ready.clear()

    async def action(
        self, name: str, seconds: float = ACTION_SECONDS, /, **fields: str
    ) -> list[Message]:
        """Do one thing once, within `seconds`. Returns the answer and the events that belong to it.

        Raises AmiUnavailable if it is not known whether it was done, AmiRefused, and ValueError for a value
        that would be a line of its own.
        """
        if not self.ready.is_set():
            raise AmiUnavailable("not logged in")
        return await self._send({"Action": name, **fields}, seconds)

    async def _send(
        self, fields: Mapping[str, str], seconds: float = ACTION_SECONDS
    ) -> list[Message]:
        for field, value in fields.items():
            if _CONTROL.search(field + value) or len(value.encode(errors="replace")) > VALUE_BYTES:
                raise ValueError(f"{field}: a control character, or more than {VALUE_BYTES} bytes")
        protocol = self._protocol
        if protocol is None:
            raise AmiUnavailable("not connected")
        action = Action(dict(fields))
        try:
            async with asyncio.timeout(seconds):
                # None: whether a list follows is read off the answer
                answer = await protocol.send(action, as_list=None)
        except TimeoutError:
            raise AmiUnavailable(f"{fields['Action']}: no answer within {seconds:g} s") from None
        finally:
            protocol.responses.pop(action.id, None)
        messages: list[Message] = answer if isinstance(answer, list) else [answer]
        if messages[0].get("response") == "Error":
            raise AmiRefused(str(messages[0].get("message", "refused")))
        return messages


def _pause(failures: int) -> float:
    """Seconds before the next try, by the number of failures in a row; half of it is chance."""
    longest: float = min(BACKOFF_FIRST * 2 ** min(failures, 10), BACKOFF_MOST)
    return longest * (0.5 + random.random() / 2)
