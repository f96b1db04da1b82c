"""Numbers put aside and brought back by a person: quarantine, listening, the shared pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from router.domain import phone
from router.domain.errors import FieldError
from router.domain.hygiene import stands_again
from router.domain.model import Standing
from router.services import checks
from router.services.administration.desk import Desk
from router.services.checks import Ref
from router.services.codes import newest
from router.services.work import By, Work, organisation_called
from router.store import standings as store
from router.store.standings import Change, LoggedChange, StandingRow

WORDS: Mapping[str, str] = {
    "in_use": "in use",
    "listening": "listening",
    "quarantined": "in quarantine",
    "shared": "in the shared pool",
    "resting": "resting",
    "withdrawn": "withdrawn",
}
LISTENING: Standing = "listening"

Towards = Callable[[StandingRow], Standing]


class Standings(Desk):
    """Each method takes all of its numbers or none, and returns them as E.164."""

    async def quarantine_numbers(
        self, numbers: Sequence[str], *, why: str = "", region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Out of rotation, still answered. Who has one on his page keeps it until he leaves. A quarantine
        by hand ends by hand."""
        return await self._put_aside(
            numbers,
            "quarantine",
            ("in_use", "listening", "shared", "resting"),
            lambda _: "quarantined",
            why,
            region,
            by,
        )

    async def listen_to_numbers(
        self, numbers: Sequence[str], *, why: str = "", region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Out of rotation until they are known to be quiet; then back to where they stood."""
        return await self._put_aside(
            numbers,
            "listen",
            ("in_use", "shared", "quarantined"),
            lambda _: "listening",
            why,
            region,
            by,
        )

    async def release_numbers(
        self, numbers: Sequence[str], *, why: str = "", region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Back to where they stood before they were put aside: into rotation, the shared pool, or their
        rest."""
        return await self._put_aside(
            numbers,
            "release",
            ("quarantined", "listening"),
            lambda row: stands_again(row.before, row.pool_id),
            why,
            region,
            by,
        )

    async def share_numbers(
        self,
        numbers: Sequence[str],
        *,
        listen: bool = True,
        why: str = "",
        region: str | None = None,
        by: By,
    ) -> tuple[str, ...]:
        """Numbers without a pool into the shared pool; `listen`: once they are known to be quiet."""

        def nobodys(row: StandingRow) -> None:
            if row.pool_id is not None:
                raise FieldError(
                    "number",
                    f"{row.e164} belongs to a pool: the shared pool takes nobody's numbers",
                )
            if row.held:
                raise FieldError("number", f"{row.e164} is still on a visitor's page")
            if row.stands_on_pages:
                raise FieldError("number", f"{row.e164} is a default number of a site or a pool")

        async with self._work(by) as work:
            rows = await self._rows(
                work, numbers, "share", ("in_use", "listening", "quarantined"), region, nobodys
            )
            said = checks.reason(why) or "put into the shared pool"
            await _make(work, [(row, "shared") for row in rows], said)
            if listen:
                shared = [(replace(row, standing="shared"), LISTENING) for row in rows]
                await _make(work, shared, "new in the shared pool")
            e164s = tuple(row.e164 for row in rows)
            await work.note("number.share", ", ".join(e164s), {"listen": listen, "why": said})
            return e164s

    async def unshare_numbers(
        self, numbers: Sequence[str], *, why: str = "", region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Out of the shared pool: nobody's, until they are assigned to a pool."""
        return await self._put_aside(
            numbers, "unshare", ("shared",), lambda _: "in_use", why, region, by
        )

    async def standing_log(
        self,
        number: str | None = None,
        *,
        organisation: Ref | None = None,
        region: str | None = None,
        below: int | None = None,
        most: int = 100,
    ) -> list[LoggedChange]:
        """Why numbers stand where they stand, newest first; the next page is `below` the last id."""
        country = checks.region(region) if region else None
        e164 = phone.parse(number, country, field="number") if number else None
        found = await organisation_called(self._database, organisation)
        return await store.log(self._database, found.id, e164=e164, below=below, most=most)

    async def _put_aside(
        self,
        numbers: Sequence[str],
        what: str,
        allowed: Sequence[Standing],
        towards: Towards,
        why: str,
        region: str | None,
        by: By,
    ) -> tuple[str, ...]:
        async with self._work(by) as work:
            rows = await self._rows(work, numbers, what, allowed, region)
            said = checks.reason(why) or f"{what} by hand"
            await _make(work, [(row, towards(row)) for row in rows], said)
            e164s = tuple(row.e164 for row in rows)
            await work.note(f"number.{what}", ", ".join(e164s), {"why": said})
            return e164s

    async def _rows(
        self,
        work: Work,
        numbers: Sequence[str],
        what: str,
        allowed: Sequence[Standing],
        region: str | None,
        also: Callable[[StandingRow], None] = lambda _: None,
    ) -> list[StandingRow]:
        """The rows of `numbers`. Raises every refusal together."""
        country = checks.region(region) if region else None
        e164s = checks.numbers(numbers, country, field="number")
        e164s = await newest(work.queries, e164s, work.by.now)
        found = await store.find(work.queries, work.organisation_id, e164s)
        problems = checks.Problems()
        for e164 in e164s:
            row = found.get(e164)
            if row is None or row.withdrawn_at is not None:
                problems.add("number", f"{e164} is not one of our numbers in use", phone.EXAMPLE)
            elif row.standing not in allowed:
                problems.add(
                    "number", f"{e164} is {WORDS[row.standing]}: there is nothing to {what}"
                )
            else:
                problems.check(also, row)
        problems.refuse()
        return [found[e164] for e164 in e164s]


async def _make(work: Work, rows: Sequence[tuple[StandingRow, Standing]], why: str) -> None:
    """All of them, or a refusal: some may have changed since they were read."""
    changes = [
        Change(number_id=row.id, was=row.standing, standing=towards, why=why)
        for row, towards in rows
    ]
    made = await store.change(work.queries, changes, actor=work.by.actor, at=work.by.now)
    problems = checks.Problems()
    for row, _ in rows:
        if row.id not in made:
            problems.add("number", f"{row.e164} is changing at this moment: try again")
    problems.refuse()
