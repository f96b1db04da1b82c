"""Codes that are split or renumbered, as administrators tell of them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from router.domain.errors import FieldError
from router.domain.numbering import CodeChange
from router.services import checks
from router.services.administration.desk import Desk
from router.services.codes import apply_due
from router.services.work import By
from router.store import codes as store
from router.store.codes import CodeRow

_CODE = re.compile(r"\+[1-9][0-9]{1,13}")


class CodeChanges(Desk):
    """For all organisations: a code belongs to the network."""

    async def change_code(
        self, old: str, new: str, *, from_: str | None = None, until: str, by: By
    ) -> int:
        """Numbers that begin with `old` begin with `new`; from `from_` (now) to `until` both are valid. Times as
        ISO 8601; a date is its midnight in UTC. Returns how many numbers of ours change."""
        problems = checks.Problems()
        before = problems.check(_code, old, "old")
        after = problems.check(_code, new, "new")
        from_at = problems.check(_moment, from_, "from") if from_ else by.now
        until_at = problems.check(_moment, until, "until")
        if before and after and (before.startswith(after) or after.startswith(before)):
            problems.add("new", f"{after} and {before} overlap", "+1680658")
        if from_at and until_at and until_at <= max(from_at, by.now):
            problems.add(
                "until", "both forms are valid for some time after it begins", "2027-06-01"
            )
        problems.refuse()
        assert before is not None
        assert after is not None
        assert from_at is not None
        assert until_at is not None
        change = CodeChange(old=before, new=after, from_at=from_at, until_at=until_at)
        async with self._work(by) as work:
            for row in await store.changes(work.queries, by.now):
                for code in (row.change.old, row.change.new):
                    if any(code.startswith(one) or one.startswith(code) for one in (before, after)):
                        problems.add("old", f"{code} is changing already", code)
            clashing = await store.clashes(work.queries, change)
            if clashing:
                problems.add(
                    "new",
                    f"{len(clashing)} numbers are registered in both forms, the first is {clashing[0]}",
                )
            problems.refuse()
            count = await store.numbers(work.queries, before)
            await store.add(work.queries, change, by.now)
            await apply_due(work.queries, by.now)
            await work.note(
                "code.change",
                f"{before} -> {after}",
                {
                    "from": from_at.isoformat(),
                    "until": until_at.isoformat(),
                    "numbers": count,
                },
            )
            return count

    async def end_code_change(self, old: str, *, by: By) -> None:
        """The old form is valid no longer, from now on; a change that has not begun is called off."""
        code = _code(old, "old")
        async with self._work(by) as work:
            rows = await store.changes(work.queries, by.now)
            row = checks.named("old", code, rows, lambda row: row.change.old)
            off = await store.call_off(work.queries, row.id, by.now)
            if not off and not await store.cut_short(work.queries, row.id, by.now):
                raise FieldError("old", f"{code} begins to change at this moment: try again")
            await work.note("code.end", code, {"new": row.change.new, "called_off": off})

    async def code_changes(self, now: datetime) -> list[CodeRow]:
        """Those that are not over, oldest first."""
        return await store.changes(self._database, now)


def _code(text: str, field: str) -> str:
    digits = "+" + re.sub(r"[\s().-]", "", text).removeprefix("+")
    if not _CODE.fullmatch(digits):
        raise FieldError(field, f"{text!r} is not the beginning of a number", "1-315-658")
    return digits


def _moment(text: str, field: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise FieldError(field, f"{text!r} is not a date", "2027-06-01") from None
    if len(text) <= len("2027-06-01"):
        at = datetime.combine(date.fromisoformat(text), time(tzinfo=UTC))
    if at.tzinfo is None:
        raise FieldError(field, f"{text!r} has no time zone", "2027-06-01T00:00Z")
    return at.astimezone(UTC)
