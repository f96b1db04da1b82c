"""The commands of docs/targeting.md, typed as they stand there; on a real PostgreSQL."""

from __future__ import annotations

import re
from pathlib import Path

from tests.services.test_pool_examples import Run, run

__all__ = ["run"]  # a fixture

TEXT = (Path(__file__).parents[2] / "docs" / "targeting.md").read_text(encoding="utf-8")
SHOP = (
    "organisation add Shop",
    "target add office --endpoint company",
    "trunk add carrier1 --target office",
    "site add shop --origin https://shop.example --default-number 84951350000 --target office",
    "pool add ads --site shop --rule 'channel=google_ads and not path^=/blog' --priority 10",
    "pool add visitors --site shop",
)


async def test_the_examples_work_as_they_stand(run: Run) -> None:
    """And the first one says what it says there."""
    block = re.search(r"^```\n\$ call-router (pool which .+)\n((?:.*\n)+?)```", TEXT, re.MULTILINE)
    commands = re.findall(r"^\$ call-router (.+)$", TEXT, re.MULTILINE)
    assert block is not None
    for line in (*SHOP, *commands):
        await run(line)

    assert len(commands) >= 10
    assert await run(block[1]) == block[2]
