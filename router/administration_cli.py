"""The administrators' commands, as one typer application for `__main__` to mount.

`__main__` puts an `Invocation` into typer's context: nothing here reads the environment or a clock.
"""

from __future__ import annotations

import typer

from router.commands import rules
from router.commands.access import sign_in, token_app
from router.commands.audit import audit_app
from router.commands.base import Invocation
from router.commands.channels import channel_app, default_number_app
from router.commands.codes import code_app
from router.commands.editing import (
    number_app,
    organisation_app,
    pool_app,
    site_app,
    target_app,
    trunk_app,
)
from router.commands.moves import move_app
from router.commands.plans import plan_app
from router.commands.settings import setting_app
from router.commands.shared import shared_app
from router.commands.snippets import add_commands
from router.commands.standings import standing_app
from router.commands.stock import stock_app

__all__ = ["Invocation", "app"]

app = typer.Typer(no_args_is_help=True, help="Set up and inspect this installation.")
app.add_typer(organisation_app, name="organisation")
app.add_typer(trunk_app, name="trunk")
app.add_typer(target_app, name="target")
app.add_typer(site_app, name="site")
rules.add_commands(pool_app)
app.add_typer(pool_app, name="pool")
app.add_typer(rules.rule_app, name="rule")
app.add_typer(channel_app, name="channel")
app.add_typer(default_number_app, name="default-number")
number_app.add_typer(standing_app)
number_app.add_typer(stock_app)
number_app.add_typer(move_app)
app.add_typer(number_app, name="number")
app.add_typer(code_app, name="code")
app.add_typer(plan_app, name="plan")
app.add_typer(shared_app, name="shared")
app.add_typer(setting_app, name="setting")
app.add_typer(audit_app, name="audit")
app.add_typer(token_app, name="token")
add_commands(sites=site_app, pools=pool_app)
app.command("sign-in")(sign_in)
