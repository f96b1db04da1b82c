"""Channels: what a session is (Google Ads, a search engine's results, e-mail, a map…).

The ready-made ones stand in `ready_made.toml`, in the order in which they are asked; an organisation's own are
asked before them. Every visit has one: the last ones take whatever is left.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType

from router.domain.errors import FieldError
from router.domain.model import Touch
from router.domain.rules import Condition, Facts, Rule, holds, parse
from router.domain.rules.tree import RuleRefused, fields_of

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
# A ready-made channel asks for nothing else, so that alike visits are looked up, not worked out.
READY_MADE_FIELDS = frozenset(("source", "medium", "click_id"))
# What cannot be known, or is not decided yet, when a visit is given its channel.
_NOT_ASKED = ("channel", "visit")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """`key` is what sessions keep and rules compare, `name` what people read. Any of `rules` is enough.

    `group` puts alike channels together: ads, organic, social…; ``own`` for an organisation's own.
    """

    key: str
    name: str
    group: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A visit's channel and the rule that gave it."""

    channel: Channel
    rule: Rule


@cache
def ready_made() -> tuple[Channel, ...]:
    """In the order in which they are asked."""
    text = resources.files(__package__).joinpath("ready_made.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    lists = {name: "|".join(values) for name, values in found["lists"].items()}
    return tuple(
        Channel(
            key=one["key"],
            name=one["name"],
            group=one["group"],
            rules=tuple(parse(rule.format_map(lists)) for rule in one["rules"]),
        )
        for one in found["channel"]
    )


@cache
def _names() -> Mapping[str, str]:
    return MappingProxyType({channel.key: channel.name for channel in ready_made()})


def name_of(key: str) -> str:
    """What people call a channel; the key of one that is not ready-made."""
    return _names().get(key, key)


def channel_of(facts: Facts, own: Sequence[Channel] = ()) -> Found:
    """The channel of a visit: the first of `own`, else of the ready-made ones, that is for it."""
    for channel in own:
        for rule in channel.rules:
            if holds(rule, facts):
                return Found(channel=channel, rule=rule)
    touch = facts.touch
    return _by_touch(touch.source, touch.medium, tuple(touch.click_ids))


def with_channel(touch: Touch) -> Touch:
    """A touch with the ready-made channel that it belongs to."""
    found = _by_touch(touch.source, touch.medium, tuple(touch.click_ids))
    return replace(touch, channel=found.channel.key)


@lru_cache(maxsize=16384)
def _by_touch(source: str, medium: str, click_ids: tuple[str, ...]) -> Found:
    facts = Facts(
        touch=Touch(source=source, medium=medium, click_ids=dict.fromkeys(click_ids, "1"))
    )
    for channel in ready_made():
        for rule in channel.rules:
            if holds(rule, facts):
                return Found(channel=channel, rule=rule)
    raise AssertionError("the last ready-made channel takes every visit")


def own_key(text: str) -> str:
    """The key of an organisation's own channel. Raises FieldError."""
    key = text.strip().lower()
    if not KEY.fullmatch(key):
        raise FieldError(
            "key", f"{text!r} is refused: 1 to 40 letters, digits, _ and -", "radio-spots"
        )
    return key


def own_rule(rule: Rule) -> Rule:
    """A rule that a channel may have. Raises RuleRefused."""
    for field in sorted(fields_of(rule)):
        if field in _NOT_ASKED:
            raise RuleRefused(f"a channel's rule cannot ask for the {field}", "source=radio")
    return rule


def exactly(field: str, value: str) -> Condition:
    """The rule that `field` is `value`."""
    return Condition(field=field, operator="is", values=(value,))
