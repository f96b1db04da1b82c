"""The admin API on the staff listener: what administrators do by command, for programs. A module for each
kind of thing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from router.services.listing import Listing
from router.store.database import Database
from router.web.admin.audit import Audit
from router.web.admin.channels import Channels
from router.web.admin.coverage import Coverage
from router.web.admin.lines import Targets, Trunks
from router.web.admin.network import Network
from router.web.admin.numbers import Numbers
from router.web.admin.organisation import Organisation
from router.web.admin.pools import Pools
from router.web.admin.rehearsal import Trying
from router.web.admin.settings import Settings
from router.web.admin.shared_pool import Shared
from router.web.admin.sites import Sites
from router.web.admin.snippets import Snippets
from router.web.admin.standings import Standings
from router.web.admin.stock import Stock
from router.web.admin.writes import Writes
from router.web.endpoint import Endpoint


def endpoints(database: Database, clock: Callable[[], datetime], public_url: str) -> list[Endpoint]:
    """Everything that is set up, read and changed."""
    listing, writes = Listing(database), Writes(database, clock)
    return [
        *Organisation(listing, writes).endpoints(),
        *Trunks(listing, writes).endpoints(),
        *Targets(listing, writes).endpoints(),
        *Sites(listing, writes).endpoints(),
        *Snippets(listing, writes, public_url).endpoints(),
        *Pools(listing, writes).endpoints(),
        *Channels(database, writes).endpoints(),
        *Trying(database, clock).endpoints(),
        *Coverage(database).endpoints(),
        *Numbers(listing, writes, clock).endpoints(),
        *Stock(database, writes, clock).endpoints(),
        *Standings(database, writes, clock).endpoints(),
        *Shared(database, writes, clock).endpoints(),
        *Network(database, writes, clock).endpoints(),
        *Settings(database, writes).endpoints(),
        *Audit(listing).endpoints(),
    ]
