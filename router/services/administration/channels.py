"""An organisation's own channels, and default numbers of channels and sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from router.domain import phone
from router.domain.channels import Channel, own_key, own_rule
from router.domain.errors import FieldError
from router.domain.model import Site
from router.domain.rules import Rule, written
from router.services import checks
from router.services.administration.desk import Desk
from router.services.checks import Ref
from router.services.work import By, Work, known_channels
from router.store import channels as store


class Channels(Desk):
    """What sessions are."""

    async def add_channel(
        self,
        key: str,
        *,
        name: str | None = None,
        rules: Sequence[str | Mapping[str, Any]],
        place: int = 100,
        by: By,
    ) -> Channel:
        """One more channel, asked before the ready-made ones; any of `rules` is enough. Of several own
        ones the smallest `place` is asked first. Sessions that began before keep theirs."""
        problems = checks.Problems()
        short = problems.check(own_key, key)
        shown = problems.check(checks.name, name or key, example="Radio spots")
        problems.check(checks.between, "place", place, 0, 1_000_000)
        parsed = problems.check(channel_rules, rules)
        problems.refuse()
        async with self._work(by) as work:
            if short in await known_channels(work.queries, work.organisation_id):
                raise FieldError("key", f"there is a channel {short!r} already", "radio-spots")
            channel = Channel(
                key=short or "", name=shown or "", group="own", rules=tuple(parsed or ())
            )
            await store.put(
                work.queries,
                work.organisation_id,
                key=channel.key,
                name=channel.name,
                place=place,
                rules=channel.rules,
                created_at=by.now,
            )
            said = {"name": channel.name, "rules": [written(rule) for rule in channel.rules]}
            await work.note("channel.add", channel.key, {**said, "place": place})
            return channel

    async def remove_channel(self, key: str, *, by: By) -> None:
        """Sessions and calls keep its key. Refused while a pool or a default number needs it."""
        async with self._work(by) as work:
            pools = await store.pools_that_ask(work.queries, work.organisation_id, key)
            if pools:
                raise FieldError("key", f"{key!r} is still asked for by pools: {', '.join(pools)}")
            for row in await store.default_numbers(work.queries, work.organisation_id):
                if row.channel == key:
                    problem = f"{key!r} still has the default number {row.e164} on {row.site}"
                    raise FieldError("key", problem)
            if not await store.remove(work.queries, work.organisation_id, key):
                own = await store.channels(work.queries, work.organisation_id)
                have = ", ".join(row.channel.key for row in own) or "none yet"
                raise FieldError("key", f"there is no own channel {key!r}; there is: {have}")
            await work.note("channel.remove", key, {})

    async def set_default_number(
        self,
        number: str,
        *,
        site: Ref,
        channel: str | None = None,
        source: str | None = None,
        by: By,
    ) -> str:
        """What a site's visits of a channel, or of a source, see that get no number of their own; calls to
        it are credited to that channel or source. Takes the place of the one there was. Returns E.164."""
        async with self._work(by) as work:
            home, for_channel, for_source = await _for(work, site, channel, source)
            e164 = phone.parse(number, home.region, field="number")
            was = await store.remove_default_number(
                work.queries, home.id, channel=for_channel, source=for_source
            )
            used = await store.other_uses(work.queries, e164)
            if used is not None:
                problem = f"{e164} is {used}: a call to it would not say what it is for"
                raise FieldError("number", problem, phone.EXAMPLE)
            await store.put_default_number(
                work.queries,
                work.organisation_id,
                home.id,
                channel=for_channel,
                source=for_source,
                e164=e164,
                created_at=by.now,
            )
            said = {"site": home.name, "number": e164, "was": was}
            await work.note("default_number.set", for_channel or for_source or "", said)
            return e164

    async def remove_default_number(
        self,
        *,
        site: Ref,
        channel: str | None = None,
        source: str | None = None,
        by: By,
    ) -> str:
        """Its visits see the pool's default number again, or the site's. Returns the number it had."""
        async with self._work(by) as work:
            home, for_channel, for_source = await _for(work, site, channel, source)
            gone = await store.remove_default_number(
                work.queries, home.id, channel=for_channel, source=for_source
            )
            what = for_channel or for_source or ""
            if gone is None:
                field = "channel" if for_channel else "source"
                raise FieldError(field, f"{what!r} has no default number on {home.name}")
            await work.note("default_number.remove", what, {"site": home.name, "number": gone})
            return gone


def channel_rules(texts: Sequence[str | Mapping[str, Any]]) -> tuple[Rule, ...]:
    """At least one rule that a channel may have. Raises all refusals together."""
    if not texts:
        raise FieldError("rule", "a channel needs at least one", "source=radio")
    problems = checks.Problems()
    for rule in (found := checks.rules(texts)):
        problems.check(own_rule, rule)
    problems.refuse()
    return found


async def _for(
    work: Work, site: Ref, channel: str | None, source: str | None
) -> tuple[Site, str | None, str | None]:
    """The site, and the channel or source; one of the two is None."""
    if bool(channel) == bool(source):
        raise FieldError("channel", "give a channel or a source, one of the two", "google_ads")
    home = await work.site(site)
    if channel:
        known = await known_channels(work.queries, work.organisation_id)
        return home, checks.known_channel(channel, known, field="channel"), None
    # what visitors write is compared folded
    return home, None, checks.name(source or "", field="source", example="google").casefold()
