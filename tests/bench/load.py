"""The load generators: so many connections at once for so long, in a process of their own.

    python -m tests.bench.load agi  PORT CONNECTIONS SECONDS
    python -m tests.bench.load http PORT CONNECTIONS SECONDS visits|heartbeats|update

Prints one line of JSON. Written straight on epoll: an event loop would cost more than what it measures.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

from tests.bench import workload
from tests.bench.stats import spread

_REPLY = b"200 result=1\n"


def agi(port: int, connections: int, seconds: float) -> dict[str, object]:
    """FastAGI: connect, send the environment, answer the one command, wait for the end."""
    epoll = select.epoll()
    open_: dict[int, tuple[socket.socket, float, bytearray]] = {}
    took: list[float] = []
    commands = wrong = 0
    environments = workload.agi_environments()
    clock = time.perf_counter
    began = clock()
    end = began + seconds

    def connect() -> None:
        started = clock()
        plug = socket.socket()
        plug.connect(("127.0.0.1", port))
        plug.send(next(environments))
        epoll.register(plug, select.EPOLLIN)
        open_[plug.fileno()] = (plug, started, bytearray())

    for _ in range(connections):
        connect()
    while open_:
        ready = epoll.poll(5)
        if not ready:
            raise RuntimeError(f"{len(open_)} exchanges got no answer for 5 s")
        for descriptor, _ in ready:
            plug, started, buffer = open_[descriptor]
            try:
                received = plug.recv(8192)
            except ConnectionResetError:
                received = b""
            if received:
                buffer += received
                if buffer.endswith(b"\n"):
                    commands += 1
                    wrong += not buffer.startswith(b"SET VARIABLE CT_R ")
                    buffer.clear()
                    try:
                        plug.send(_REPLY)
                    except (BrokenPipeError, ConnectionResetError):
                        continue  # the server may close right after its command; the end is read next
                continue
            now = clock()
            took.append(now - started)
            plug.close()
            del open_[descriptor]
            if now < end:
                connect()
    if wrong or commands < len(took):
        raise RuntimeError(f"{len(took)} exchanges, {commands} commands, {wrong} of them not CT_R")
    return _result(clock() - began, took, {})


def http(port: int, connections: int, seconds: float, kind: str) -> dict[str, object]:
    """HTTP/1.1 with kept connections, each sending its next request when it has its answer."""
    requests: Iterator[bytes] = workload.REQUESTS[kind](os.getpid())
    epoll = select.epoll()
    open_: dict[int, socket.socket] = {}
    started: dict[int, float] = {}
    buffers: dict[int, bytearray] = {}
    took: list[float] = []
    statuses: Counter[str] = Counter()
    hows: Counter[str] = Counter()
    clock = time.perf_counter
    began = clock()
    end = began + seconds
    for _ in range(connections):
        plug = socket.create_connection(("127.0.0.1", port))
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        epoll.register(plug, select.EPOLLIN)
        open_[plug.fileno()] = plug
        buffers[plug.fileno()] = bytearray()
    for descriptor, plug in open_.items():
        started[descriptor] = clock()
        plug.send(next(requests))
    waiting = len(open_)
    while waiting:
        ready = epoll.poll(10)
        if not ready:
            raise RuntimeError(f"{waiting} requests got no answer for 10 s")
        for descriptor, _ in ready:
            plug, buffer = open_[descriptor], buffers[descriptor]
            received = plug.recv(65536)
            if not received:
                raise RuntimeError(f"the server closed a kept connection: {dict(statuses)}")
            buffer += received
            body = _whole(buffer)
            if body is None:
                continue
            now = clock()
            took.append(now - started[descriptor])
            statuses[buffer[9:12].decode()] += 1
            if (at := body.find(b'"how"')) >= 0:
                hows[body[at + 6 :].split(b'"', 2)[1].decode()] += 1
            buffer.clear()
            if now < end:
                started[descriptor] = clock()
                plug.send(next(requests))
            else:
                waiting -= 1
    return _result(clock() - began, took, {**statuses, **hows})


def _whole(buffer: bytearray) -> bytes | None:
    """The body, once all of it is there."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return None
    at = buffer.lower().find(b"\r\ncontent-length:", 0, head)
    length = int(buffer[at + 17 : buffer.index(b"\r\n", at + 17)]) if at >= 0 else 0
    if len(buffer) < head + 4 + length:
        return None
    return bytes(buffer[head + 4 :])


def _result(seconds: float, took: list[float], counts: dict[str, int]) -> dict[str, object]:
    times = spread(took)
    return {
        "count": len(took),
        "seconds": seconds,
        "rate": len(took) / seconds,
        "p50": times.p50,
        "p99": times.p99,
        "counts": counts,
    }


def main(arguments: list[str]) -> None:
    kind, port, connections, seconds, *rest = arguments
    generators: dict[str, Callable[..., dict[str, object]]] = {"agi": agi, "http": http}
    gc.disable()
    print(json.dumps(generators[kind](int(port), int(connections), float(seconds), *rest)))


if __name__ == "__main__":
    main(list(itertools.islice(sys.argv, 1, None)))
