"""What a site's pages carry: lines of HTML, further numbers, the cookie's domain, the server's token."""

from __future__ import annotations

from typing import Annotated

import typer

from router.commands.base import Organisation, by, run
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.web.snippet_file import fixed_line, moving_line


def add_commands(*, sites: typer.Typer, pools: typer.Typer) -> None:
    """They stand among those of the sites and pools."""
    sites.command("snippet")(snippet)
    sites.command("cookie-domain")(cookie_domain)
    sites.command("server-token")(server_token)
    pools.command("page-number")(page_number)


def snippet(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(help="Its name or key.")],
    organisation: Organisation = None,
) -> None:
    """The lines of HTML for a site's pages: put one of them into their <head>."""
    found = run(ctx, lambda db, _: Inventory(db).site(site, organisation))
    url = ctx.obj.settings.public_url
    typer.echo("always the newest snippet:")
    typer.echo(moving_line(url, found.key))
    typer.echo("this version for ever, checked by the browser:")
    typer.echo(fixed_line(url, found.key))


def cookie_domain(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(help="Its name or key.")],
    domain: Annotated[
        str | None, typer.Argument(help="For example example.com; left out: none.")
    ] = None,
    organisation: Organisation = None,
) -> None:
    """One visitor, and one number, over all hosts of a domain that the router's address is one of."""
    found = run(
        ctx,
        lambda db, now: Administration(db).set_cookie_domain(
            site, domain, by=by(now, organisation)
        ),
    )
    typer.echo(
        f"visitors of {found.name} are known all over {domain}"
        if domain
        else f"visitors of {found.name} are known on one host at a time"
    )


def server_token(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(help="Its name or key.")],
    organisation: Organisation = None,
) -> None:
    """A token for the site's own server, to ask for visitors' numbers; an earlier one ends."""
    token = run(
        ctx, lambda db, now: Administration(db).new_server_token(site, by=by(now, organisation))
    )
    typer.echo("told once, only its hash is kept:")
    typer.echo(token)


def page_number(
    ctx: typer.Context,
    pool: str,
    number: Annotated[
        str | None,
        typer.Argument(help="One of the site's page numbers; left out: the main ones again."),
    ] = None,
    site: Annotated[str | None, typer.Option(help="Where several have such a pool.")] = None,
    organisation: Organisation = None,
) -> None:
    """Let a pool serve one of several numbers on a page: its numbers stand in the place of that one."""
    served = run(
        ctx,
        lambda db, now: Administration(db).serve_page_number(
            pool, number, site=site, by=by(now, organisation)
        ),
    )
    typer.echo(f"pool {pool} serves {served or 'the main number'}")
