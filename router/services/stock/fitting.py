"""Whether a number belongs into a pool: of its region, and of a carrier that the pool has numbers of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from router.domain.model import PoolId
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
