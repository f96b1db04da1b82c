"""Web properties and their pools."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from router.commands.base import Organisation, by, run, table
from router.domain import phone
from router.domain.model import Pool
from router.domain.rules.text import all_written
from router.services.administration import Administration
from router.services.administration.pools import PoolFields
from router.services.coverage import Coverages
from router.services.inventory import Inventory
from router.store.coverage import Reckoned
from router.store.database import Database
from router.web.snippet_file import moving_line

site_app = typer.Typer(no_args_is_help=True, help="Web properties.")
pool_app = typer.Typer(no_args_is_help=True, help="Pools of tracking numbers.")


@site_app.command("add")
def site_add(
    ctx: typer.Context,
    name: str,
    origin: Annotated[
        list[str], typer.Option(help="As browsers send it: https://www.example.com. Repeatable.")
    ],
    default_number: Annotated[str, typer.Option(help="Shown by pages that get none of their own.")],
    target: Annotated[str, typer.Option(help="The company line of its calls.")],
    region: Annotated[str, typer.Option(help="Country whose national form its pages use.")] = "RU",
    time_zone: Annotated[str, typer.Option()] = "Europe/Moscow",
    page_number: Annotated[
        list[str] | None,
        typer.Option(help="A number its pages show, to be replaced. Repeatable; else the default."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="What its snippet names it by; else a random one.")
    ] = None,
    organisation: Organisation = None,
) -> None:
    """Add a web property and print the line of HTML for its pages."""
    site = run(
        ctx,
        lambda db, now: Administration(db).add_site(
            name,
            origins=origin,
            region=region,
            time_zone=time_zone,
            default_number=default_number,
            target=target,
            page_numbers=page_number or (),
            key=key,
            by=by(now, organisation),
        ),
    )
    typer.echo(f"site {site.name} added; put this into the <head> of its pages:")
    typer.echo(moving_line(ctx.obj.settings.public_url, site.key))


@site_app.command("list")
def site_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """All web properties."""
    rows = run(ctx, lambda db, _: Inventory(db).sites(organisation))
    table(
        ["NAME", "KEY", "ORIGINS", "REGION", "DEFAULT NUMBER"],
        [
            [
                row.name,
                row.key,
                " ".join(row.origins),
                row.region,
                phone.international(row.default_number),
            ]
            for row in rows
        ],
    )


@pool_app.command("add")
def pool_add(
    ctx: typer.Context,
    name: str,
    site: Annotated[str, typer.Option(help="Its name or key.")],
    kind: Annotated[str, typer.Option(help="dynamic or static")] = "dynamic",
    rule: Annotated[
        list[str] | None,
        typer.Option(help="Whom it serves, e.g. source=google. Repeatable: all hold."),
    ] = None,
    policy: Annotated[
        str,
        typer.Option(help="balanced, exclusive, longest_idle, uis, ringostat or mango"),
    ] = "balanced",
    priority: Annotated[int, typer.Option(help="The pool of the lowest serves first.")] = 100,
    reservation_seconds: Annotated[
        int,
        typer.Option(
            help="How long a number is kept after its visitor was last seen; balanced and exclusive "
            "ask how the visit ended instead, see the five that follow."
        ),
    ] = 900,
    closed_seconds: Annotated[int, typer.Option(help="After the page was closed.")] = 600,
    left_seconds: Annotated[int, typer.Option(help="After it was hidden, or fell silent.")] = 1200,
    idle_seconds: Annotated[int, typer.Option(help="After the visitor did nothing.")] = 900,
    bounce_seconds: Annotated[int, typer.Option(help="After less than 15 s of a visit.")] = 180,
    tapped_seconds: Annotated[int, typer.Option(help="At least, after a tap on it.")] = 1800,
    price: Annotated[
        float, typer.Option(help="0: purest sources; 10: more free numbers; balanced only.")
    ] = 3.0,
    goal: Annotated[
        str | None, typer.Option(help="accuracy (usual with balanced) or coverage (else).")
    ] = None,
    aim: Annotated[float | None, typer.Option(help="The figure to be reached, e.g. 0.95.")] = None,
    bind: Annotated[
        list[str] | None,
        typer.Option(
            help="source, medium, campaign, term, content: a number for each combination."
        ),
    ] = None,
    grows: Annotated[bool, typer.Option(help="From the organisation's shared pool.")] = False,
    default_number: Annotated[str | None, typer.Option(help="Shown when all are taken.")] = None,
    target: Annotated[str | None, typer.Option(help="Instead of the site's.")] = None,
    record: Annotated[bool, typer.Option()] = True,
    source: Annotated[
        str | None, typer.Option(help="What a static pool's calls are credited to.")
    ] = None,
    medium: Annotated[str | None, typer.Option()] = None,
    campaign: Annotated[str | None, typer.Option()] = None,
    channel: Annotated[
        str | None, typer.Option(help="A static pool's; else that of its source and medium.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Where its numbers are, ISO 3166-2, for example RU-MOW.")
    ] = None,
    organisation: Organisation = None,
) -> None:
    """Add a pool, for example: pool add ads --site shop --rule source=google."""
    fields: PoolFields = {
        "policy": policy,
        "priority": priority,
        "reservation_seconds": reservation_seconds,
        "closed_seconds": closed_seconds,
        "left_seconds": left_seconds,
        "idle_seconds": idle_seconds,
        "bounce_seconds": bounce_seconds,
        "tapped_seconds": tapped_seconds,
        "price": price,
        "binding": bind or (),
        "grows": grows,
        "rules": rule or (),
        "default_number": default_number,
        "target": target,
        "record": record,
        "source": source,
        "medium": medium,
        "campaign": campaign,
        "channel": channel,
        "region": region,
    }
    if goal is not None:
        fields["goal"] = goal
    if aim is not None:
        fields["aim"] = aim
    run(
        ctx,
        lambda db, now: Administration(db).add_pool(
            name, site=site, kind=kind, by=by(now, organisation), **fields
        ),
    )
    typer.echo(f"pool {name} added")


@pool_app.command("list")
def pool_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """All pools in the order in which they are asked, and how many numbers each has. Reserved for: after the
    page was closed, left and idle, where the policy asks how a visit ended."""
    rows = run(ctx, lambda db, _: Inventory(db).pools(organisation))
    table(
        ["PRIORITY", "NAME", "SITE", "KIND", "POLICY", "SERVES", "RESERVED FOR", "NUMBERS"],
        [
            [
                row.pool.priority,
                row.pool.name,
                row.site,
                row.pool.kind,
                row.pool.policy if row.pool.kind == "dynamic" else "-",
                all_written(row.pool.rules) or "every visit",
                _reserved_for(row.pool),
                row.numbers,
            ]
            for row in rows
        ],
    )


def _reserved_for(pool: Pool) -> str:
    if pool.kind == "static":
        return "-"
    if pool.policy in ("balanced", "exclusive"):
        return f"{pool.closed_seconds}, {pool.left_seconds}, {pool.idle_seconds} s"
    return f"{pool.reservation_seconds} s"


@pool_app.command("coverage")
def pool_coverage(
    ctx: typer.Context,
    anew: Annotated[
        bool, typer.Option("--anew", help="Reckon now; a router does so every hour.")
    ] = False,
    organisation: Organisation = None,
) -> None:
    """How many of the visits of two weeks each pool has a free number for, and how many really got one."""

    async def reckoned(database: Database, now: datetime) -> Sequence[Reckoned]:
        coverages = Coverages(database)
        if anew:
            await coverages.reckon(now)
        return await coverages.latest(organisation)

    rows = run(ctx, reckoned)
    table(
        [
            "POOL",
            "SITE",
            "NUMBERS",
            "VISITS",
            "DAYS",
            "COVERAGE",
            "AT LEAST",
            "GOT A FREE ONE",
            "AS OF",
        ],
        [
            [
                row.pool,
                row.site,
                row.numbers,
                row.coverage.visits,
                row.days,
                f"{row.coverage.share:.1%}",
                f"{max(0.0, row.coverage.low):.1%}",
                f"{row.found_free / row.coverage.visits:.1%}",
                f"{row.reckoned_at:%Y-%m-%d %H:%M} UTC",
            ]
            for row in rows
        ],
    )
