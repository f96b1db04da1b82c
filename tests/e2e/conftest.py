"""One Asterisk for the whole run; telephones and a stub router of its own for each test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.pbx import Pbx, new_asterisk
from tests.e2e.sip import SipAgent
from tests.e2e.stub_router import StubRouter, stub_router


@pytest.fixture(scope="session")
def asterisk_folder() -> Iterator[Path]:
    """A folder that the user Asterisk runs as can pass through, with a short path."""
    with tempfile.TemporaryDirectory(prefix="ct-e2e-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="session")
def shared_pbx(asterisk_folder: Path) -> Iterator[Pbx]:
    server = new_asterisk(asterisk_folder)
    server.start()
    try:
        yield Pbx(server)
    finally:
        server.stop()


@pytest.fixture
async def company(shared_pbx: Pbx) -> AsyncIterator[SipAgent]:
    """The company's telephone; answers at once unless its `behaviour` is changed."""
    config = shared_pbx.server.config
    agent = await SipAgent.open(config.company_host, config.company_port, frequency=1500)
    yield agent
    await agent.close()
    assert not agent.problems


@pytest.fixture
async def second(shared_pbx: Pbx) -> AsyncIterator[SipAgent]:
    """A second line of the company."""
    agent = await SipAgent.open("127.0.0.5", shared_pbx.server.config.company_port)
    yield agent
    await agent.close()
    assert not agent.problems


@pytest.fixture
async def trunk(shared_pbx: Pbx) -> AsyncIterator[SipAgent]:
    """The operator's side, from where calls come."""
    config = shared_pbx.server.config
    agent = await SipAgent.open(config.trunk_host, config.trunk_port, frequency=500)
    yield agent
    await agent.close()
    assert not agent.problems


@pytest.fixture
async def pbx(shared_pbx: Pbx, company: SipAgent, trunk: SipAgent) -> AsyncIterator[Pbx]:
    """Asterisk as if fresh, the company reachable; after the test no channel may be left."""
    shared_pbx.reset()
    await shared_pbx.wait_reachable("company")
    yield shared_pbx
    await shared_pbx.idle()


@pytest.fixture
async def router(shared_pbx: Pbx) -> AsyncIterator[StubRouter]:
    """A stub in the router's place, which routes to the company."""
    async with stub_router(shared_pbx.server.config.agi_port) as stub:
        yield stub
