"""The composition root: settings → store → services → servers, in one TaskGroup.

If one of the tasks dies the process exits with what it died of, and whoever supervises it starts it again;
calls take Asterisk's own routes meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import structlog
import uvloop
from prometheus_client import CollectorRegistry

from router import __version__
from router.domain.errors import CallRouterError, StoreUnavailable
from router.services.access import Access
from router.services.calls import Calls
from router.services.clocks import Clocks, DatabaseClock
from router.services.codes import Codes
from router.services.coverage import Coverages
from router.services.departures import Departures
from router.services.hygiene import Hygiene
from router.services.inventory import Inventory
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.places import Places
from router.services.readiness import Probe, Readiness
from router.services.recordings import Recordings
from router.services.regions import Regions
from router.services.reports import Reports
from router.services.snippets import Snippets
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.settings import Address, Settings
from router.store import migrations
from router.store.database import Database
from router.telephony.celfile import CelTailer
from router.telephony.failsafe import FailsafeSync
from router.telephony.fastagi import FastAgiServer
from router.telephony.inbound import Inbound
from router.telephony.link import AmiLink
from router.web.guard import Listener
from router.web.server import Parts, applications
from router.web.throttle import Limits

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

# Opened ahead and used by nothing else: an arriving call never waits for a connection.
CALL_CONNECTIONS = 12
OTHER_CONNECTIONS = 8
RETRY_SECONDS = 1.0


class PartDied(CallRouterError):
    """A part of the router died; its log says how."""


class AddressTaken(CallRouterError):
    """An address to listen on cannot be had."""


@contextlib.contextmanager
def _listening(setting: str, address: Address) -> Iterator[None]:
    """An address that cannot be had is a refusal that names the setting."""
    try:
        yield
    except OSError as error:
        raise AddressTaken(
            f"CALL_ROUTER_{setting}: cannot listen on {address}: {error.strerror or error} "
            "(for example 127.0.0.1:9080)"
        ) from error


def spare_the_collector() -> None:
    """To be called when everything stands: what is alive by then stays, and is not walked through again.

    A request leaves hardly a cycle behind, so the young are looked at every 10,000 objects, not every 700.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def run(settings: Settings, clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT. Raises what a task died of, and WrongSchema."""
    try:
        uvloop.run(_until_told(settings, clock))
    except BaseExceptionGroup as group:
        log.exception("a part of the router died")
        raise PartDied(f"a part of the router died: {group.exceptions[0]!r}") from group


async def _until_told(settings: Settings, clock: Clock) -> None:
    serving = asyncio.create_task(serve(settings, clock))
    loop = asyncio.get_running_loop()
    for what in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(what, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    log.info("stopped")


async def serve(settings: Settings, clock: Clock) -> None:
    """Everything this process does."""
    await _wait_for_database(settings.database_url)
    async with AsyncExitStack() as stack:
        calls_database = await stack.enter_async_context(
            _database(settings, "calls", CALL_CONNECTIONS, at_least=CALL_CONNECTIONS)
        )
        database = await stack.enter_async_context(
            _database(settings, "other", OTHER_CONNECTIONS, at_least=2)
        )
        registry = CollectorRegistry()
        metrics = CallMetrics(registry)
        live = Live()
        clocks = Clocks(metrics)
        upkeep = Upkeep(database)
        coverages = Coverages(database)
        places = Places(settings.places_file)
        visits = Visits(
            database,
            upkeep,
            places=places,
            pool_reservations=settings.pool_reservations_per_minute,
        )
        codes = Codes(database)
        regions = Regions(database)
        calls = Calls(calls_database, live, upkeep, metrics, clocks, codes=codes, regions=regions)
        recordings = Recordings(database, live, metrics, settings.recordings_dir)
        database_clock = DatabaseClock(database, clocks, clock)
        inbound = Inbound(calls, metrics, clock)
        agi = FastAgiServer(
            (settings.agi_listen.host, settings.agi_listen.port),
            settings.agi_allow,
            inbound,
            metrics,
        )
        tailer = _tailer(settings, calls, metrics, clock)
        link = AmiLink(
            address=(settings.ami_host, settings.ami_port),
            events_login=(
                settings.ami_events_user,
                settings.ami_events_secret.get_secret_value(),
            ),
            records_login=(
                settings.ami_records_user,
                settings.ami_records_secret.get_secret_value(),
            ),
            host=settings.asterisk_host,
            calls=calls,
            clocks=clocks,
            metrics=metrics,
            clock=clock,
            tailer=tailer,
        )
        failsafe = FailsafeSync(database, link.records, clock)
        probes: dict[str, Probe] = {
            "database": database_clock.check,
            "asterisk": link.check,
            "failsafe": failsafe.check,
        }
        if tailer is not None:
            probes["events"] = tailer.check
        public, staff = applications(
            Parts(
                visits=visits,
                inventory=Inventory(database),
                access=Access(database),
                reports=Reports(database),
                snippets=Snippets(database),
                recordings=recordings,
                live=live,
                readiness=Readiness(probes),
                registry=registry,
                database=database,
                clock=clock,
                public_url=settings.public_url,
                staff_url=settings.staff_url,
                version=__version__,
                trusted_proxies=settings.trusted_proxies,
                limits=Limits(
                    network_visits=settings.network_visits_per_minute,
                    network_signals=10 * settings.network_visits_per_minute,
                    site_visits=settings.site_visits_per_minute,
                ),
            )
        )
        # or the first call on each connection waits for its statements to be planned
        with contextlib.suppress(StoreUnavailable):
            await calls.warm(clock(), CALL_CONNECTIONS)
        await _first_pulse(upkeep, clock)
        # calls before visitors: FastAGI listens first
        with _listening("AGI_LISTEN", settings.agi_listen):
            await agi.start()
        for setting, application, address in (
            ("HTTP_LISTEN", public, settings.http_listen),
            ("STAFF_LISTEN", staff, settings.staff_listen),
        ):
            with _listening(setting, address):
                await stack.enter_async_context(
                    Listener(application, address, trusted=settings.trusted_proxies)
                )
        spare_the_collector()
        log.info(
            "serving",
            version=__version__,
            snippet_api=str(settings.http_listen),
            staff=str(settings.staff_listen),
            fastagi=str(settings.agi_listen),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(agi.run(), name="fastagi")
            tasks.create_task(inbound.run(), name="inbound")
            tasks.create_task(calls.run(clock), name="calls")
            tasks.create_task(visits.run(), name="visits")
            tasks.create_task(upkeep.run(clock), name="upkeep")
            tasks.create_task(Hygiene(database).run(clock), name="hygiene")
            tasks.create_task(codes.run(clock), name="codes")
            tasks.create_task(places.run(), name="places")
            tasks.create_task(regions.run(clock), name="regions of callers")
            tasks.create_task(Departures(database).run(clock), name="moves of numbers")
            tasks.create_task(recordings.run(clock), name="recordings")
            tasks.create_task(coverages.run(clock), name="coverage")
            tasks.create_task(database_clock.run(), name="database clock")
            tasks.create_task(link.run(), name="AMI")
            tasks.create_task(failsafe.run(), name="fail-safe")
            tasks.create_task(failsafe.listen(settings.database_url), name="routes told")
            if tailer is not None:
                tasks.create_task(tailer.run(), name="call events")


def _tailer(
    settings: Settings, calls: Calls, metrics: CallMetrics, clock: Clock
) -> CelTailer | None:
    if settings.cel_file is None:
        log.warning("CALL_ROUTER_CEL_FILE is not set: calls made while AMI is away stay unknown")
        return None
    return CelTailer(settings.cel_file, settings.asterisk_host, calls, metrics, clock)


async def _wait_for_database(dsn: str) -> None:
    """Return once the database answers and has our schema. Raises WrongSchema."""
    told = False
    while True:
        try:
            await migrations.check(dsn)
        except StoreUnavailable as error:
            if not told:
                log.warning("waiting for the database", reason=str(error))
            told = True
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _first_pulse(upkeep: Upkeep, clock: Clock) -> None:
    """An outage that has just ended is known before the first call is answered."""
    while True:
        try:
            return await upkeep.pulse(clock())
        except StoreUnavailable as error:
            log.warning("waiting for the database", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)


@asynccontextmanager
async def _database(
    settings: Settings, use: str, connections: int, *, at_least: int
) -> AsyncIterator[Database]:
    """A pool of its own for one use, closed at the end."""
    while True:
        try:
            database = await Database.connect(
                settings.database_url,
                connections=connections,
                at_least=at_least,
                name=f"call-router {use}",
            )
            break
        except StoreUnavailable as error:
            log.warning("waiting for the database", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
    try:
        yield database
    finally:
        await database.close()
