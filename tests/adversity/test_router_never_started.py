"""Asterisk alone, from its first start on: no router has ever told it anything."""

from __future__ import annotations

import tempfile
from pathlib import Path

from router.firstrun import demo
from tests.adversity.test_router_down import RINGS_WITHIN
from tests.system import new_system


async def test_calls_before_the_first_router() -> None:
    """The default line rings; the router that starts later writes the calls down, and says what is
    unknown: nobody was shown the number, and a static number's source is sure."""
    with tempfile.TemporaryDirectory(prefix="ct-", ignore_cleanup_errors=True) as name:
        async with new_system(Path(name), with_router=False) as system:
            one, other = system.new_caller(), system.new_caller()
            _, waited = await system.talk(demo.DYNAMIC[0], one, seconds=0.3)
            await system.talk(demo.STATIC[0], other, seconds=0.3)
            system.router.start()
            await system.router.ready()
            unknown, static = await system.record(one), await system.record(other)

    assert waited < RINGS_WITHIN
    assert unknown["route_source"] == static["route_source"] == "failsafe_default"
    assert unknown["attribution"]["method"] == "without_session"
    assert unknown["attribution"]["level"] == "none"
    assert static["attribution"]["method"] == "static"
    assert static["attribution"]["source"] == "maps"
