"""What every command shares: the connection, refusals as lines a person can act on, tables."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from getpass import getuser
from typing import Annotated, TypeVar

import typer

from router.domain.errors import CallRouterError, FieldError, FieldErrors, StoreUnavailable
from router.services.work import By
from router.settings import Settings
from router.store.database import Database

T = TypeVar("T")
REFUSED, FAILED = 2, 1


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What `__main__` hands to every command. Settings are read by the command that needs them: help needs none."""

    environment: Mapping[str, str]
    clock: Callable[[], datetime]

    @cached_property
    def settings(self) -> Settings:
        """Raises SettingsError."""
        return Settings.from_mapping(self.environment)


Organisation = Annotated[
    str | None, typer.Option(help="Needed where there are several organisations.")
]
Region = Annotated[
    str | None, typer.Option(help="Country of numbers written without +, for example RU.")
]


def run(ctx: typer.Context, work: Callable[[Database, datetime], Awaitable[T]]) -> T:
    """Connect, do `work`, and turn every refusal into lines that a person can act on."""
    invocation: Invocation = ctx.obj
    url = invocation.settings.database_url

    async def connected() -> T:
        database = await Database.connect(url, connections=1, name="call-router administration")
        try:
            return await work(database, invocation.clock())
        finally:
            await database.close()

    try:
        return asyncio.run(connected())
    except (FieldError, FieldErrors) as refused:
        _complain(str(refused).splitlines())
        raise typer.Exit(REFUSED) from None
    except StoreUnavailable as unavailable:
        _complain([str(unavailable), "is PostgreSQL running, and CALL_ROUTER_DATABASE_URL right?"])
        raise typer.Exit(FAILED) from None
    except CallRouterError as failed:
        _complain([str(failed)])
        raise typer.Exit(FAILED) from None


def _complain(lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(f"error: {line}", err=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as what stands in them; a dash where nothing does."""
    cells = [[str(cell) if cell not in (None, "") else "-" for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(headings), *cells]) for i in range(len(headings))]
    for line in [list(headings), *cells]:
        typer.echo("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip())


def by(now: datetime, organisation: str | None = None) -> By:
    return By(actor=f"command line ({getuser()})", now=now, organisation=organisation)
