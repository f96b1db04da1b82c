"""Whatever visitors, two routers and their clocks do, in any order: a number has one live reservation.

A state machine on a real PostgreSQL. Each step is followed by a look at all that has to hold together.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from router.domain.page import VisitAnswer
from router.firstrun.postgres import PostgresServer
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store import upkeep
from router.store.database import Database
from tests.company import DEFAULT, ORIGIN, APool, a_heartbeat, a_leave, a_tap, a_visit, set_up
from tests.conftest import MONDAY, create_database
from tests.services.conftest import serving

POLICIES = ("balanced", "exclusive", "longest_idle", "uis", "ringostat")
NUMBERS = 3
_CLEAN = """
    TRUNCATE session, reservation, number_mass, number_past, outage, router_pulse RESTART IDENTITY;
    UPDATE number SET holder_id = NULL, holder_left = false, reservation_id = NULL, issued_at = NULL,
        reserved_until = DEFAULT, released_at = DEFAULT, silent_at = NULL, bound_to = NULL, ring = '{}',
        last_campaign = NULL, withdrawn_at = NULL
"""
# (what is wrong, the rows that show it)
_WRONG = {
    "two live reservations of a number": (
        "SELECT number_id FROM reservation WHERE ended_at IS NULL GROUP BY 1 HAVING count(*) > 1"
    ),
    "a session that holds two numbers": (
        "SELECT holder_id FROM number WHERE holder_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
    ),
    "a holder whose reservation is not the live one": (
        "SELECT number.id FROM number LEFT JOIN reservation ON reservation.id = reservation_id "
        "WHERE holder_id IS NOT NULL AND (reservation.id IS NULL OR reservation.ended_at IS NOT NULL "
        "OR reservation.session_id <> holder_id)"
    ),
    "a live reservation without its holder": (
        "SELECT reservation.id FROM reservation JOIN number ON number.id = number_id "
        "WHERE ended_at IS NULL AND holder_id IS DISTINCT FROM session_id"
    ),
    "a holder who is not the newest of the ring": (
        "SELECT id FROM number WHERE holder_id IS NOT NULL AND ring[1] IS DISTINCT FROM holder_id"
    ),
    "a holder whose page shows something else": (
        "SELECT number.id FROM number JOIN session ON session.id = holder_id "
        "WHERE session.number_id IS DISTINCT FROM number.id OR session.shown <> number.e164"
    ),
    "a page that shows what it was never handed": (
        "SELECT session.id FROM session WHERE number_id IS NOT NULL AND NOT EXISTS ("
        "SELECT FROM reservation WHERE session_id = session.id AND number_id = session.number_id)"
    ),
    "a page that shows a number as if it had changed": (
        "SELECT session.id FROM session JOIN reservation ON session_id = session.id "
        "AND reservation.number_id = session.number_id WHERE changed_at IS NOT NULL "
        "AND NOT EXISTS (SELECT FROM reservation AS later WHERE later.session_id = session.id "
        "AND later.number_id = session.number_id AND later.id > reservation.id)"
    ),
    "a tail that the index does not know": (
        "SELECT id FROM number WHERE holder_left AND released_at <> reserved_until"
    ),
}


@dataclass
class Page:
    visitor: UUID
    session: UUID
    number: str


class Company:
    """One database for all runs, and two routers on it."""

    def __init__(self, runner: asyncio.Runner, dsn: str) -> None:
        self._runner = runner
        self._dsn = dsn
        self._stack = AsyncExitStack()
        self.routers: list[Visits] = []
        self.upkeeps: list[Upkeep] = []

    def run(self, work: Awaitable[Any]) -> Any:
        async def done() -> Any:
            return await work

        return self._runner.run(done())

    async def open(self) -> None:
        self.database = await Database.connect(self._dsn, connections=8)
        self._stack.push_async_callback(self.database.close)
        await set_up(self.database, MONDAY, APool(numbers=range(1, NUMBERS + 1)))

    async def begin(self, policy: str) -> None:
        """As if nothing had been; routers remember nothing either."""
        await self._leave()
        await self.database._pool.execute(_CLEAN)
        await self.database._pool.execute(
            "UPDATE pool SET policy = $1, reservation_seconds = 120, closed_seconds = 90, "
            "left_seconds = 120, idle_seconds = 100, bounce_seconds = 60, tapped_seconds = 200",
            policy,
        )
        self.upkeeps = [Upkeep(self.database, f"router {n}") for n in range(2)]
        self.routers = [
            await self._serving.enter_async_context(
                serving(Visits(self.database, one, directory_seconds=0))
            )
            for one in self.upkeeps
        ]

    async def _leave(self) -> None:
        if hasattr(self, "_serving"):
            await self._serving.aclose()
        self._serving = AsyncExitStack()

    async def close(self) -> None:
        await self._leave()
        await self._stack.aclose()


class HandOut(RuleBasedStateMachine):
    """Visitors come, speak and go; time passes, also backwards by a little; routers sweep."""

    company: Company
    pages = Bundle("pages")

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = MONDAY
        self.begun = False

    @precondition(lambda self: not self.begun)
    @rule(policy=st.sampled_from(POLICIES))
    def begin(self, policy: str) -> None:
        self.company.run(self.company.begin(policy))
        self.begun = True

    @precondition(lambda self: self.begun)
    @rule(target=pages, campaign=st.sampled_from("ab"), router=st.integers(0, 1))
    def comes(self, campaign: str, router: int) -> Page:
        return self._opened(self._visit([(router, uuid4(), campaign)]))[0]

    @precondition(lambda self: self.begun)
    @rule(target=pages, campaign=st.sampled_from("ab"), visitors=st.integers(2, 5))
    def come_at_once(self, campaign: str, visitors: int) -> Any:
        """New ones, and each of them with two tabs, at two routers."""
        ids = [uuid4() for _ in range(visitors)]
        asked = [(router, visitor, campaign) for visitor in ids for router in (0, 1)]
        answers = self._visit(asked)
        for first, second in zip(answers[::2], answers[1::2], strict=True):
            assert first.session == second.session
            # one who came too early for a number is told of it with his next heartbeat
            assert len({first.number, second.number} - {DEFAULT}) <= 1
        return multiple(*self._opened(answers[::2]))

    @precondition(lambda self: self.begun)
    @rule(page=pages, campaign=st.sampled_from("ab"), router=st.integers(0, 1))
    def opens_another_page(self, page: Page, campaign: str, router: int) -> None:
        """By another campaign it is another session."""
        (answer,) = self._visit([(router, page.visitor, campaign)])
        page.session, page.number = answer.session, answer.number

    @precondition(lambda self: self.begun)
    @rule(page=pages, visible=st.booleans(), input=st.booleans(), router=st.integers(0, 1))
    def speaks(self, page: Page, *, visible: bool, input: bool, router: int) -> None:  # noqa: A002
        beat = a_heartbeat(page.session, page.number, visible=visible, input=input)
        answer = self.company.run(self.company.routers[router].heartbeat(beat, self.now))
        page.number = answer.number or page.number

    @precondition(lambda self: self.begun)
    @rule(page=pages, kind=st.sampled_from(["hide", "close"]), router=st.integers(0, 1))
    def leaves(self, page: Page, kind: str, router: int) -> None:
        self.company.run(self.company.routers[router].leave(a_leave(page.session, kind), self.now))

    @precondition(lambda self: self.begun)
    @rule(page=pages, router=st.integers(0, 1))
    def taps(self, page: Page, router: int) -> None:
        self.company.run(self.company.routers[router].tap(a_tap(page.session), self.now))

    @precondition(lambda self: self.begun)
    @rule(seconds=st.sampled_from([-5, 1, 20, 30, 31, 76, 130, 300, 2000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.begun)
    @rule(router=st.integers(0, 1))
    def sweeps(self, router: int) -> None:
        self.company.run(self.company.upkeeps[router].sweep(self.now))

    @invariant()
    def one_number_one_live_reservation(self) -> None:
        if self.begun:
            self.company.run(self._look())

    async def _look(self) -> None:
        database = self.company.database
        assert await upkeep.overlapping_reservations(database) == []
        for wrong, query in _WRONG.items():
            assert await database._pool.fetch(query) == [], wrong

    def _visit(self, asked: Sequence[tuple[int, UUID, str]]) -> list[VisitAnswer]:
        async def all_at_once() -> list[VisitAnswer]:
            return await asyncio.gather(
                *(
                    self.company.routers[router].visit(
                        a_visit(
                            f"{ORIGIN}/?utm_source=google&utm_campaign={campaign}", visitor=visitor
                        ),
                        self.now,
                    )
                    for router, visitor, campaign in asked
                )
            )

        answers: list[VisitAnswer] = self.company.run(all_at_once())
        return answers

    def _opened(self, answers: Sequence[VisitAnswer]) -> list[Page]:
        return [Page(answer.visitor, answer.session, answer.number) for answer in answers]


def test_any_order_of_events(postgres_server: PostgresServer, template_database: str) -> None:
    """Also what nobody thought of."""
    name = f"machine_{secrets.token_hex(4)}"
    with asyncio.Runner() as runner:
        dsn = runner.run(create_database(postgres_server, name, template_database))
        company = Company(runner, dsn)
        company.run(company.open())

        class Here(HandOut):
            pass

        Here.company = company
        try:
            run_state_machine_as_test(
                Here,
                settings=settings(
                    max_examples=25,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            company.run(company.close())


def test_the_look_finds_what_is_wrong(
    postgres_server: PostgresServer, template_database: str
) -> None:
    """Each of its questions has an answer when something is made wrong on purpose."""
    name = f"machine_{secrets.token_hex(4)}"
    with asyncio.Runner() as runner:
        dsn = runner.run(create_database(postgres_server, name, template_database))
        company = Company(runner, dsn)
        company.run(company.open())
        try:
            company.run(company.begin("balanced"))
            for visitor in range(2):
                company.run(
                    company.routers[0].visit(a_visit(visitor=UUID(int=visitor + 1)), MONDAY)
                )
            execute = company.database._pool.execute
            spoiled = {
                "two live reservations of a number": "UPDATE reservation SET number_id = 1",
                "a session that holds two numbers": "UPDATE number SET holder_id = 1 WHERE id = 2",
                "a holder whose reservation is not the live one": (
                    "UPDATE reservation SET ended_at = started_at WHERE id = 1"
                ),
                "a live reservation without its holder": (
                    "UPDATE number SET holder_id = NULL WHERE id = 2"
                ),
                "a holder who is not the newest of the ring": "UPDATE number SET ring = '{}'",
                "a holder whose page shows something else": "UPDATE session SET number_id = 3",
                "a page that shows what it was never handed": "UPDATE session SET number_id = 3",
                "a page that shows a number as if it had changed": (
                    "UPDATE session SET number_id = 1 WHERE id = 1;"
                    "UPDATE reservation SET changed_at = started_at WHERE id = 1"
                ),
                "a tail that the index does not know": "UPDATE number SET holder_left = true",
            }
            assert set(spoiled) == set(_WRONG)
            for wrong, statement in spoiled.items():
                company.run(execute(statement))
                assert company.run(company.database._pool.fetch(_WRONG[wrong])), wrong
        finally:
            company.run(company.close())
