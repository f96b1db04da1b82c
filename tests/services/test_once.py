"""Writes that are made once; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from router.domain.errors import FieldError, StoreUnavailable
from router.domain.model import OrganisationId
from router.services.administration import Administration
from router.services.once import Asked, KeyReused, Once, Written
from router.services.work import By
from router.store.database import Database


@pytest.fixture
async def owner(database: Database, now: datetime) -> OrganisationId:
    return await Administration(database).add_organisation("Acme", by=By(actor="test", now=now))


def asked(owner: OrganisationId, now: datetime, key: str | None = "k", what: bytes = b"a") -> Asked:
    return Asked(organisation_id=owner, key=key, digest=what, now=now)


class Adding:
    """Adds a trunk, as often as it is called; fails afterwards if it is told to."""

    def __init__(self, now: datetime, fails: Exception | None = None) -> None:
        self.by = By(actor="test", now=now)
        self.fails = fails
        self.times = 0

    async def __call__(self, joined: Database) -> Written:
        self.times += 1
        added = await Administration(joined).add_trunk(f"trunk-{self.times}", by=self.by)
        if self.fails:
            raise self.fails
        return Written(status=201, body=str(added).encode(), etag='"x"')


async def rows(database: Database) -> tuple[int, int, int]:
    """Trunks, their audit entries, kept answers."""
    row = await database._pool.fetchrow(
        "SELECT (SELECT count(*) FROM trunk), (SELECT count(*) FROM audit_entry WHERE action ="
        " 'trunk.add'), (SELECT count(*) FROM kept_answer)"
    )
    return tuple(row)


async def test_many_at_once_are_one(
    database: Database, owner: OrganisationId, now: datetime
) -> None:
    """In several routers; the others get the first one's answer."""
    adding, routers = Adding(now), [Once(database) for _ in range(3)]
    answers = await asyncio.gather(
        *(routers[i % 3].write(asked(owner, now), adding) for i in range(9))
    )

    assert adding.times == 1
    assert await rows(database) == (1, 1, 1)
    assert sorted(answer.replayed for answer in answers) == [False, *[True] * 8]
    assert {(a.status, a.body, a.etag) for a in answers} == {(201, b"1", '"x"')}


async def test_what_fails_leaves_nothing(
    database: Database, owner: OrganisationId, now: datetime
) -> None:
    """Neither the change, which was made already, nor its entry, nor the key."""
    once = Once(database)
    for fails in (FieldError("x", "y"), RuntimeError("dead")):
        with pytest.raises(type(fails)):
            await once.write(asked(owner, now), Adding(now, fails))
        assert await rows(database) == (0, 0, 0)

    assert (await once.write(asked(owner, now), Adding(now))).replayed is False


async def test_a_key_is_for_one_request_of_one_organisation(
    database: Database, owner: OrganisationId, now: datetime
) -> None:
    """And for a day."""
    once, adding = Once(database), Adding(now)
    other = await Administration(database).add_organisation("Other", by=By(actor="test", now=now))
    adding.by = By(actor="test", now=now, organisation=owner)
    await once.write(asked(owner, now), adding)
    with pytest.raises(KeyReused):
        await once.write(asked(owner, now, what=b"b"), adding)
    await once.write(asked(other, now, what=b"b"), adding)
    await once.write(asked(owner, now, key=None), adding)
    await once.write(asked(owner, now + timedelta(days=1, seconds=1), what=b"c"), adding)

    assert adding.times == 4
    assert (await rows(database))[2] == 1


async def test_who_waits_too_long_may_ask_again(
    database: Database, owner: OrganisationId, now: datetime
) -> None:
    """While somebody else's change takes its time, the answer is 503; what was given up changes nothing."""
    once, adding = Once(database), Adding(now)
    async with database._pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(7237964)")
        with pytest.raises(StoreUnavailable, match="a change"):
            await once.write(asked(owner, now), adding, patience=0.2)
    done = await once.write(asked(owner, now), adding)

    assert (done.replayed, adding.times) == (False, 1)
    assert await rows(database) == (1, 1, 1)
