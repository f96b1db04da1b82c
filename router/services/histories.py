"""The history of each number, for a person who asks what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.domain import phone
from router.domain.errors import NoSuch
from router.domain.numbering import newest_form
from router.services import checks
from router.services.checks import Ref
from router.services.work import organisation_called
from router.store import codes
from router.store import histories as store
from router.store.database import Database
from router.store.histories import CallOfNumber, Holding, NumberChange, NumberFacts


@dataclass(frozen=True, kw_only=True)
class NumberHistory:
    """The newest first, each list."""

    number: NumberFacts
    holdings: list[Holding]
    calls: list[CallOfNumber]
    changes: list[NumberChange]


class Histories:
    """Reads what became of numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def number(
        self,
        number: str,
        now: datetime,
        *,
        region: str | None = None,
        most: int = 20,
        organisation: Ref | None = None,
    ) -> NumberHistory:
        """`number` in either form while its code changes. Raises FieldError; NoSuch for a number that is none of the organisation's."""
        e164 = phone.parse(number, checks.region(region) if region else None)
        checks.between("most", most, 1, 1000)
        owner = await organisation_called(self._database, organisation)
        changes = [row.change for row in await codes.changes(self._database, now)]
        # the old form first: rows are rewritten some seconds after a change has begun
        for form in dict.fromkeys((e164, newest_form(e164, changes, now))):
            if found := await store.number(self._database, owner.id, form):
                break
        if found is None:
            raise NoSuch("number", f"{e164} is not one of our numbers")
        return NumberHistory(
            number=found,
            holdings=await store.holdings(self._database, found.id, most),
            calls=await store.calls(self._database, found.id, most),
            changes=await store.changes(self._database, found.id, most),
        )
