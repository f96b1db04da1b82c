"""Where numbers belong and what became of them: commands of `call-router number`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from router.commands.base import Organisation, Region, by, run, table
from router.domain import phone
from router.services.administration import Administration
from router.services.administration.standings import WORDS
from router.services.histories import Histories
from router.store.histories import NumberFacts

move_app = typer.Typer()


@move_app.command("move")
def number_move(
    ctx: typer.Context,
    numbers: list[str],
    to: Annotated[str, typer.Option(help="The pool they go to.")],
    site: Annotated[str | None, typer.Option(help="Where two sites have such a pool.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also to another region or carrier, or out of a rest.")
    ] = False,
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Put numbers into a pool; one that a visitor has on his page goes when he has left."""
    moved = run(
        ctx,
        lambda db, now: Administration(db).move_numbers(
            numbers, to=to, site=site, force=force, region=region, by=by(now, organisation)
        ),
    )
    for number in moved.at_once:
        typer.echo(f"number {phone.international(number)} is in pool {to}")
    for number in moved.waiting:
        typer.echo(f"number {phone.international(number)} goes to pool {to} when nobody holds it")


@move_app.command("retire")
def number_retire(
    ctx: typer.Context,
    numbers: list[str],
    days: Annotated[int, typer.Option(help="Answered and matched for so long, 0 to 365.")] = 30,
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Withdraw numbers gently: shown to nobody new, answered for some time, then out of use."""
    gone = run(
        ctx,
        lambda db, now: Administration(db).retire_numbers(
            numbers, days=days, region=region, by=by(now, organisation)
        ),
    )
    typer.echo(
        "\n".join(f"number {phone.international(n)} is answered for {days} days more" for n in gone)
    )


@move_app.command("show")
def number_show(
    ctx: typer.Context,
    number: str,
    most: Annotated[int, typer.Option(help="So many of each list, 1 to 1000.")] = 20,
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """One number and its history: who held it when, who called it, what was done to it."""
    now = ctx.obj.clock()
    found = run(
        ctx,
        lambda db, _: Histories(db).number(
            number, now, region=region, most=most, organisation=organisation
        ),
    )
    table(["NUMBER", phone.international(found.number.e164)], _facts(found.number, now))
    typer.echo("\nHELD BY")
    table(
        ["FROM", "UNTIL", "WHY", "POOL", "CAMPAIGN", "SESSION"],
        [
            [
                _time(one.started_at),
                _time(one.ended_at),
                one.end_reason,
                one.pool,
                _words(one.source, one.medium, one.campaign),
                one.session,
            ]
            for one in found.holdings
        ],
    )
    typer.echo("\nCALLS")
    table(
        ["AT", "CALLER", "OUTCOME", "CREDITED TO", "SURE"],
        [
            [
                _time(one.arrived_at),
                one.caller,
                one.outcome,
                _words(one.source, one.medium, one.campaign),
                "" if one.confidence is None else f"{one.confidence:.2f}",
            ]
            for one in found.calls
        ],
    )
    typer.echo("\nCHANGES")
    table(
        ["AT", "WHAT", "POOL", "WHY", "BY"],
        [[_time(one.at), one.what, one.pool, one.why, one.actor] for one in found.changes],
    )


def _facts(one: NumberFacts, now: datetime) -> list[list[object]]:
    cost = f"{one.monthly_cost:.2f} {one.currency}" if one.monthly_cost is not None else ""
    until = one.reserved_until if one.held and one.reserved_until > now else None
    return [
        ["stands", "withdrawn" if one.withdrawn_at else WORDS[one.standing]],
        ["pool", _words(one.pool, one.site)],
        ["moves to", one.moves_to],
        ["leaves", _time(one.leaves_at)],
        ["trunk", one.trunk],
        ["calls go to", one.target],
        ["carrier", one.carrier],
        ["region", _words(one.region, one.rate_centre)],
        ["block", one.block],
        ["cost per month", cost],
        ["reserved until", _time(until)],
        ["shows", one.shows],
        ["calls", one.calls],
    ]


def _words(*names: str | None) -> str:
    return " / ".join(name for name in names if name)


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""
