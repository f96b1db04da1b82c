"""The parts of a running instance: started in order, watched, started again, stopped in order."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

_DEATHS = 4
_WITHIN_SECONDS = 60.0


class PartFailed(Exception):
    """A part ends again and again; the message says which and where its log is."""


@dataclass(kw_only=True)
class Part:
    """Something that runs: how to start and stop it, and whether it still does.

    Parts are stopped by rank, the lowest first.
    """

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]
    alive: Callable[[], bool]
    log: str
    stop_rank: int
    deaths: list[float] = field(default_factory=list)


class Supervisor:
    """Holds the parts of one instance. Not for several threads."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._parts: list[Part] = []
        self._starting: list[Future[None]] = []
        # Children end with the thread that started them, so these threads live as long as we do.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="starter")

    def start(self, *parts: Part) -> None:
        """Start parts, all at once; the first problem is raised when each has been tried."""
        self._parts += parts
        if len(parts) == 1:
            parts[0].start()
            return
        self._starting = [self._threads.submit(part.start) for part in parts]
        problems = [done.exception() for done in self._starting]
        for problem in problems:
            if problem is not None:
                raise problem

    def check(self) -> None:
        """Start again what ended. Raises PartFailed for a part that does not stay up."""
        for part in self._parts:
            if part.alive():
                continue
            now = time.monotonic()
            part.deaths = [at for at in part.deaths if now - at < _WITHIN_SECONDS] + [now]
            if len(part.deaths) >= _DEATHS:
                raise PartFailed(
                    f"{part.name} ended {_DEATHS} times within a minute; its log: {part.log}"
                )
            self._say(f"{part.name} ended and is started again; its log: {part.log}")
            part.start()
            self._say(f"{part.name} runs again")

    def stop(self) -> Sequence[str]:
        """Stop every part, whatever happens to the others; what went wrong, in words."""
        problems: list[str] = []
        # Interrupted while parts started: let them finish, then they can be stopped in order.
        wait(self._starting)
        for part in sorted(self._parts, key=lambda part: part.stop_rank):
            try:
                part.stop()
            except Exception as problem:  # noqa: BLE001 - the others have to be stopped as well
                problems.append(f"{part.name} could not be stopped in order: {problem}")
        self._parts = []
        self._threads.shutdown()
        return problems
