"""Setting up: organisations, trunks, targets, sites, pools, channels, numbers; each subject in a module of its own.

Everything is named as people name it: an organisation, target, trunk or pool by its name, a site by its
name or key, a number in any way it is written; programs may give ids instead. A refusal is FieldError, or FieldErrors when there are
several. Every change leaves an entry in the audit trail.
"""

from __future__ import annotations

from router.services.administration.channels import Channels
from router.services.administration.codes import CodeChanges
from router.services.administration.moves import Moves
from router.services.administration.numbers import Numbers
from router.services.administration.organisations import Organisations
from router.services.administration.plans import Plans
from router.services.administration.pools import Pools
from router.services.administration.settings import Settings
from router.services.administration.sharing import Sharing
from router.services.administration.sites import Sites
from router.services.administration.snippet import Snippet
from router.services.administration.standings import Standings
from router.services.administration.targets import Targets
from router.services.administration.trunks import Trunks


class Administration(
    Organisations,
    Trunks,
    Targets,
    Sites,
    Pools,
    Channels,
    Numbers,
    Moves,
    CodeChanges,
    Plans,
    Settings,
    Snippet,
    Standings,
    Sharing,
):
    """What administrators do."""
