"""Pools: numbers that serve one purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from router.domain import phone
from router.domain.model import Goal, Parameter, Policy, Pool, PoolId, PoolKind, Site
from router.domain.rules.tree import values_of
from router.services import checks
from router.services.administration.desk import UNSAVED, Desk, difference, let_go
from router.services.checks import Ref
from router.services.work import By, Work, known_channels
from router.store import administration as store
from router.store import editing


class PoolFields(TypedDict, total=False):
    """What is said of a pool; what is not said keeps its value, or has the usual one. None and the empty
    text say that there is none."""

    policy: str
    priority: int
    reservation_seconds: int
    closed_seconds: int
    left_seconds: int
    idle_seconds: int
    bounce_seconds: int
    tapped_seconds: int
    price: float
    goal: str
    aim: float
    rules: Sequence[str | Mapping[str, Any]]
    binding: Sequence[str]
    grows: bool
    record: bool
    default_number: str | None
    target: Ref | None
    source: str | None
    medium: str | None
    campaign: str | None
    channel: str | None
    region: str | None


def _seconds(field: str) -> Callable[[Any], Any]:
    return lambda value: checks.between(field, value, 60, 604_800)


def _word(field: str, example: str) -> Callable[[Any], Any]:
    return lambda value: checks.word(field, value, example) if value else None


def _binding(words: Sequence[str]) -> tuple[str, ...]:
    return checks.each(lambda word: str(checks.one_of("binding", word, Parameter)), words)


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "policy": lambda value: checks.one_of("policy", value, Policy),
    "priority": lambda value: checks.between("priority", value, 0, 1_000_000),
    "reservation_seconds": _seconds("reservation_seconds"),
    "closed_seconds": _seconds("closed_seconds"),
    "left_seconds": _seconds("left_seconds"),
    "idle_seconds": _seconds("idle_seconds"),
    "bounce_seconds": _seconds("bounce_seconds"),
    "tapped_seconds": _seconds("tapped_seconds"),
    "price": lambda value: checks.between("price", float(value), 0.0, 1_000_000.0),
    "goal": lambda value: checks.one_of("goal", value, Goal),
    "aim": lambda value: checks.between("aim", float(value), 0.01, 0.99),
    "rules": checks.rules,
    "binding": _binding,
    "grows": bool,
    "record": bool,
    "source": _word("source", "google"),
    "medium": _word("medium", "cpc"),
    "campaign": _word("campaign", "spring"),
    "channel": _word("channel", "google_ads"),
    "region": lambda value: checks.area(value) if value else None,
}


class Pools(Desk):
    """Whom numbers serve, and how."""

    async def add_pool(
        self,
        name: str,
        *,
        site: Ref,
        kind: str = "dynamic",
        by: By,
        **fields: Unpack[PoolFields],
    ) -> Pool:
        """Numbers that serve one purpose. `rules` are texts like ``source=google``; a static pool says
        in `source`, `medium`, `campaign`, `channel` what its calls are credited to; without `channel` the
        ready-made one of its source and medium."""
        problems = checks.Problems()
        shown = problems.check(checks.name, name, example="google-ads")
        problems.check(checks.one_of, "kind", kind, PoolKind)
        async with self._work(by) as work:
            home = await work.site(site)
            fresh = Pool(
                id=PoolId(UNSAVED),
                organisation_id=work.organisation_id,
                site_id=home.id,
                name=shown or "",
                kind="static" if kind == "static" else "dynamic",
                policy="balanced",
                priority=100,
                reservation_seconds=900,
                rules=(),
                default_number=None,
                target_id=None,
                record=True,
                source=None,
                medium=None,
                campaign=None,
            )
            pool = await _with(fresh, _usual(fields) | fields, home, work, problems)
            added = await store.put_pool(work.queries, pool, by.now)
            await work.note("pool.add", pool.name, {"site": home.name, "kind": kind})
            return replace(pool, id=added)

    async def edit_pool(
        self,
        pool: Ref,
        *,
        site: Ref | None = None,
        name: str | None = None,
        by: By,
        **fields: Unpack[PoolFields],
    ) -> Pool:
        """Visits that begin from now on are served by what it says then; reservations in force stay. Its
        kind and its site cannot be changed: make another pool and move its numbers."""
        problems = checks.Problems()
        shown = problems.check(checks.name, name, example="google-ads") if name else None
        async with self._work(by) as work:
            before = (await work.pool(pool, site)).pool
            home = await work.site(before.site_id)
            renamed = replace(before, name=shown or before.name)
            after = await _with(renamed, fields, home, work, problems)
            if changes := difference(before, after):
                await editing.edit_pool(work.queries, after)
                await work.note("pool.edit", before.name, {"site": home.name, **changes})
            return after

    async def delete_pool(self, pool: Ref, *, site: Ref | None = None, by: By) -> None:
        """Raises StillNeeded while it has numbers. What calls were credited to stays; its name then stands
        in the audit trail alone."""
        async with self._work(by) as work:
            row = await work.pool(pool, site)
            held = await editing.held_by(work.queries, work.organisation_id, "pool", row.pool.id)
            let_go("pool", row.pool.name, held)
            await editing.delete(work.queries, work.organisation_id, "pool", row.pool.id)
            await work.note("pool.delete", row.pool.name, {"site": row.site, "id": row.pool.id})


def _usual(fields: PoolFields) -> PoolFields:
    """What a new pool is to reach: by its policy it is either sure of the campaigns, or covers the visits."""
    usual: PoolFields = {}
    goal = fields.get("goal") or (
        "accuracy" if fields.get("policy", "balanced") == "balanced" else "coverage"
    )
    usual["goal"], usual["aim"] = goal, 0.95 if goal == "accuracy" else 0.9
    return usual


async def _with(
    pool: Pool, fields: PoolFields, home: Site, work: Work, problems: checks.Problems
) -> Pool:
    """The pool as `fields` have it. Raises everything that is wrong with it, together."""
    given: Mapping[str, Any] = fields
    values: dict[str, Any] = {
        field: problems.check(check, given[field])
        for field, check in _CHECKS.items()
        if field in given
    }
    if "default_number" in given:
        values["default_number"] = _number(given["default_number"], home, problems)
    if "target" in given:
        line = await problems.find(work.target(given["target"])) if given["target"] else None
        values["target_id"] = line.id if line else None
    await _channels_known(values, work, problems)
    source = values.get("source", pool.source)
    credited = [values.get(field, getattr(pool, field)) for field in ("medium", "campaign")]
    if pool.kind == "static" and not source:
        problems.add("source", "a static pool needs the one its calls are credited to", "maps")
    if pool.kind == "dynamic" and (source or any(credited)):
        problems.add("source", "a dynamic pool's calls are credited to the visit's own")
    problems.refuse()
    return replace(pool, **values)


async def _channels_known(values: Mapping[str, Any], work: Work, problems: checks.Problems) -> None:
    """That the channel which the pool belongs to, and those that its rules ask for, exist."""
    asked = {("channel", values["channel"])} if values.get("channel") else set()
    for rule in values.get("rules") or ():
        asked |= {("rule", key) for key in values_of(rule, "channel")}
    if asked:
        known = await known_channels(work.queries, work.organisation_id)
        for field, key in sorted(asked):
            problems.check(checks.known_channel, key, known, field=field)


def _number(text: str | None, home: Site, problems: checks.Problems) -> str | None:
    if not text:
        return None
    return problems.check(phone.parse, text, home.region, field="default_number")
