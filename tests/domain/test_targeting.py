"""Which pool serves a visit."""

from __future__ import annotations

from typing import Any

from router.domain.model import OrganisationId, Pool, PoolId, SiteId, Touch
from router.domain.rules import Facts, Rule, parse
from router.domain.targeting import in_order, pool_for

PAID = Facts(touch=Touch(source="Google", medium="cpc", campaign="spring"))
DIRECT = Facts(touch=Touch(source="(direct)", medium="(none)"))


def a_pool(id: int, *rules: Rule, priority: int = 100, **changes: Any) -> Pool:  # noqa: A002
    values: dict[str, Any] = {
        "id": PoolId(id),
        "organisation_id": OrganisationId(1),
        "site_id": SiteId(1),
        "name": f"pool {id}",
        "kind": "dynamic",
        "policy": "longest_idle",
        "priority": priority,
        "reservation_seconds": 900,
        "rules": rules,
        "default_number": None,
        "target_id": None,
        "record": True,
        "source": None,
        "medium": None,
        "campaign": None,
    }
    return Pool(**{**values, **changes})


GOOGLE = parse("source=google")
CPC = parse("medium=CPC")


def test_a_pool_without_rules_serves_every_visit() -> None:
    """That is how a site with one pool is set up."""
    everything = a_pool(1)

    assert pool_for(DIRECT, [everything]).pool == everything


def test_all_rules_must_hold() -> None:
    """Capitals do not matter: tags are typed by people."""
    paid = a_pool(1, GOOGLE, CPC)

    assert pool_for(PAID, [paid]).pool == paid
    assert pool_for(Facts(touch=Touch(source="google", medium="organic")), [paid]).pool is None


def test_the_smallest_priority_is_asked_first() -> None:
    """Of equal ones, the oldest."""
    rest, paid, same = a_pool(1), a_pool(2, GOOGLE, priority=10), a_pool(3, GOOGLE, priority=10)
    pools = in_order([rest, same, paid])

    assert [pool.id for pool in pools] == [2, 3, 1]
    assert pool_for(PAID, pools).pool == paid
    assert pool_for(DIRECT, pools).pool == rest


def test_a_static_pool_has_rules_too() -> None:
    """One number for all visits of a source."""
    maps = a_pool(1, parse("source=maps"), kind="static", source="maps", medium="organic")

    assert pool_for(Facts(touch=Touch(source="maps", medium="organic")), [maps]).pool == maps


def test_the_reason_is_told() -> None:
    """Every pool asked, its first condition that does not hold, and what decided."""
    pools = in_order([a_pool(1, GOOGLE, priority=10), a_pool(2), a_pool(3)])
    found = pool_for(DIRECT, pools)

    assert found.words == (
        "pool 1: source is not 'google' but '(direct)'; pool 2: it serves every visit"
    )
    assert [pool.id for pool in found.unasked] == [3]
    assert pool_for(PAID, pools).words == "pool 1: source is 'google'"
    assert pool_for(DIRECT, pools[:1]).words == (
        "pool 1: source is not 'google' but '(direct)'; no pool serves this visit"
    )


def test_of_several_rules_the_first_that_fails_is_named() -> None:
    """The others would only be noise."""
    pool = a_pool(1, GOOGLE, parse("path^=/shop and not device=mobile"), parse("campaign"))
    facts = Facts(touch=PAID.touch, url="https://x.example/shop/1", device="mobile")

    assert pool_for(facts, [pool]).refused[0].words == "device is 'mobile'"
