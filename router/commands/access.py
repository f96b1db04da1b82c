"""Who may look: tokens for programs, sign-in links for people."""

from __future__ import annotations

from typing import Annotated

import typer

from router.commands.base import Organisation, by, run, table
from router.services.access import Access

token_app = typer.Typer(no_args_is_help=True, help="Tokens for programs that use the staff API.")


@token_app.command("create")
def token_create(
    ctx: typer.Context,
    name: str,
    scope: Annotated[str, typer.Option(help="read, or write to change things too.")] = "read",
    organisation: Organisation = None,
) -> None:
    """Create a token; it is printed once, alone on its line."""
    typer.echo(
        run(
            ctx,
            lambda db, now: Access(db).create_token(
                name, scope=scope, organisation=organisation, actor=by(now).actor, now=now
            ),
        )
    )


@token_app.command("list")
def token_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """All tokens, without their secrets."""
    rows = run(ctx, lambda db, _: Access(db).tokens(organisation))
    table(
        ["NAME", "SCOPE", "CREATED", "LAST USED", "STATE"],
        [
            [
                row.name,
                row.scope,
                f"{row.created_at:%Y-%m-%d %H:%M}",
                f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never",
                "revoked" if row.revoked_at else "valid",
            ]
            for row in rows
        ],
    )


@token_app.command("revoke")
def token_revoke(ctx: typer.Context, name: str, organisation: Organisation = None) -> None:
    """Make a token worthless, at once."""
    run(
        ctx,
        lambda db, now: Access(db).revoke_token(
            name, organisation=organisation, actor=by(now).actor, now=now
        ),
    )
    typer.echo(f"token {name} revoked")


def sign_in(ctx: typer.Context, organisation: Organisation = None) -> None:
    """Print a link that signs one browser in, once, within 15 minutes."""
    code = run(ctx, lambda db, now: Access(db).create_code(organisation=organisation, now=now))
    typer.echo(f"{ctx.obj.settings.staff_url}/sign-in?code={code}")
