"""What was set up is changed, or deleted. What is not given stays; an empty text takes a thing away."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from router.commands.base import Organisation, Region, by, run
from router.commands.lines import organisation_app, target_app, trunk_app
from router.commands.numbers import number_app
from router.commands.sites import pool_app, site_app
from router.domain import phone
from router.services.administration import Administration

__all__ = ["number_app", "organisation_app", "pool_app", "site_app", "target_app", "trunk_app"]

NewName = Annotated[str | None, typer.Option("--name", help="Another name.")]
OfSite = Annotated[str | None, typer.Option(help="Where two sites have such a pool.")]


def _given(**options: Any) -> dict[str, Any]:
    """What was typed; of what may be taken away, an empty text is None."""
    return {name: value for name, value in options.items() if value is not None}


@organisation_app.command("rename")
def organisation_rename(ctx: typer.Context, name: str, organisation: Organisation = None) -> None:
    """Give a customer another name."""
    run(
        ctx,
        lambda db, now: Administration(db).rename_organisation(name, by=by(now, organisation)),
    )
    typer.echo(f"the organisation is called {name}")


@trunk_app.command("edit")
def trunk_edit(
    ctx: typer.Context,
    trunk: str,
    name: NewName = None,
    target: Annotated[str | None, typer.Option(help="Empty: none.")] = None,
    organisation: Organisation = None,
) -> None:
    """Change a carrier's connection, for example: trunk edit carrier1 --target office."""
    fields = _given(name=name, target=target)
    run(
        ctx,
        lambda db, now: Administration(db).edit_trunk(trunk, by=by(now, organisation), **fields),
    )
    typer.echo(f"trunk {name or trunk} edited")


@trunk_app.command("delete")
def trunk_delete(ctx: typer.Context, trunk: str, organisation: Organisation = None) -> None:
    """Delete a carrier's connection that nothing needs."""
    run(ctx, lambda db, now: Administration(db).delete_trunk(trunk, by=by(now, organisation)))
    typer.echo(f"trunk {trunk} deleted")


@target_app.command("edit")
def target_edit(
    ctx: typer.Context,
    target: str,
    name: NewName = None,
    endpoint: Annotated[str | None, typer.Option(help="Instead of a number.")] = None,
    number: Annotated[str | None, typer.Option(help="Instead of an endpoint.")] = None,
    trunk: Annotated[str | None, typer.Option(help="The number is dialled through it.")] = None,
    region: Region = None,
    ring_seconds: Annotated[int | None, typer.Option(help="1 to 120.")] = None,
    organisation: Organisation = None,
) -> None:
    """Change a company line, for example: target edit office --ring-seconds 40."""
    fields = _given(
        name=name, endpoint=endpoint, number=number, trunk=trunk, ring_seconds=ring_seconds
    )
    run(
        ctx,
        lambda db, now: Administration(db).edit_target(
            target, region=region, by=by(now, organisation), **fields
        ),
    )
    typer.echo(f"target {name or target} edited")


@target_app.command("delete")
def target_delete(ctx: typer.Context, target: str, organisation: Organisation = None) -> None:
    """Delete a company line that nothing needs."""
    run(ctx, lambda db, now: Administration(db).delete_target(target, by=by(now, organisation)))
    typer.echo(f"target {target} deleted")


@site_app.command("edit")
def site_edit(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(help="Its name or key.")],
    name: NewName = None,
    origin: Annotated[list[str] | None, typer.Option(help="All of them. Repeatable.")] = None,
    default_number: Annotated[str | None, typer.Option()] = None,
    target: Annotated[str | None, typer.Option()] = None,
    region: Annotated[str | None, typer.Option()] = None,
    time_zone: Annotated[str | None, typer.Option()] = None,
    page_number: Annotated[list[str] | None, typer.Option(help="All of them. Repeatable.")] = None,
    organisation: Organisation = None,
) -> None:
    """Change a web property, for example: site edit shop --default-number 84951234567."""
    fields = _given(
        name=name,
        origins=origin or None,
        default_number=default_number,
        target=target,
        region=region,
        time_zone=time_zone,
        page_numbers=page_number or None,
    )
    run(
        ctx,
        lambda db, now: Administration(db).edit_site(site, by=by(now, organisation), **fields),
    )
    typer.echo(f"site {name or site} edited")


@site_app.command("delete")
def site_delete(ctx: typer.Context, site: str, organisation: Organisation = None) -> None:
    """Delete a web property that has neither pools nor history."""
    run(ctx, lambda db, now: Administration(db).delete_site(site, by=by(now, organisation)))
    typer.echo(f"site {site} deleted")


@pool_app.command("edit")
def pool_edit(
    ctx: typer.Context,
    pool: str,
    site: OfSite = None,
    name: NewName = None,
    policy: Annotated[str | None, typer.Option(help="How its numbers are handed out.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="All of them. Repeatable.")] = None,
    every_visit: Annotated[bool, typer.Option("--every-visit", help="No rules.")] = False,
    priority: Annotated[int | None, typer.Option()] = None,
    reservation_seconds: Annotated[int | None, typer.Option()] = None,
    closed_seconds: Annotated[int | None, typer.Option()] = None,
    left_seconds: Annotated[int | None, typer.Option()] = None,
    idle_seconds: Annotated[int | None, typer.Option()] = None,
    bounce_seconds: Annotated[int | None, typer.Option()] = None,
    tapped_seconds: Annotated[int | None, typer.Option()] = None,
    price: Annotated[float | None, typer.Option()] = None,
    goal: Annotated[str | None, typer.Option(help="coverage or accuracy")] = None,
    aim: Annotated[float | None, typer.Option()] = None,
    binding: Annotated[
        list[str] | None,
        typer.Option(
            "--bind", "--binding", help="A parameter whose values hold numbers. Repeatable."
        ),
    ] = None,
    to_visitors: Annotated[bool, typer.Option("--to-visitors", help="No binding.")] = False,
    grows: Annotated[bool | None, typer.Option(help="From the shared pool.")] = None,
    record: Annotated[bool | None, typer.Option()] = None,
    default_number: Annotated[str | None, typer.Option(help="Empty: none.")] = None,
    target: Annotated[str | None, typer.Option(help="Empty: the site's.")] = None,
    source: Annotated[str | None, typer.Option(help="Of a static pool.")] = None,
    medium: Annotated[str | None, typer.Option(help="Empty: none.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Empty: none.")] = None,
    channel: Annotated[str | None, typer.Option(help="Empty: none.")] = None,
    region: Annotated[str | None, typer.Option(help="ISO 3166-2. Empty: none.")] = None,
    organisation: Organisation = None,
) -> None:
    """Change a pool, for example: pool edit ads --policy balanced --left-seconds 1800."""
    fields = _given(
        name=name,
        policy=policy,
        rules=() if every_visit else rule or None,
        priority=priority,
        reservation_seconds=reservation_seconds,
        closed_seconds=closed_seconds,
        left_seconds=left_seconds,
        idle_seconds=idle_seconds,
        bounce_seconds=bounce_seconds,
        tapped_seconds=tapped_seconds,
        price=price,
        goal=goal,
        aim=aim,
        binding=() if to_visitors else binding or None,
        grows=grows,
        record=record,
        default_number=default_number,
        target=target,
        source=source,
        medium=medium,
        campaign=campaign,
        channel=channel,
        region=region,
    )
    run(
        ctx,
        lambda db, now: Administration(db).edit_pool(
            pool, site=site, by=by(now, organisation), **fields
        ),
    )
    typer.echo(f"pool {name or pool} edited")


@pool_app.command("delete")
def pool_delete(
    ctx: typer.Context, pool: str, site: OfSite = None, organisation: Organisation = None
) -> None:
    """Delete a pool that has no numbers any more."""
    run(
        ctx,
        lambda db, now: Administration(db).delete_pool(pool, site=site, by=by(now, organisation)),
    )
    typer.echo(f"pool {pool} deleted")


@number_app.command("edit")
def number_edit(
    ctx: typer.Context,
    number: str,
    trunk: Annotated[str | None, typer.Option(help="Empty: none.")] = None,
    target: Annotated[str | None, typer.Option(help="Empty: the pool's or site's.")] = None,
    record: Annotated[bool | None, typer.Option()] = None,
    as_pool: Annotated[
        bool, typer.Option("--record-as-pool", help="Recorded as its pool says.")
    ] = False,
    region: Region = None,
    organisation: Organisation = None,
) -> None:
    """Change where one number's calls come from and go to: number edit +74951110001 --target office."""
    fields = _given(trunk=trunk, target=target, record=record)
    if as_pool:
        fields["record"] = None
    edited = run(
        ctx,
        lambda db, now: Administration(db).edit_number(
            number, region=region, by=by(now, organisation), **fields
        ),
    )
    typer.echo(f"number {phone.international(edited)} edited")
