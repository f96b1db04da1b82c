"""Whether a number belongs into a pool: of its region, and of a carrier that the pool has numbers of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from router.domain.model import Pool, PoolId, Site
from router.domain.numbering import same_region
from router.store.administration import PoolRow


def misfits(
    region: str | None, carrier: str | None, row: PoolRow, carriers: Mapping[PoolId, frozenset[str]]
) -> Iterator[tuple[str, str]]:
    """(field, problem): why a number does not belong into a pool, by what is known of both."""
    pool = row.pool
    if same_region(region, pool.region) is False:
        yield "region", f"{region} is not {pool.region}, where pool {pool.name} is (unless forced)"
    own = carriers.get(pool.id, frozenset())
    if carrier and own and carrier not in own:
        names = ", ".join(sorted(own))
        yield (
            "carrier",
            f"{carrier} is not the carrier of pool {pool.name}: {names} (unless forced)",
        )


def page_number(e164: str, pool: Pool, sites: Sequence[Site]) -> str | None:
    """Why a number that a site's pages show by themselves cannot be handed out; None where it can."""
    if pool.kind != "dynamic":
        return None
    for site in sites:
        if e164 == site.default_number or e164 in site.page_numbers:
            return (
                f"{e164} stands on the pages of site {site.name}: a dynamic pool cannot hand it out"
            )
    return None
