"""Numbers put aside and brought back by hand: commands of `call-router number`."""

from __future__ import annotations

from typing import Annotated

import typer

from router.commands.base import Organisation, Region, by, run, table
from router.domain import phone
from router.services.administration import Administration
from router.services.administration.standings import WORDS

standing_app = typer.Typer()

Why = Annotated[str, typer.Option(help="The reason, for the log.")]


@standing_app.command("quarantine")
def number_quarantine(
    ctx: typer.Context,
    numbers: list[str],
    why: Why = "",
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Take numbers out of rotation; they are answered all the same, until `number release`."""
    put = run(
        ctx,
        lambda db, now: Administration(db).quarantine_numbers(
            numbers, why=why, region=region, by=by(now, organisation)
        ),
    )
    _say(put, "in quarantine")


@standing_app.command("listen")
def number_listen(
    ctx: typer.Context,
    numbers: list[str],
    why: Why = "",
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Show numbers to nobody until they are known to be quiet; they are answered all the same."""
    put = run(
        ctx,
        lambda db, now: Administration(db).listen_to_numbers(
            numbers, why=why, region=region, by=by(now, organisation)
        ),
    )
    _say(put, "listening")


@standing_app.command("release")
def number_release(
    ctx: typer.Context,
    numbers: list[str],
    why: Why = "",
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """End a quarantine or a listening period: back to where the numbers stood before."""
    put = run(
        ctx,
        lambda db, now: Administration(db).release_numbers(
            numbers, why=why, region=region, by=by(now, organisation)
        ),
    )
    _say(put, "released")


@standing_app.command("log")
def number_log(
    ctx: typer.Context,
    number: Annotated[str | None, typer.Argument(help="One number; without it all.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000, help="So many of the newest.")] = 50,
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Why numbers stand where they stand."""
    rows = run(
        ctx,
        lambda db, _: Administration(db).standing_log(
            number, organisation=organisation, region=region, most=most
        ),
    )
    table(
        ["WHEN", "NUMBER", "FROM", "TO", "SITE", "POOL", "WHY", "BY"],
        [
            [
                f"{row.at:%Y-%m-%d %H:%M}",
                phone.international(row.e164),
                WORDS[row.from_standing],
                WORDS[row.to_standing],
                row.site,
                row.pool,
                row.why,
                row.actor,
            ]
            for row in rows
        ],
    )


def _say(numbers: tuple[str, ...], what: str) -> None:
    typer.echo("\n".join(f"number {phone.international(number)} {what}" for number in numbers))
