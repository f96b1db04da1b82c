"""Targets: the company lines that calls are sent to."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypedDict, Unpack

from router.domain import phone
from router.domain.errors import FieldError
from router.domain.model import Target, TargetId
from router.services import checks
from router.services.administration.desk import UNSAVED, Desk, difference, let_go
from router.services.checks import Ref
from router.services.work import By, Work
from router.store import administration as store
from router.store import editing


class TargetFields(TypedDict, total=False):
    """What is said of a target; what is not said keeps its value. An endpoint takes the place of a number
    and its trunk, a number that of an endpoint."""

    name: str
    endpoint: str
    number: str
    trunk: Ref
    ring_seconds: int


class Targets(Desk):
    """Where calls go."""

    async def add_target(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        number: str | None = None,
        trunk: Ref | None = None,
        region: str | None = None,
        ring_seconds: int = 25,
        by: By,
    ) -> Target:
        """A company line: a SIP `endpoint`, or a `number` reached through a `trunk`."""
        target = _checked(
            TargetId(UNSAVED),
            name=name,
            endpoint=endpoint,
            number=number,
            trunk=trunk,
            region=region,
            ring_seconds=ring_seconds,
        )
        async with self._work(by) as work:
            through = await work.trunk(trunk) if trunk else None
            await _no_circle(work, target)
            added = await store.put_target(
                work.queries,
                work.organisation_id,
                name=target.name,
                kind=target.kind,
                endpoint=endpoint,
                e164=target.e164,
                trunk_id=through.id if through else None,
                ring_seconds=ring_seconds,
                created_at=by.now,
            )
            await work.note(
                "target.add", target.name, {"endpoint": endpoint, "number": target.e164}
            )
            return replace(target, id=added, trunk=through.name if through else None)

    async def edit_target(
        self, target: Ref, *, region: str | None = None, by: By, **fields: Unpack[TargetFields]
    ) -> Target:
        """Calls that arrive from now on go there, once Asterisk's own routes have followed."""
        async with self._work(by) as work:
            before = await work.target(target)
            number: str | None = before.e164
            endpoint: str | None = before.endpoint
            trunk: Ref | None = before.trunk
            if "endpoint" in fields:
                endpoint, number, trunk = fields["endpoint"], None, None
            if "number" in fields:
                number = fields["number"]
                endpoint = fields.get("endpoint")
            after = _checked(
                before.id,
                name=fields.get("name", before.name),
                endpoint=endpoint,
                number=number,
                trunk=(trunk := fields.get("trunk", trunk)),
                region=region,
                ring_seconds=fields.get("ring_seconds", before.ring_seconds),
            )
            through = await work.trunk(trunk) if trunk else None
            await _no_circle(work, after)
            after = replace(after, trunk=through.name if through else None)
            if changes := difference(before, after):
                await editing.edit_target(
                    work.queries, work.organisation_id, after, through.id if through else None
                )
                await work.note("target.edit", before.name, changes)
            return after

    async def delete_target(self, target: Ref, *, by: By) -> None:
        """Raises StillNeeded while anything sends calls there, or once calls were: history is kept."""
        async with self._work(by) as work:
            found = await work.target(target)
            held = await editing.held_by(work.queries, work.organisation_id, "target", found.id)
            let_go("target", found.name, held)
            await editing.delete(work.queries, work.organisation_id, "target", found.id)
            await work.note("target.delete", found.name, {"id": found.id})


def _checked(
    identity: TargetId,
    *,
    name: str,
    endpoint: str | None,
    number: str | None,
    trunk: Ref | None,
    region: str | None,
    ring_seconds: int,
) -> Target:
    """A line as it may be; its trunk is not looked up here. Raises everything that is wrong, together."""
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
    return Target(
        id=identity,
        name=shown or "",
        kind=kind,
        endpoint=endpoint,
        e164=e164,
        trunk=None,
        ring_seconds=ring_seconds,
    )


async def _no_circle(work: Work, target: Target) -> None:
    if target.e164 and await store.numbers_among(work.queries, [target.e164]):
        raise FieldError(
            "number",
            f"{target.e164} is a tracking number of ours: calls to it would go round in circles",
            phone.EXAMPLE,
        )
