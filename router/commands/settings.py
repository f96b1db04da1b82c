"""What an organisation wants otherwise than by default."""

from __future__ import annotations

import typer

from router.commands.base import Organisation, by, run, table
from router.domain.organisation_settings import Value
from router.services.administration import Administration

setting_app = typer.Typer(
    no_args_is_help=True, help="An organisation's settings; they hold from the next minutes on."
)


@setting_app.command("list")
def setting_list(ctx: typer.Context, organisation: Organisation = None) -> None:
    """All settings, their values and what they mean."""
    rows = run(ctx, lambda db, _: Administration(db).settings(organisation))
    table(
        ["NAME", "VALUE", "DEFAULT", "MEANING"],
        [
            [row.setting.name, _said(row.value), _said(row.setting.default), row.setting.words]
            for row in rows
        ],
    )


@setting_app.command("set")
def setting_set(
    ctx: typer.Context, name: str, value: str, organisation: Organisation = None
) -> None:
    """Change one, for example: setting set shared_percent 5."""
    changed = run(
        ctx,
        lambda db, now: Administration(db).change_setting(name, value, by=by(now, organisation)),
    )
    typer.echo(f"{name} is {_said(getattr(changed, name))}")


@setting_app.command("reset")
def setting_reset(ctx: typer.Context, name: str, organisation: Organisation = None) -> None:
    """Back to the default."""
    changed = run(
        ctx, lambda db, now: Administration(db).reset_setting(name, by=by(now, organisation))
    )
    typer.echo(f"{name} is {_said(getattr(changed, name))}")


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"
