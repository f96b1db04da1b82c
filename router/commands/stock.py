"""Stock: files of numbers, in and out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from router.commands.base import Organisation, Region, by, run
from router.domain.errors import FieldError
from router.services.stock.exporting import StockExport
from router.services.stock.importing import Imported, StockImport
from router.services.stock.importing import Progress as Told

FILE_BYTES_AT_MOST = 100_000_000
stock_app = typer.Typer()


@stock_app.command("import")
def number_import(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV; docs/numbers.md has its columns.")],
    pool: Annotated[str | None, typer.Option(help="For numbers in use that name none.")] = None,
    region: Region = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also into a pool of another region or carrier.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    organisation: Organisation = None,
) -> None:
    """Take in numbers and blocks of a CSV file: all of it, or nothing."""
    with bar() as told:
        done = run(
            ctx,
            lambda db, now: StockImport(db).import_stock(
                text_of(file),
                pool=pool,
                region=region,
                force=force,
                dry_run=dry_run,
                progress=told,
                by=by(now, organisation),
            ),
        )
    typer.echo("\n".join(_said(done, dry_run=dry_run)))


@stock_app.command("export")
def number_export(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Without one, or with -, it is printed.")
    ] = None,
    organisation: Organisation = None,
) -> None:
    """Write all numbers in the form that `number import` reads."""
    text = run(ctx, lambda db, _: StockExport(db).export_stock(organisation))
    if file is None or str(file) == "-":
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        typer.echo(f"{file} written")


def text_of(file: Path) -> str:
    """The text of a file. Raises FieldError."""
    try:
        if file.stat().st_size > FILE_BYTES_AT_MOST:
            raise FieldError("file", f"{file} has more than 100 MB", "numbers.csv")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FieldError("file", f"{file} is not text in UTF-8", "numbers.csv") from None
    except OSError as error:
        raise FieldError("file", f"{file}: {error.strerror}", "numbers.csv") from None


@contextmanager
def bar() -> Iterator[Told]:
    """A progress bar on a terminal; elsewhere nothing is shown."""
    console = Console(stderr=True)
    columns = (TextColumn("numbers"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task("numbers", total=None, visible=False)

        def told(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total, visible=True)

        yield told


def _said(done: Imported, *, dry_run: bool) -> Iterator[str]:
    would = "would be " if dry_run else ""
    yield f"{done.numbers:,} numbers {would}taken in, of {done.lines:,} lines, {done.blocks:,} blocks"
    for place, count in sorted(done.by_place.items()):
        yield f"  {count:,} {place}"
    if done.contaminated or done.ported:
        yield f"left out: {done.contaminated:,} contaminated, {done.ported:,} ported"
    if done.returned:
        yield f"{done.returned:,} of them had been withdrawn and come back"
