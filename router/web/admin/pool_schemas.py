"""Pools as the admin API reads and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from router.domain.model import Goal, Parameter, Policy, PoolKind
from router.domain.rules import written
from router.domain.rules.stored import all_from_json
from router.store.listing import PoolLine
from router.web.admin.bodies import E164, Body, Identity, Name, Named, Ref, absent
from router.web.admin.pages import PageQuery
from router.web.admin.rule_schemas import Rules
from router.web.schemas import Answer

_RULE = "source=google and medium=cpc"
_Seconds = Annotated[int, Field(ge=60, le=604_800)]


class PoolOut(Answer):
    """Numbers that serve one purpose on one site. Times in seconds: `reservation_seconds` is that of the
    classic policies, the other five those of `balanced` and `exclusive`, by how a visit ended."""

    id: int = Field(examples=[7])
    site: Named
    name: str = Field(examples=["ads"])
    kind: PoolKind
    policy: Policy
    priority: int = Field(description="The pool of the lowest is asked first.", examples=[100])
    reservation_seconds: int = Field(examples=[900])
    closed_seconds: int = Field(examples=[600])
    left_seconds: int = Field(examples=[1200])
    idle_seconds: int = Field(examples=[900])
    bounce_seconds: int = Field(examples=[180])
    tapped_seconds: int = Field(examples=[1800])
    price: float = Field(description="What cutting a reservation short costs.", examples=[3.0])
    goal: Goal
    aim: float = Field(description="The share of visits that the goal asks for.", examples=[0.9])
    rules: list[str] = Field(description="All must hold; none: every visit.", examples=[[_RULE]])
    binding: list[Parameter] = Field(
        description="Empty: visitors hold its numbers; else combinations of these do.",
        examples=[["source", "campaign"]],
    )
    grows: bool = Field(description="It may be given numbers of the shared pool.")
    record: bool
    default_number: str | None = Field(examples=["+74951234567"])
    target: Named | None = Field(description="Instead of the site's.")
    source: str | None = Field(description="What a static pool's calls are credited to.")
    medium: str | None
    campaign: str | None
    channel: str | None = Field(examples=["google_ads"])
    region: str | None = Field(examples=["RU-MOW"])
    created_at: datetime
    numbers: int = Field(
        description="How many it has that were not withdrawn.",
        examples=[12],
        json_schema_extra={"readOnly": True},
    )

    @classmethod
    def of(cls, line: PoolLine) -> PoolOut:
        row = line.row
        values = {name: row[name] for name in cls.model_fields if name in row}
        values |= {
            "site": Named(id=row["site_id"], name=line.site),
            "target": Named.of(row["target_id"], line.target),
            "rules": [written(rule) for rule in all_from_json(row["rules"])],
            "binding": list(row["binding"]),
            "numbers": line.numbers,
        }
        return cls(**values)


class PoolsOut(Answer):
    items: list[PoolOut]
    next: str | None = Field(description="`cursor` of the page that follows.")


class PoolsQuery(PageQuery):
    site: Identity | None = Field(None, description="The site's id.", examples=[1])
    kind: PoolKind | None = Field(None, examples=["dynamic"])


class _PoolFields(Body):
    policy: Policy = absent(examples=["balanced"])
    priority: int = absent(ge=0, le=1_000_000, examples=[100])
    reservation_seconds: _Seconds = absent(examples=[900])
    closed_seconds: _Seconds = absent(examples=[600])
    left_seconds: _Seconds = absent(examples=[1200])
    idle_seconds: _Seconds = absent(examples=[900])
    bounce_seconds: _Seconds = absent(examples=[180])
    tapped_seconds: _Seconds = absent(examples=[1800])
    price: float = absent(ge=0, le=1_000_000, allow_inf_nan=False, examples=[3.0])
    goal: Goal = absent(examples=["coverage"])
    aim: float = absent(ge=0.01, le=0.99, examples=[0.9])
    rules: Rules = absent(
        examples=[[_RULE]], description="As `pool add --rule` takes them, or as JSON."
    )
    binding: Annotated[list[Parameter], Field(max_length=5)] = absent(examples=[["campaign"]])
    grows: bool = absent(examples=[False])
    record: bool = absent(examples=[True])
    default_number: E164 | None = absent(examples=["+74951234567"])
    target: Ref | None = absent(examples=["office"])
    source: Name | None = absent(examples=["leaflet"])
    medium: Name | None = absent(examples=["print"])
    campaign: Name | None = absent(examples=["spring"])
    channel: Name | None = absent(examples=["google_ads"])
    region: Name | None = absent(examples=["RU-MOW"])


class PoolNew(_PoolFields):
    site: Ref = Field(examples=["shop"], description="Its name, key or id.")
    name: Name = Field(examples=["ads"])
    kind: PoolKind = absent(examples=["dynamic"])


class PoolChange(_PoolFields):
    """Its site and its kind stay. null takes away what a pool need not have."""

    name: Annotated[Name, Field(min_length=1)] = absent(examples=["ads"])
