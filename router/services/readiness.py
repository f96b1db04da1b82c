"""Is everything there that this router needs? Each part tells of itself; the composition root lists them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)

PATIENCE = 1.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """How one part is. `words` say it to a person, `figures` to a graph (seconds, counts)."""

    ok: bool
    words: str
    figures: Mapping[str, float] = field(default_factory=dict)


Probe = Callable[[], Awaitable[Check]]


class Readiness:
    """Asks every part at once; one that does not answer within a second is not ready."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = dict(probes)

    async def report(self) -> dict[str, Check]:
        tasks = {name: asyncio.ensure_future(probe()) for name, probe in self._probes.items()}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=PATIENCE)
        return {name: _result(name, task) for name, task in tasks.items()}


def _result(name: str, task: asyncio.Future[Check]) -> Check:
    if not task.done():
        task.cancel()
        return Check(ok=False, words=f"no answer within {PATIENCE:g} s")
    if error := task.exception():
        log.warning("readiness probe failed", probe=name, error=repr(error))
        return Check(ok=False, words=str(error) or type(error).__name__)
    return task.result()
