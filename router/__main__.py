"""`call-router`, also `python -m router`: the commands, with settings from the environment."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

import typer
from typer.exceptions import TyperException

from router import app as composition
from router import log
from router.administration_cli import Invocation, app
from router.commands.refusals import sentence
from router.domain.errors import CallRouterError
from router.store import migrations


def clock() -> datetime:
    """The one clock of this program."""
    return datetime.now(UTC)


@app.callback()
def settings(ctx: typer.Context) -> None:
    """Self-hosted call tracking on Asterisk. Settings are the variables CALL_ROUTER_…"""
    ctx.obj = Invocation(environment=os.environ, clock=clock)


@app.command()
def serve(ctx: typer.Context) -> None:
    """Run the router: FastAGI, AMI, the snippet's API and the staff pages, until told to stop."""
    invocation: Invocation = ctx.obj
    log.configure(
        style=invocation.settings.log_format, level=invocation.settings.log_level, stream=sys.stdout
    )
    composition.run(invocation.settings, clock)


@app.command()
def migrate(ctx: typer.Context) -> None:
    """Bring the database's schema up to date."""
    invocation: Invocation = ctx.obj
    applied = asyncio.run(migrations.migrate(invocation.settings.database_url))
    typer.echo(f"applied {', '.join(applied)}" if applied else "up to date")


def main() -> None:
    """Run one command; a refusal is one or more lines on stderr and exit code 2."""
    try:
        sys.exit(app(standalone_mode=False))
    except TyperException as error:
        # without a message it has shown a help page already
        if error.format_message():
            print(f"error: {sentence(error)}", file=sys.stderr)
        sys.exit(2)
    except CallRouterError as error:
        print("\n".join(f"error: {line}" for line in str(error).splitlines()), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
