"""Numbering plans: where callers are, by their numbers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from router.commands.base import Organisation, by, run, table
from router.commands.stock import text_of
from router.domain import phone
from router.services.administration import Administration
from router.services.regions import CallerPlace, Regions
from router.store.database import Database

plan_app = typer.Typer(no_args_is_help=True, help="Numbering plans of countries.")


@plan_app.command("import")
def plan_import(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV; docs/numbers.md has its columns.")],
    country: Annotated[str, typer.Option(help="Whose plan it is, for example RU.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file.")] = False,
    organisation: Organisation = None,
) -> None:
    """Load a country's plan in place of the one before: plan import ru.csv --country RU."""
    count = run(
        ctx,
        lambda db, now: Administration(db).import_plan(
            text_of(file), country=country, dry_run=dry_run, by=by(now, organisation)
        ),
    )
    typer.echo(f"{count:,} ranges of {country.upper()} {'can be' if dry_run else 'are'} loaded")


@plan_app.command("list")
def plan_list(ctx: typer.Context) -> None:
    """What is loaded."""
    rows = run(ctx, lambda db, _: Administration(db).plans())
    table(
        ["COUNTRY", "RANGES", "LOADED"],
        [[row.country, row.ranges, f"{row.loaded_at:%Y-%m-%d %H:%M}"] for row in rows],
    )


@plan_app.command("lookup")
def plan_lookup(ctx: typer.Context, number: str) -> None:
    """Where a caller's number is, as far as plans tell."""

    async def work(database: Database, _now: datetime) -> CallerPlace:
        regions = Regions(database)
        await regions.read()
        return regions.place(phone.parse(number))

    place = run(ctx, work)
    table(["REGION", "OPERATOR"], [[place.region, place.operator]])
