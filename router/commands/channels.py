"""Channels, the rules that make them, and their default numbers."""

from __future__ import annotations

from typing import Annotated

import typer

from router.commands.base import Organisation, by, run, table
from router.commands.rules import show_trial
from router.domain import phone
from router.domain.channels import ready_made
from router.domain.rules import written
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.trials import Trials

channel_app = typer.Typer(no_args_is_help=True, help="What sessions are: paid, organic, maps…")
default_number_app = typer.Typer(
    no_args_is_help=True,
    help="What visits of a channel or source see that get no number of their own.",
)

Rules = Annotated[
    list[str], typer.Option("--rule", help="e.g. 'source=radio'. Repeatable: any is enough.")
]
Channel = Annotated[str | None, typer.Option(help="Its key: see `channel list`.")]
Source = Annotated[str | None, typer.Option(help="Instead of a channel: a utm_source.")]
Site = Annotated[str, typer.Option(help="Its name or key.")]


@channel_app.command("list")
def channel_list(
    ctx: typer.Context,
    rules: Annotated[bool, typer.Option("--rules", help="Show the rules as well.")] = False,
    organisation: Organisation = None,
) -> None:
    """All channels in the order in which they are asked: the organisation's own, the ready-made."""
    own = run(ctx, lambda db, _: Inventory(db).channels(organisation))
    rows = [(row.channel, str(row.place)) for row in own] + [(one, "") for one in ready_made()]
    headings = ["KEY", "NAME", "GROUP", "PLACE", *(["RULES"] if rules else [])]
    table(
        headings,
        [
            [one.key, one.name, one.group, place, "; or ".join(map(written, one.rules))][
                : len(headings)
            ]
            for one, place in rows
        ],
    )


@channel_app.command("add")
def channel_add(
    ctx: typer.Context,
    key: str,
    rule: Rules,
    name: Annotated[str | None, typer.Option(help="What people read; else the key.")] = None,
    place: Annotated[int, typer.Option(help="Of own ones the lowest is asked first.")] = 100,
    organisation: Organisation = None,
) -> None:
    """Add a channel, for example: channel add radio --name "Radio spots" --rule source=radio."""
    added = run(
        ctx,
        lambda db, now: Administration(db).add_channel(
            key, name=name, rules=rule, place=place, by=by(now, organisation)
        ),
    )
    typer.echo(f"channel {added.key} added")


@channel_app.command("remove")
def channel_remove(ctx: typer.Context, key: str, organisation: Organisation = None) -> None:
    """Remove one of the organisation's own; its sessions and calls keep the key."""
    run(ctx, lambda db, now: Administration(db).remove_channel(key, by=by(now, organisation)))
    typer.echo(f"channel {key} removed")


@channel_app.command("try")
def channel_try(
    ctx: typer.Context,
    site: Site,
    rule: Rules,
    days: Annotated[int, typer.Option(help="1 to 365.")] = 30,
    organisation: Organisation = None,
) -> None:
    """Which sessions of the last days a channel with these rules would have had. Changes nothing."""
    found = run(
        ctx,
        lambda db, now: Trials(db).try_channel(
            rule, site=site, days=days, organisation=organisation, now=now
        ),
    )
    show_trial(found)


@default_number_app.command("set")
def default_number_set(
    ctx: typer.Context,
    number: str,
    site: Site,
    channel: Channel = None,
    source: Source = None,
    organisation: Organisation = None,
) -> None:
    """For example: default-number set +74951350301 --site shop --channel google_ads."""
    e164 = run(
        ctx,
        lambda db, now: Administration(db).set_default_number(
            number, site=site, channel=channel, source=source, by=by(now, organisation)
        ),
    )
    typer.echo(f"{channel or source}: {phone.international(e164)}")


@default_number_app.command("remove")
def default_number_remove(
    ctx: typer.Context,
    site: Site,
    channel: Channel = None,
    source: Source = None,
    organisation: Organisation = None,
) -> None:
    """Its visits see the pool's default number again, or the site's."""
    e164 = run(
        ctx,
        lambda db, now: Administration(db).remove_default_number(
            site=site, channel=channel, source=source, by=by(now, organisation)
        ),
    )
    typer.echo(f"{channel or source}: {phone.international(e164)} removed")


@default_number_app.command("list")
def default_number_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """Those of channels and sources; pools and sites have their own besides."""
    rows = run(ctx, lambda db, _: Inventory(db).default_numbers(organisation))
    table(
        ["SITE", "CHANNEL", "SOURCE", "NUMBER"],
        [[row.site, row.channel, row.source, phone.international(row.e164)] for row in rows],
    )
