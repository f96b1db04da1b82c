"""The demo company: one organisation, one site, two pools, twelve numbers; made once."""

from datetime import datetime

from router.firstrun.demo_site_server import DEFAULT_NUMBER
from router.services.access import Access
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.work import By
from router.store import firstrun as store
from router.store import migrations
from router.store.database import Database

ORGANISATION = "Clearpane"
SITE = "clearpane"
SITE_KEY = "clearpane-demo"
TRUNK = "trunk1"
_LINE = "front desk"
_OWN_TOKEN, _PERSON_TOKEN = "first run", "owner"
DYNAMIC = tuple(f"+7495135{number:04d}" for number in range(101, 111))
STATIC = ("+74951350201", "+74951350202")
CALLER = "+79161234567"
LANDING = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=demo-click-1"


async def prepare(database_url: str, site_url: str, now: datetime) -> list[str]:
    """Bring the schema up to date and set the demo company up; returns what was done, in words."""
    done: list[str] = []
    applied = await migrations.migrate(database_url)
    if applied:
        done.append(f"{len(applied)} migrations applied")
    database = await Database.connect(database_url, connections=1, name="first run")
    try:
        made = await _set_up(database, site_url, now)
        if made:
            done.append(f"{ORGANISATION}: one site, two pools, {len(DYNAMIC + STATIC)} numbers")
        if await store.move_site(database, SITE_KEY, [site_url]):
            done.append(f"the demo site is now {site_url}")
    finally:
        await database.close()
    return done


async def _set_up(database: Database, site_url: str, now: datetime) -> bool:
    """Make whatever is missing, so that an interrupted set-up is completed by the next."""
    administration, inventory = Administration(database), Inventory(database)
    by = By(actor="first run", now=now, organisation=ORGANISATION)
    if ORGANISATION not in {row.name for row in await inventory.organisations()}:
        await administration.add_organisation(ORGANISATION, by=by)
    numbers = {row.e164 for row in await inventory.numbers(ORGANISATION)}
    if numbers.issuperset(DYNAMIC + STATIC):
        return False
    if _LINE not in {target.name for target in await inventory.targets(ORGANISATION)}:
        await administration.add_target(_LINE, endpoint="company", by=by)
    if TRUNK not in {trunk.name for trunk in await inventory.trunks(ORGANISATION)}:
        await administration.add_trunk(TRUNK, target=_LINE, by=by)
    if SITE not in {site.name for site in await inventory.sites(ORGANISATION)}:
        await administration.add_site(
            SITE,
            key=SITE_KEY,
            origins=[site_url],
            region="RU",
            time_zone="Europe/Moscow",
            default_number=DEFAULT_NUMBER,
            target=_LINE,
            by=by,
        )
    pools = {row.pool.name for row in await inventory.pools(ORGANISATION)}
    if "visitors" not in pools:
        await administration.add_pool("visitors", site=SITE, kind="dynamic", by=by)
    if "maps" not in pools:
        await administration.add_pool(
            "maps",
            site=SITE,
            kind="static",
            priority=50,
            rules=["channel=maps|google_maps|yandex_maps|twogis"],
            source="maps",
            medium="listing",
            channel="maps",
            by=by,
        )
    for pool, wanted in (("visitors", DYNAMIC), ("maps", STATIC)):
        missing = [number for number in wanted if number not in numbers]
        if missing:
            await administration.add_numbers(missing, pool=pool, site=SITE, trunk=TRUNK, by=by)
    return True


async def newest_shown(database_url: str, now: datetime) -> store.Shown | None:
    """The number on the page of the demo site's newest visitor who holds one."""
    database = await Database.connect(database_url, connections=1, name="first run")
    try:
        return await store.newest_shown(database, SITE_KEY, now)
    finally:
        await database.close()


async def grant(database_url: str, kept: str, now: datetime) -> tuple[str, str]:
    """Tokens of the demo company: the first run's own, and one for a person.

    `kept` is the own token of an earlier run; a new one replaces it if it is not valid. The
    person's token is empty unless it was made now: it is shown once.
    """
    database = await Database.connect(database_url, connections=1, name="first run")
    try:
        access = Access(database)
        names = {row.name for row in await access.tokens(ORGANISATION) if row.revoked_at is None}
        if not kept or await access.by_token(kept, now=now) is None:
            if _OWN_TOKEN in names:
                await access.revoke_token(
                    _OWN_TOKEN, organisation=ORGANISATION, actor="first run", now=now
                )
            kept = await _token(access, _OWN_TOKEN, now)
        person = "" if _PERSON_TOKEN in names else await _token(access, _PERSON_TOKEN, now)
        return kept, person
    finally:
        await database.close()


async def _token(access: Access, name: str, now: datetime) -> str:
    return await access.create_token(name, organisation=ORGANISATION, actor="first run", now=now)


async def sign_in_link(database_url: str, staff_url: str, now: datetime) -> str:
    """A link that opens the live page, once, for whoever has it."""
    database = await Database.connect(database_url, connections=1, name="first run")
    try:
        code = await Access(database).create_code(organisation=ORGANISATION, now=now)
    finally:
        await database.close()
    return f"{staff_url}/sign-in?code={code}"
