"""Codes of the telephone network that are split or renumbered."""

from __future__ import annotations

from typing import Annotated

import typer

from router.commands.base import Organisation, by, run, table
from router.services.administration import Administration

code_app = typer.Typer(no_args_is_help=True, help="Codes that are split or renumbered.")


@code_app.command("change")
def code_change(
    ctx: typer.Context,
    old: str,
    new: str,
    until: Annotated[str, typer.Option(help="When the old form ends: 2027-06-01")],
    from_: Annotated[
        str | None, typer.Option("--from", help="When the new form begins; else now.")
    ] = None,
    organisation: Organisation = None,
) -> None:
    """Numbers in OLD are written in NEW; till the end both are the same: code change 1-315-658 1-680-658."""
    count = run(
        ctx,
        lambda db, now: Administration(db).change_code(
            old, new, from_=from_, until=until, by=by(now, organisation)
        ),
    )
    typer.echo(f"{count:,} numbers change from {old} to {new}; both are answered until {until}")


@code_app.command("end")
def code_end(ctx: typer.Context, old: str, organisation: Organisation = None) -> None:
    """The old form is valid no longer; a change that has not begun is called off."""
    run(ctx, lambda db, now: Administration(db).end_code_change(old, by=by(now, organisation)))
    typer.echo(f"the change of {old} has ended")


@code_app.command("list")
def code_list(ctx: typer.Context) -> None:
    """Changes that are not over."""
    rows = run(ctx, lambda db, now: Administration(db).code_changes(now))
    table(
        ["OLD", "NEW", "FROM", "UNTIL", "STATE"],
        [
            [
                row.change.old,
                row.change.new,
                f"{row.change.from_at:%Y-%m-%d %H:%M}",
                f"{row.change.until_at:%Y-%m-%d %H:%M}",
                "both valid" if row.applied_at else "to come",
            ]
            for row in rows
        ],
    )
