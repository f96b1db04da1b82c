"""What docs/targeting.md says of rules is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

from router.domain.channels import ready_made
from router.domain.rules import from_json, parse
from router.domain.rules.tree import FIELDS

TEXT = (Path(__file__).parents[2] / "docs" / "targeting.md").read_text(encoding="utf-8")


def test_every_rule_in_it_can_be_read() -> None:
    """Those of the list, those of the commands, and the one in JSON."""
    block = re.search(r"## Rules\n\n```\n(.*?)```", TEXT, re.DOTALL)
    assert block is not None
    listed = [
        part
        for line in block[1].splitlines()
        for part in re.split(r" {3,}", line)[:-1]
        if part.strip()
    ]
    in_commands = re.findall(r"--rule (?:'([^']+)'|([a-z_=]+))", TEXT)
    found = re.search(r"`(\{\"all\".*\})`", TEXT)
    assert found is not None

    assert len(listed) >= 13
    assert len(in_commands) >= 3
    for rule in [*listed, *(one or other for one, other in in_commands)]:
        assert parse(rule.strip()), rule
    assert from_json(json.loads(found[1])) == parse("channel=google_ads and not path^=/blog")


def test_every_field_is_in_it() -> None:
    """And every channel that an example names exists."""
    told = set(re.findall(r"`([a-z_]+)`", TEXT))
    named = {
        key
        for keys in re.findall(r"channel[= ]([a-z_|]+)", TEXT)
        for key in keys.split("|")
        if "_" in key
    }

    assert set(FIELDS) <= told
    assert named
    assert named <= {channel.key for channel in ready_made()}
