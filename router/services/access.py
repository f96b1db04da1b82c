"""Who may look: tokens for programs, one-time sign-in codes and sessions for people.

Secrets have 256 random bits, are shown once, and only their SHA-256 is stored and looked up: comparing is
then the index's business and its timing tells nothing of the secret.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.errors import CallRouterError, FieldError
from router.domain.model import OrganisationId, Scope
from router.services import checks
from router.services.work import organisation_called
from router.store import access as store
from router.store import audit
from router.store.access import Holder, TokenRow
from router.store.database import Database, deadline

# Scanners for leaked secrets find tokens by how they begin.
TOKEN_PREFIX = "ct_live_"
CODE_LIVES = timedelta(minutes=15)
SESSION_LIVES = timedelta(hours=12)
SESSION_IDLE = timedelta(minutes=30)
# How exactly "last used" is kept: not every request is worth a write.
USED_EVERY = timedelta(minutes=1)
PATIENCE = 2.0


class SignInRefused(CallRouterError):
    """This sign-in link was used already, has expired, or never existed."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks: the organisation, a name for the audit trail, and whether more than reading is allowed."""

    organisation_id: OrganisationId
    name: str
    scope: Scope


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class Access:
    """Tokens, sign-in and sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_token(
        self,
        name: str,
        *,
        scope: str = "read",
        organisation: str | None = None,
        actor: str,
        now: datetime,
    ) -> str:
        """A new token, e.g. ``ct_live_Zm9v…``; it cannot be shown a second time. `scope` is read or write."""
        name = checks.name(name, example="reporting")
        allowed: Scope = checks.one_of("scope", scope, Scope)
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        async with self._database.transaction() as queries:
            owner = (await organisation_called(queries, organisation)).id
            known = await store.tokens(queries, owner)
            if any(row.name == name and row.revoked_at is None for row in known):
                raise FieldError("name", f"there is a token {name!r} already", "reporting-2")
            await store.put_token(
                queries, owner, name=name, scope=allowed, digest=_digest(token), created_at=now
            )
            await audit.add(
                queries,
                organisation_id=owner,
                at=now,
                actor=actor,
                action="token.create",
                subject=name,
                detail={"scope": allowed},
            )
        return token

    async def tokens(self, organisation: str | None = None) -> list[TokenRow]:
        owner = await organisation_called(self._database, organisation)
        return await store.tokens(self._database, owner.id)

    async def revoke_token(
        self, name: str, *, organisation: str | None = None, actor: str, now: datetime
    ) -> None:
        """Nobody gets in with it any more, from this moment on."""
        async with self._database.transaction() as queries:
            owner = (await organisation_called(queries, organisation)).id
            if not await store.revoke_token(queries, owner, name=name, now=now):
                raise FieldError("name", f"there is no valid token {name!r}")
            await audit.add(
                queries,
                organisation_id=owner,
                at=now,
                actor=actor,
                action="token.revoke",
                subject=name,
            )

    async def create_code(self, *, organisation: str | None = None, now: datetime) -> str:
        """A code for a sign-in link; it opens one session within 15 minutes."""
        code = secrets.token_urlsafe(32)
        owner = await organisation_called(self._database, organisation)
        await store.put_code(
            self._database,
            owner.id,
            digest=_digest(code),
            created_at=now,
            expires_at=now + CODE_LIVES,
        )
        return code

    async def sign_in(self, code: str, *, now: datetime) -> str:
        """The code's session: the secret for its cookie. Raises SignInRefused, StoreUnavailable."""
        return await deadline(self._sign_in(code, now), PATIENCE, what="sign-in")

    async def _sign_in(self, code: str, now: datetime) -> str:
        session = secrets.token_urlsafe(32)
        async with self._database.transaction() as queries:
            owner = await store.use_code(queries, _digest(code), now)
            if owner is None:
                raise SignInRefused
            digest = _digest(session)
            await store.put_session(
                queries, owner, digest=digest, created_at=now, expires_at=now + SESSION_LIVES
            )
            await audit.add(
                queries,
                organisation_id=owner,
                at=now,
                actor=f"session {digest[:4].hex()}",
                action="sign-in",
                subject="staff pages",
            )
        return session

    async def sign_out(self, session: str, *, now: datetime) -> None:
        work = store.revoke_session(self._database, _digest(session), now)
        await deadline(work, PATIENCE, what="sign-out")

    async def by_token(self, token: str, *, now: datetime) -> Actor | None:
        """Who holds this token; None if it is not valid. Raises StoreUnavailable."""
        return await deadline(self._by_token(token, now), PATIENCE, what="token")

    async def _by_token(self, token: str, now: datetime) -> Actor | None:
        digest = _digest(token)
        holder = await store.token_holder(self._database, digest)
        if holder is not None and _stale(holder, now):
            await store.touch_token(self._database, digest, now)
        return _actor(holder, "token ")

    async def by_session(self, session: str, *, now: datetime) -> Actor | None:
        """Whose session this is; None if it is over, revoked, or was idle for 30 minutes. Raises
        StoreUnavailable."""
        return await deadline(self._by_session(session, now), PATIENCE, what="staff session")

    async def _by_session(self, session: str, now: datetime) -> Actor | None:
        digest = _digest(session)
        holder = await store.session_holder(
            self._database, digest, now=now, seen_after=now - SESSION_IDLE
        )
        if holder is not None and _stale(holder, now):
            await store.touch_session(self._database, digest, now)
        return _actor(holder, "")


def _stale(holder: Holder, now: datetime) -> bool:
    return holder.used_at is None or now - holder.used_at >= USED_EVERY


def _actor(holder: Holder | None, kind: str) -> Actor | None:
    if holder is None:
        return None
    return Actor(
        organisation_id=holder.organisation_id, name=kind + holder.name, scope=holder.scope
    )
