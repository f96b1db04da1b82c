"""Where calls go: trunks, and targets that are reached directly or through them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from router.domain import phone
from router.domain.errors import FieldError
from router.domain.model import Target, TargetId
from router.services import checks
from router.services.administration.desk import UNSAVED, Desk
from router.services.work import By
from router.store import administration as store


class Lines(Desk):
    """Trunks and targets."""

    async def add_trunk(self, name: str, *, target: str | None = None, by: By) -> int:
        """A carrier's connection; `target` takes its calls when nothing else is known."""
        name = checks.trunk_name(name)
        async with self._work(by) as work:
            target_id = (await work.target(target)).id if target else None
            added = await store.put_trunk(
                work.queries, work.organisation_id, name, target_id, by.now
            )
            await work.note("trunk.add", name, {"target": target})
            return added

    async def direct_trunk(self, name: str, *, target: str, by: By) -> None:
        """Another target for a trunk's calls."""
        async with self._work(by) as work:
            trunk, line = await work.trunk(name), await work.target(target)
            await store.direct_trunk(work.queries, work.organisation_id, trunk.name, line.id)
            await work.note("trunk.direct", name, {"target": target, "was": trunk.target})

    async def add_target(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        number: str | None = None,
        trunk: str | None = None,
        region: str | None = None,
        ring_seconds: int = 25,
        by: By,
    ) -> Target:
        """A company line: a SIP `endpoint`, or a `number` reached through a `trunk`."""
        problems = checks.Problems()
        shown = problems.check(checks.name, name, example="office")
        problems.check(checks.between, "ring_seconds", ring_seconds, 1, 120)
        country = problems.check(checks.region, region) if region else None
        e164: str | None = None
        if (endpoint is None) == (number is None):
            problems.add("target", "give an endpoint or a number, one of the two", "office")
        elif endpoint is not None:
            problems.check(checks.endpoint, endpoint)
            if trunk is not None:
                problems.add("trunk", "an endpoint is reached without one")
        elif number is not None:
            e164 = problems.check(phone.parse_target, number, country, field="number")
            if trunk is None:
                problems.add("trunk", "a number is reached through one: say which", "carrier-1")
        problems.refuse()
        kind: Literal["endpoint", "pstn"] = "endpoint" if number is None else "pstn"
        async with self._work(by) as work:
            through = await work.trunk(trunk) if trunk else None
            if e164 and await store.numbers_among(work.queries, [e164]):
                raise FieldError(
                    "number",
                    f"{e164} is a tracking number of ours: calls to it would go round in circles",
                    phone.EXAMPLE,
                )
            target = Target(
                id=TargetId(UNSAVED),
                name=shown or "",
                kind=kind,
                endpoint=endpoint,
                e164=e164,
                trunk=trunk,
                ring_seconds=ring_seconds,
            )
            added = await store.put_target(
                work.queries,
                work.organisation_id,
                name=target.name,
                kind=kind,
                endpoint=endpoint,
                e164=e164,
                trunk_id=through.id if through else None,
                ring_seconds=ring_seconds,
                created_at=by.now,
            )
            await work.note("target.add", target.name, {"endpoint": endpoint, "number": e164})
            return replace(target, id=added)
