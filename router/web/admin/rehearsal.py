"""Targeting tried out: what a rule says, which pool a visit would get, what a rule would have changed. Nothing
here changes anything, so a token that may only read will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from router.domain.errors import FieldError, FieldErrors
from router.domain.model import Device
from router.domain.rules import to_json, words, written
from router.domain.targeting import Targeting, rules_in_words
from router.services import checks
from router.services.rehearsal import Rehearsal, Which
from router.services.trials import Trial, Trials
from router.store.database import Database
from router.web.admin.bodies import Body, Name, Ref, absent, read_json
from router.web.admin.rule_schemas import Rule, Rules
from router.web.admin.writes import READ_ERRORS, in_json
from router.web.answers import json_answer
from router.web.auth import ACTOR
from router.web.endpoint import JSON, Endpoint
from router.web.schemas import Answer

_RULE = "channel=google_ads and region=RU-MOW"
# a request does not wait as long as a person at a command line does
_SECONDS = 8.0
_ERRORS = (*READ_ERRORS, 403, 408, 413, 415)
Days = Annotated[int, Field(ge=1, le=365)]
Place = Annotated[int, Field(ge=0, le=1_000_000)]


class RuleBody(Body):
    rule: Rule = Field(examples=[_RULE])


class RuleOut(Answer):
    """The same rule in its three forms."""

    text: str = Field(examples=[_RULE])
    words: str = Field(examples=["channel is 'google_ads' and region is 'RU-MOW'"])
    tree: dict[str, Any]


class VisitBody(Body):
    """A visitor who lands on `url`."""

    site: Ref = Field(examples=["shop"])
    url: Annotated[str, Field(max_length=8000)] = Field(examples=["https://shop.example/?gclid=1"])
    referrer: Annotated[str, Field(max_length=8000)] = Field("", examples=["https://ya.ru/"])
    region: Name | None = Field(None, examples=["RU-MOW"])
    city: Name | None = Field(None, examples=["Moscow"])
    device: Device | None = Field(None, examples=["mobile"])
    visit: Annotated[int, Field(ge=1, le=1_000_000)] = Field(1, examples=[1])


class AskedOut(Answer):
    """A pool, in the order in which they are asked. `serves` is null for one that was not asked."""

    pool: str
    priority: int
    serves: bool | None
    why: str


class WhichOut(Answer):
    """`default`: what the visit sees if no number of its own can be had."""

    channel: str
    channel_name: str
    channel_rule: str
    source: str
    medium: str
    campaign: str
    pool: str | None
    default: str
    default_of: str
    pools: list[AskedOut]
    parts: dict[str, list[AskedOut]] = Field(description="The same for the page's further numbers.")

    @classmethod
    def of(cls, which: Which) -> WhichOut:
        touch, channel = which.touch, which.channel.channel
        return cls(
            channel=channel.key,
            channel_name=channel.name,
            channel_rule=written(which.channel.rule),
            source=touch.source,
            medium=touch.medium,
            campaign=touch.campaign,
            pool=which.targeting.pool.name if which.targeting.pool else None,
            default=which.default,
            default_of=which.default_of,
            pools=_asked(which.targeting),
            parts={number: _asked(one) for number, one in which.parts.items()},
        )


class TrialBody(Body):
    """Rules of which all hold, for `pool` (without any: the pool's own), or for a new pool."""

    site: Ref = Field(examples=["shop"])
    rules: Rules = Field([], examples=[[_RULE]])
    pool: Name | None = absent(examples=["ads"])
    priority: Place | None = absent(examples=[10])
    days: Days = Field(30, examples=[30])


class ChannelTrialBody(Body):
    """Rules of which any is enough."""

    site: Ref = Field(examples=["shop"])
    rules: Rules = Field(examples=[["source=radio"]])
    days: Days = Field(30, examples=[30])


class MoveOut(Answer):
    got: str
    would_get: str
    sessions: int


class ExampleOut(Answer):
    at: datetime
    url: str
    channel: str
    source: str
    medium: str
    campaign: str
    got: str
    would_get: str


class TrialOut(Answer):
    """`whole`: false where the time was over before the days were; `since` is how far it came."""

    looked_at: int
    matched: int
    moved: int
    since: datetime
    whole: bool
    moves: list[MoveOut]
    examples: list[ExampleOut]

    @classmethod
    def of(cls, trial: Trial) -> TrialOut:
        return cls(
            looked_at=trial.looked_at,
            matched=trial.matched,
            moved=trial.moved,
            since=trial.since,
            whole=trial.whole,
            moves=[
                MoveOut(got=got, would_get=would_get, sessions=n)
                for (got, would_get), n in sorted(trial.moves.items())
            ],
            examples=[ExampleOut(**asdict(one)) for one in trial.examples],
        )


class Trying:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._rehearsal = Rehearsal(database)
        self._trials = Trials(database, seconds=_SECONDS)
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        def reads(
            path: str, handler: Any, body: type[Body], answer: type[Answer], summary: str
        ) -> Endpoint:
            return Endpoint(
                method="POST",
                path=path,
                handler=handler,
                summary=summary,
                body=body,
                accepts=(JSON,),
                answers={200: answer},
                errors=_ERRORS,
                needs="read",
            )

        return [
            reads("/v1/rules/check", self.check, RuleBody, RuleOut, "What a rule says."),
            reads(
                "/v1/rules/try",
                self.try_rules,
                TrialBody,
                TrialOut,
                "What rules would have changed for the sessions of the last days.",
            ),
            reads(
                "/v1/channels/try",
                self.try_channel,
                ChannelTrialBody,
                TrialOut,
                "Which sessions of the last days a channel with these rules would have had.",
            ),
            reads(
                "/v1/pools/which",
                self.which,
                VisitBody,
                WhichOut,
                "Which pool a visit would get, and why.",
            ),
        ]

    async def check(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, RuleBody)
        (rule,) = checks.rules([body.rule])
        return json_answer(RuleOut(text=written(rule), words=words(rule), tree=to_json(rule)))

    async def try_rules(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, TrialBody)
        given = body.changes()
        return await self._told(
            self._trials.try_rules(
                body.rules,
                site=body.site,
                pool=given.get("pool"),
                priority=given.get("priority"),
                days=body.days,
                organisation=request[ACTOR].organisation_id,
                now=self._clock(),
            )
        )

    async def try_channel(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, ChannelTrialBody)
        return await self._told(
            self._trials.try_channel(
                body.rules,
                site=body.site,
                days=body.days,
                organisation=request[ACTOR].organisation_id,
                now=self._clock(),
            )
        )

    @staticmethod
    async def _told(trial: Any) -> web.StreamResponse:
        try:
            return json_answer(TrialOut.of(await trial))
        except (FieldError, FieldErrors) as refused:
            raise in_json(refused, "", {"rules"}) from refused

    async def which(self, request: web.Request) -> web.StreamResponse:
        body = await read_json(request, VisitBody)
        found = await self._rehearsal.which(
            body.site,
            body.url,
            referrer=body.referrer,
            region=body.region,
            city=body.city,
            device=body.device,
            visit=body.visit,
            organisation=request[ACTOR].organisation_id,
        )
        return json_answer(WhichOut.of(found))


def _asked(targeting: Targeting) -> list[AskedOut]:
    rows = [
        AskedOut(pool=one.pool.name, priority=one.pool.priority, serves=False, why=one.words)
        for one in targeting.refused
    ]
    chosen: Sequence[Any] = [targeting.pool] if targeting.pool is not None else []
    for pools, serves in ((chosen, True), (targeting.unasked, None)):
        rows += [
            AskedOut(
                pool=pool.name, priority=pool.priority, serves=serves, why=rules_in_words(pool)
            )
            for pool in pools
        ]
    return rows
