"""Rules: what they say, which pool a visit would get, what a rule would have changed."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from router.commands.base import Organisation, run, table
from router.domain import phone
from router.domain.errors import FieldError
from router.domain.model import Device
from router.domain.rules import parse, words, written
from router.domain.targeting import Targeting, rules_in_words
from router.services.rehearsal import Rehearsal, Which
from router.services.trials import Trial, Trials

rule_app = typer.Typer(no_args_is_help=True, help="Rules that say which visits a pool serves.")

Site = Annotated[str, typer.Option(help="Its name or key.")]


def add_commands(pools: typer.Typer) -> None:
    """One stands among those of the pools."""
    pools.command("which")(pool_which)


@rule_app.command("check")
def rule_check(ctx: typer.Context, rule: str) -> None:
    """What a rule says, for example: rule check 'source=google and not path^=/blog'."""

    async def read() -> str:
        found = parse(rule)
        return f"{written(found)}\n{words(found)}"

    typer.echo(run(ctx, lambda _db, _now: read()))


@rule_app.command("try")
def rule_try(
    ctx: typer.Context,
    site: Site,
    rule: Annotated[
        list[str] | None, typer.Argument(help="One or more, all of which hold; else the pool's.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="The pool that would have it; else a new one.")
    ] = None,
    priority: Annotated[
        int | None, typer.Option(help="Instead of the pool's; of a new one before all others.")
    ] = None,
    days: Annotated[int, typer.Option(help="1 to 365.")] = 30,
    organisation: Organisation = None,
) -> None:
    """What a rule would have changed for the sessions of the last days. Changes nothing.

    For example: rule try 'channel=google_ads and region=RU-MOW' --site shop --pool ads
    """
    found = run(
        ctx,
        lambda db, now: Trials(db).try_rules(
            rule or (),
            site=site,
            pool=pool,
            priority=priority,
            days=days,
            organisation=organisation,
            now=now,
        ),
    )
    show_trial(found)


def show_trial(trial: Trial) -> None:
    """Counts, who would move where, and some sessions."""
    share = f" ({trial.matched / trial.looked_at:.1%})" if trial.looked_at else ""
    typer.echo(
        f"{trial.matched:,} of {trial.looked_at:,} sessions since {trial.since:%Y-%m-%d %H:%M}"
        f"{share}; {trial.moved:,} would get something else"
    )
    if not trial.whole:
        typer.echo("the time was over before the days were: older sessions were not looked at")
    if trial.moves:
        typer.echo()
        rows = sorted(trial.moves.items(), key=lambda move: (-move[1], move[0]))
        table(
            ["GOT", "WOULD GET", "SESSIONS"],
            [[got, "the same" if got == would else would, n] for (got, would), n in rows],
        )
    if trial.examples:
        typer.echo()
        table(
            [
                "BEGAN",
                "CHANNEL",
                "SOURCE",
                "MEDIUM",
                "CAMPAIGN",
                "GOT",
                "WOULD GET",
                "LANDING PAGE",
            ],
            [
                [
                    f"{one.at:%Y-%m-%d %H:%M}",
                    one.channel,
                    one.source[:24],
                    one.medium[:24],
                    one.campaign[:24],
                    one.got,
                    one.would_get,
                    one.url[:80],
                ]
                for one in trial.examples
            ],
        )


def pool_which(
    ctx: typer.Context,
    site: Site,
    url: Annotated[str, typer.Option(help="The page on which the visitor landed.")],
    referrer: Annotated[str, typer.Option()] = "",
    region: Annotated[str | None, typer.Option(help="ISO 3166-2, e.g. RU-MOW.")] = None,
    city: Annotated[str | None, typer.Option()] = None,
    device: Annotated[str | None, typer.Option(help="mobile or desktop")] = None,
    visit: Annotated[int, typer.Option(help="1: the visitor's first.")] = 1,
    organisation: Organisation = None,
) -> None:
    """Which pool a visit would get, and why.

    For example: pool which --site shop --url 'https://shop.example/?gclid=1' --device mobile
    """

    async def look(rehearsal: Rehearsal) -> Which:
        if device not in (None, "mobile", "desktop"):
            raise FieldError("device", f"{device!r} is neither mobile nor desktop", "mobile")
        return await rehearsal.which(
            site,
            url,
            referrer=referrer,
            region=region,
            city=city,
            device=cast(Device | None, device),
            visit=visit,
            organisation=organisation,
        )

    found = run(ctx, lambda db, _: look(Rehearsal(db)))
    touch = found.touch
    channel = found.channel.channel
    typer.echo(f"touch    {touch.source} / {touch.medium} / {touch.campaign or '-'}")
    typer.echo(f"channel  {channel.key} ({channel.name}), by {written(found.channel.rule)}")
    serves = found.targeting.pool
    typer.echo(f"pool     {serves.name if serves else 'none'}")
    typer.echo(f"default  {phone.international(found.default)}, {found.default_of}")
    typer.echo()
    _asked(found.targeting)
    for number, targeting in found.parts.items():
        chosen = targeting.pool.name if targeting.pool else "none"
        typer.echo(f"\n{phone.international(number)} on the same page: {chosen}")
        _asked(targeting)


def _asked(targeting: Targeting) -> None:
    """Every pool, in the order in which they are asked."""
    rows = [[one.pool.priority, one.pool.name, "no", one.words] for one in targeting.refused]
    if targeting.pool is not None:
        pool = targeting.pool
        rows.append([pool.priority, pool.name, "yes", rules_in_words(pool)])
    rows += [
        [pool.priority, pool.name, "not asked", rules_in_words(pool)] for pool in targeting.unasked
    ]
    table(["PRIORITY", "POOL", "SERVES IT", "WHY"], rows)
