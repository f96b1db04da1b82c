"""The organisation's shared pool."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from router.commands.base import Organisation, Region, by, run, table
from router.commands.standings import Why
from router.domain import phone
from router.services.administration import Administration
from router.services.administration.standings import WORDS
from router.services.shared_pool import DryRun, SharedPool, costs
from router.store.shared_pool import Idle, TakenBack

shared_app = typer.Typer(
    no_args_is_help=True,
    help="The shared pool: clean numbers that sites get at their peaks and give back.",
)


@shared_app.command("list")
def shared_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """Its numbers, and those on their way into it."""
    rows = run(ctx, lambda db, _: SharedPool(db).members(organisation))
    table(
        ["NUMBER", "STATE", "SINCE", "REGION", "CARRIER", "ANSWERED FOR"],
        [
            [
                phone.international(row.e164),
                WORDS[row.standing],
                _day(row.since),
                row.region,
                row.carrier,
                f"{row.site}, {row.pool}" if row.site else None,
            ]
            for row in rows
        ],
    )


@shared_app.command("add")
def shared_add(
    ctx: typer.Context,
    numbers: list[str],
    listen: Annotated[
        bool, typer.Option(help="First find out whether anybody calls them all the same.")
    ] = True,
    why: Why = "",
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Put numbers without a pool into the shared pool, for example: shared add +74951110009."""
    put = run(
        ctx,
        lambda db, now: Administration(db).share_numbers(
            numbers, listen=listen, why=why, region=region, by=by(now, organisation)
        ),
    )
    _say(put, "listening, then in the shared pool" if listen else "in the shared pool")


@shared_app.command("remove")
def shared_remove(
    ctx: typer.Context,
    numbers: list[str],
    why: Why = "",
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Take numbers out of the shared pool: nobody's, until they are assigned to a pool."""
    put = run(
        ctx,
        lambda db, now: Administration(db).unshare_numbers(
            numbers, why=why, region=region, by=by(now, organisation)
        ),
    )
    _say(put, "out of the shared pool")


@shared_app.command("grow")
def shared_grow(
    ctx: typer.Context,
    pool: str,
    site: Annotated[str | None, typer.Option(help="Where two sites have such a pool.")] = None,
    organisation: Organisation = None,
) -> None:
    """Give a pool one number of the shared pool now."""
    grown = run(
        ctx,
        lambda db, now: Administration(db).grow_pool(pool, site=site, by=by(now, organisation)),
    )
    _say((grown,), f"given to pool {pool}")


@shared_app.command("take-back")
def shared_take_back(
    ctx: typer.Context,
    numbers: Annotated[
        list[str] | None, typer.Argument(help="These, now; without any, those that are due.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    why: Why = "",
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Let numbers rest that their sites do not need; the router does this by itself every hour."""
    if dry_run:
        return _tell(run(ctx, lambda db, now: SharedPool(db).dry_run(now, organisation)))
    if numbers:
        put = run(
            ctx,
            lambda db, now: Administration(db).take_back_numbers(
                numbers, why=why, region=region, by=by(now, organisation)
            ),
        )
    else:
        put = run(ctx, lambda db, now: Administration(db).take_back_due(by=by(now, organisation)))
    if not put:
        typer.echo("nothing is due")
    return _say(put, "resting")


@shared_app.command("log")
def shared_log(
    ctx: typer.Context,
    most: Annotated[int, typer.Option(min=1, max=1000, help="So many of the newest.")] = 50,
    organisation: Organisation = None,
) -> None:
    """What went back, and the calls that came to it since."""
    rows = run(ctx, lambda db, _: SharedPool(db).log(organisation, most=most))
    table(
        [
            "WHEN",
            "NUMBER",
            "SITE",
            "POOL",
            "LAST SHOWN",
            "LAST CALL",
            "A MONTH",
            "CALLS SINCE",
            "NOW",
        ],
        [
            [
                _day(row.at),
                phone.international(row.e164),
                row.site,
                row.pool,
                _day(row.last_shown_at),
                _day(row.last_call_at),
                _cost(row),
                len(row.calls),
                WORDS[row.standing],
            ]
            for row in rows
        ],
    )
    _saved(rows, "These numbers cost")


def _tell(dry: DryRun) -> None:
    table(
        ["NUMBER", "SITE", "POOL", "SINCE", "LAST SHOWN", "LAST CALL", "A MONTH", "WOULD GO"],
        [
            [
                phone.international(due.idle.e164),
                due.idle.site,
                due.idle.pool,
                _day(due.idle.grown_at),
                _day(due.idle.last_shown_at),
                _day(due.idle.last_call_at),
                _cost(due.idle),
                "now" if due.goes else "later: this month's share is used up",
            ]
            for due in dry.due
        ],
    )
    _saved([due.idle for due in dry.due if due.goes], "Those that would go now cost")
    typer.echo(
        f"In the last {dry.history.days} days numbers were idle for as long {dry.past.taken} times. "
        f"Calls that came afterwards, before they were shown again: {dry.past.reached} within the rest, "
        f"which reach the same company, and {dry.past.lost} later, which would not."
    )


def _saved(numbers: Sequence[Idle | TakenBack], words: str) -> None:
    sums = ", ".join(f"{sum_:.2f} {currency}".strip() for currency, sum_ in costs(numbers).items())
    if sums:
        typer.echo(f"{words} {sums} a month.")


def _cost(number: Idle | TakenBack) -> str | None:
    if number.monthly_cost is None:
        return None
    return f"{number.monthly_cost:.2f} {number.currency or ''}".strip()


def _day(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%d}" if at else None


def _say(numbers: tuple[str, ...], what: str) -> None:
    for number in numbers:
        typer.echo(f"number {phone.international(number)} {what}")
