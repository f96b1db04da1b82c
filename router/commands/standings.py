"""Numbers put aside and brought back by hand: commands of `call-router number`."""

from __future__ import annotations

from typing import Annotated

import typer

from router.commands.base import Organisation, Region, by, run, table
from router.domain import phone
from router.services.administration import Administration
from router.services.administration.standings import WORDS
from router.services.hygiene import Hygiene

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


@standing_app.command("noise")
def number_noise(
    ctx: typer.Context,
    all_numbers: Annotated[bool, typer.Option("--all", help="Quiet numbers too.")] = False,
    organisation: Organisation = None,
) -> None:
    """Calls to numbers that nobody was shown, the most unusual first, and why."""
    rows = run(ctx, lambda db, now: Hygiene(db).noise(now, organisation))
    table(
        ["NUMBER", "SITE", "POOL", "STATE", "NOISE", "SCORE", "DIRTY", "WHY"],
        [
            [
                phone.international(row.heard.e164),
                row.heard.site,
                row.heard.pool,
                WORDS[row.heard.standing],
                row.calls,
                f"{row.score:.0f}",
                "dirty" if row.dirty else "",
                "; ".join(row.reasons),
            ]
            for row in rows
            if row.calls or all_numbers
        ],
    )


def _say(numbers: tuple[str, ...], what: str) -> None:
    typer.echo("\n".join(f"number {phone.international(number)} {what}" for number in numbers))
