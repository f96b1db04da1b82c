"""The audit trail."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from router.commands.base import Organisation, run, table
from router.services.listing import Listing
from router.services.work import organisation_called
from router.store.database import Database
from router.store.listing import AuditLine

audit_app = typer.Typer(no_args_is_help=True, help="Who changed what.")
NEWEST = 2**63 - 1


@audit_app.command("list")
def audit_list(
    ctx: typer.Context,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="So many of the newest.")] = 50,
    action: Annotated[str | None, typer.Option(help="For example pool.edit.")] = None,
    actor: Annotated[str | None, typer.Option(help="For example 'token provisioning'.")] = None,
    subject: Annotated[str | None, typer.Option(help="What was changed, by its name.")] = None,
    organisation: Organisation = None,
) -> None:
    """Changes, newest first, with what was before: audit list --subject ads."""

    async def found(database: Database) -> list[AuditLine]:
        owner = await organisation_called(database, organisation)
        return await Listing(database).audit(
            owner.id, before=NEWEST, most=most, action=action, actor=actor, subject=subject
        )

    rows = run(ctx, lambda db, _: found(db))
    table(
        ["WHEN", "WHO", "WHAT", "OF", "DETAIL"],
        [
            [
                f"{row.at:%Y-%m-%d %H:%M:%S}",
                row.actor,
                row.action,
                row.subject,
                json.dumps(row.detail, ensure_ascii=False) if row.detail else "",
            ]
            for row in rows
        ],
    )
