"""Tokens, sign-in codes and sessions, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta

import pytest

from router.domain.errors import FieldError
from router.services.access import Access, SignInRefused
from router.services.administration import Administration
from router.services.work import By
from router.store.database import Database


@pytest.fixture
async def access(database: Database, now: datetime) -> Access:
    await Administration(database).add_organisation("Acme", by=By(actor="test", now=now))
    return Access(database)


async def test_a_token_is_stored_as_its_digest_only(
    access: Access, database: Database, now: datetime
) -> None:
    """Who reads the database cannot get in with what stands there."""
    token = await access.create_token("reporting", actor="test", now=now)
    stored = await database._pool.fetchrow("SELECT * FROM access_token")
    actor = await access.by_token(token, now=now)

    assert token.startswith("ct_live_")
    assert len(token) == len("ct_live_") + 43
    assert stored["digest"] == hashlib.sha256(token.encode()).digest()
    assert token not in repr(dict(stored))
    assert actor is not None
    assert actor.name == "token reporting"


async def test_a_revoked_token_is_worth_nothing(access: Access, now: datetime) -> None:
    """At once; and its name may be given again."""
    token = await access.create_token("reporting", actor="test", now=now)
    with pytest.raises(FieldError, match="there is a token 'reporting' already"):
        await access.create_token("reporting", actor="test", now=now)
    await access.revoke_token("reporting", actor="test", now=now)
    with pytest.raises(FieldError, match="there is no valid token"):
        await access.revoke_token("reporting", actor="test", now=now)
    again = await access.create_token("reporting", actor="test", now=now)

    assert await access.by_token(token, now=now) is None
    assert await access.by_token(again, now=now) is not None
    assert await access.by_token("ct_live_wrong", now=now) is None


async def test_use_is_remembered_to_the_minute(
    access: Access, database: Database, now: datetime
) -> None:
    """Not every request writes."""
    token = await access.create_token("reporting", actor="test", now=now)
    seen = []
    for seconds in (0, 30, 61):
        await access.by_token(token, now=now + timedelta(seconds=seconds))
        seen.append(await database._pool.fetchval("SELECT last_used_at FROM access_token"))

    assert seen == [now, now, now + timedelta(seconds=61)]


async def test_a_code_opens_one_session(access: Access, now: datetime) -> None:
    """Of several who use it at once, one gets in."""
    code = await access.create_code(now=now)
    results = await asyncio.gather(
        *(access.sign_in(code, now=now) for _ in range(5)), return_exceptions=True
    )
    sessions = [result for result in results if isinstance(result, str)]

    assert [type(result) for result in results].count(SignInRefused) == 4
    assert await access.by_session(sessions[0], now=now) is not None


async def test_a_code_expires(access: Access, now: datetime) -> None:
    """After fifteen minutes."""
    code = await access.create_code(now=now)
    with pytest.raises(SignInRefused):
        await access.sign_in(code, now=now + timedelta(minutes=15))
    with pytest.raises(SignInRefused):
        await access.sign_in("never existed", now=now)


async def test_a_session_ends(access: Access, now: datetime) -> None:
    """Idle for half an hour, after twelve hours, or when its owner signs out."""
    idle, busy, left = [
        await access.sign_in(await access.create_code(now=now), now=now) for _ in range(3)
    ]
    await access.sign_out(left, now=now)
    for minutes in range(0, 12 * 60, 20):
        assert await access.by_session(busy, now=now + timedelta(minutes=minutes)) is not None

    assert await access.by_session(left, now=now) is None
    assert await access.by_session(idle, now=now + timedelta(minutes=29)) is not None
    assert await access.by_session(idle, now=now + timedelta(minutes=60)) is None
    assert await access.by_session(busy, now=now + timedelta(hours=12)) is None
