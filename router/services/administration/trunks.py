"""Trunks: the carriers' connections that calls arrive on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypedDict, Unpack

from router.services import checks
from router.services.administration.desk import Desk, difference, let_go
from router.services.checks import Ref
from router.services.work import By
from router.store import administration as store
from router.store import editing


class TrunkFields(TypedDict, total=False):
    """What is said of a trunk; what is not said keeps its value. No target: None."""

    name: str
    target: Ref | None


class Trunks(Desk):
    """Where calls come from."""

    async def add_trunk(self, name: str, *, target: Ref | None = None, by: By) -> int:
        """A carrier's connection; `target` takes its calls when nothing else is known."""
        name = checks.trunk_name(name)
        async with self._work(by) as work:
            line = await work.target(target) if target else None
            added = await store.put_trunk(
                work.queries, work.organisation_id, name, line.id if line else None, by.now
            )
            await work.note("trunk.add", name, {"target": line.name if line else None})
            return added

    async def direct_trunk(self, name: str, *, target: str, by: By) -> None:
        """Another target for a trunk's calls."""
        async with self._work(by) as work:
            trunk, line = await work.trunk(name), await work.target(target)
            await store.direct_trunk(work.queries, work.organisation_id, trunk.name, line.id)
            await work.note("trunk.direct", name, {"target": target, "was": trunk.target})

    async def edit_trunk(self, trunk: Ref, *, by: By, **fields: Unpack[TrunkFields]) -> int:
        """Its name is CT_TRUNK of pjsip.conf: who changes one changes both. Returns its id."""
        async with self._work(by) as work:
            before = await work.trunk(trunk)
            values: dict[str, Any] = {}
            if "name" in fields:
                values["name"] = checks.trunk_name(fields["name"])
            if "target" in fields:
                target = fields["target"]
                values["target"] = (await work.target(target)).name if target else None
            after = replace(before, **values)
            line = await work.target(after.target) if after.target else None
            if changes := difference(before, after):
                await editing.edit_trunk(
                    work.queries,
                    work.organisation_id,
                    before.id,
                    name=after.name,
                    target_id=line.id if line else None,
                )
                await work.note("trunk.edit", before.name, changes)
            return before.id

    async def delete_trunk(self, trunk: Ref, *, by: By) -> None:
        """Raises StillNeeded while numbers or targets come and go through it."""
        async with self._work(by) as work:
            found = await work.trunk(trunk)
            held = await editing.held_by(work.queries, work.organisation_id, "trunk", found.id)
            let_go("trunk", found.name, held)
            await editing.delete(work.queries, work.organisation_id, "trunk", found.id)
            await work.note("trunk.delete", found.name, {"id": found.id})
