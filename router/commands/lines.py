"""Organisations, and where their calls go: trunks and targets."""

from __future__ import annotations

from typing import Annotated

import typer

from router.commands.base import Organisation, Region, by, run, table
from router.services.administration import Administration
from router.services.inventory import Inventory

organisation_app = typer.Typer(no_args_is_help=True, help="Customers of this installation.")
trunk_app = typer.Typer(
    no_args_is_help=True, help="Carriers' connections, named as CT_TRUNK in pjsip.conf."
)
target_app = typer.Typer(no_args_is_help=True, help="Company lines that calls are sent to.")


@organisation_app.command("add")
def organisation_add(ctx: typer.Context, name: str) -> None:
    """Add a customer, for example: organisation add Acme."""
    run(ctx, lambda db, now: Administration(db).add_organisation(name, by=by(now)))
    typer.echo(f"organisation {name} added")


@organisation_app.command("list")
def organisation_list(ctx: typer.Context) -> None:
    """All organisations."""
    rows = run(ctx, lambda db, _: Inventory(db).organisations())
    table(["NAME", "SINCE"], [[row.name, f"{row.created_at:%Y-%m-%d}"] for row in rows])


@trunk_app.command("add")
def trunk_add(
    ctx: typer.Context,
    name: str,
    target: Annotated[str | None, typer.Option(help="Takes calls when nothing is known.")] = None,
    organisation: Organisation = None,
) -> None:
    """Add a carrier's connection, for example: trunk add carrier-1 --target office."""
    run(
        ctx,
        lambda db, now: Administration(db).add_trunk(name, target=target, by=by(now, organisation)),
    )
    typer.echo(f"trunk {name} added")


@trunk_app.command("direct")
def trunk_direct(
    ctx: typer.Context, name: str, target: str, organisation: Organisation = None
) -> None:
    """Send a trunk's calls to another target when nothing else is known."""
    run(
        ctx,
        lambda db, now: Administration(db).direct_trunk(
            name, target=target, by=by(now, organisation)
        ),
    )
    typer.echo(f"trunk {name} falls back on {target}")


@trunk_app.command("list")
def trunk_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """All trunks."""
    rows = run(ctx, lambda db, _: Inventory(db).trunks(organisation))
    table(["NAME", "TARGET"], [[row.name, row.target] for row in rows])


@target_app.command("add")
def target_add(
    ctx: typer.Context,
    name: str,
    endpoint: Annotated[str | None, typer.Option(help="An endpoint of pjsip.conf.")] = None,
    number: Annotated[str | None, typer.Option(help="A number, dialled through --trunk.")] = None,
    trunk: Annotated[str | None, typer.Option()] = None,
    region: Region = None,
    ring_seconds: Annotated[int, typer.Option(help="1 to 120.")] = 25,
    organisation: Organisation = None,
) -> None:
    """Add a company line, for example: target add office --endpoint office."""
    run(
        ctx,
        lambda db, now: Administration(db).add_target(
            name,
            endpoint=endpoint,
            number=number,
            trunk=trunk,
            region=region,
            ring_seconds=ring_seconds,
            by=by(now, organisation),
        ),
    )
    typer.echo(f"target {name} added")


@target_app.command("list")
def target_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """All company lines."""
    rows = run(ctx, lambda db, _: Inventory(db).targets(organisation))
    table(
        ["NAME", "LINE", "TRUNK", "RINGS"],
        [[row.name, row.endpoint or row.e164, row.trunk, f"{row.ring_seconds} s"] for row in rows],
    )
