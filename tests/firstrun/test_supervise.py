"""Parts are started again when they end, not for ever, and stopped in order."""

import pytest

from router.firstrun.supervise import Part, PartFailed, Supervisor


class Fake:
    """A part that does what the test says."""

    def __init__(self, name: str, rank: int, events: list[str]) -> None:
        self.up = False
        self._events = events
        self._name = name
        self.part = Part(
            name=name,
            start=self.start,
            stop=self.stop,
            alive=lambda: self.up,
            log="a.log",
            stop_rank=rank,
        )

    def start(self) -> None:
        self.up = True
        self._events.append(f"start {self._name}")

    def stop(self) -> None:
        self.up = False
        self._events.append(f"stop {self._name}")


@pytest.fixture
def events() -> list[str]:
    return []


def test_what_ended_is_started_again_and_told(events: list[str]) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    router = Fake("router", 1, events)
    supervisor.start(router.part)
    supervisor.check()
    assert events == ["start router"]
    router.up = False
    supervisor.check()
    assert events == ["start router", "start router"]
    assert said == ["router ended and is started again; its log: a.log", "router runs again"]
    supervisor.stop()


def test_what_does_not_stay_up_is_given_up(events: list[str]) -> None:
    supervisor = Supervisor(lambda _: None)
    router = Fake("router", 1, events)
    supervisor.start(router.part)
    for _ in range(3):
        router.up = False
        supervisor.check()
    router.up = False
    with pytest.raises(PartFailed, match=r"router ended 4 times within a minute; its log: a\.log"):
        supervisor.check()
    supervisor.stop()


def test_stopped_by_rank_even_where_one_cannot_be(events: list[str]) -> None:
    supervisor = Supervisor(lambda _: None)
    first, broken, last = (Fake(n, r, events) for n, r in (("a", 1), ("b", 2), ("c", 3)))

    def refuse() -> None:
        raise OSError("no")

    broken.part.stop = refuse
    supervisor.start(last.part)
    supervisor.start(first.part, broken.part)
    events.clear()
    assert supervisor.stop() == ["b could not be stopped in order: no"]
    assert events == ["stop a", "stop c"]


def test_problem_of_a_start_is_raised_after_all_were_tried(events: list[str]) -> None:
    supervisor = Supervisor(lambda _: None)
    good, bad = Fake("good", 1, events), Fake("bad", 2, events)

    def fail() -> None:
        raise OSError("port taken")

    bad.part.start = fail
    with pytest.raises(OSError, match="port taken"):
        supervisor.start(bad.part, good.part)
    assert good.up
    supervisor.stop()
    assert not good.up
