"""Tracking numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from router.commands.base import Organisation, Region, by, run, table
from router.domain import phone
from router.services.administration import Administration
from router.services.administration.standings import WORDS
from router.services.inventory import Inventory
from router.store.administration import NumberRow

number_app = typer.Typer(no_args_is_help=True, help="Tracking numbers.")


@number_app.command("add")
def number_add(
    ctx: typer.Context,
    numbers: list[str],
    pool: Annotated[str | None, typer.Option()] = None,
    site: Annotated[str | None, typer.Option(help="Where two sites have such a pool.")] = None,
    trunk: Annotated[str | None, typer.Option(help="The carrier they come from.")] = None,
    target: Annotated[str | None, typer.Option(help="Instead of the pool's or site's.")] = None,
    record: Annotated[bool | None, typer.Option(help="Instead of the pool's.")] = None,
    listen: Annotated[
        bool, typer.Option("--listen", help="Show them to nobody until they are known to be quiet.")
    ] = False,
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Add tracking numbers, for example: number add +74951110001 --pool ads --trunk carrier-1."""
    added = run(
        ctx,
        lambda db, now: Administration(db).add_numbers(
            numbers,
            pool=pool,
            site=site,
            trunk=trunk,
            target=target,
            record=record,
            listen=listen,
            region=region,
            by=by(now, organisation),
        ),
    )
    typer.echo("\n".join(f"number {phone.international(number)} added" for number in added))


@number_app.command("list")
def number_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """All tracking numbers and their state now."""
    now = ctx.obj.clock()
    rows = run(ctx, lambda db, _: Inventory(db).numbers(organisation))
    table(
        ["NUMBER", "SITE", "POOL", "TRUNK", "STATE"],
        [
            [
                phone.international(row.e164),
                row.site,
                row.pool,
                row.trunk,
                _state(row, now),
            ]
            for row in rows
        ],
    )


@number_app.command("withdraw")
def number_withdraw(
    ctx: typer.Context,
    numbers: list[str],
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Take numbers out of use; `number add` brings them back."""
    gone = run(
        ctx,
        lambda db, now: Administration(db).withdraw_numbers(
            numbers, region=region, by=by(now, organisation)
        ),
    )
    typer.echo("\n".join(f"number {phone.international(number)} withdrawn" for number in gone))


def _state(row: NumberRow, now: datetime) -> str:
    if row.withdrawn_at:
        return "withdrawn"
    if row.standing != "in_use":
        return WORDS[row.standing]
    return "reserved" if row.held and row.reserved_until > now else "free"
