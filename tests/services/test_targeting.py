"""Channels, default numbers, which pool a visit gets, and rules tried on past sessions; on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from router.domain.errors import FieldError, FieldErrors
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.rehearsal import Rehearsal
from router.services.trials import NEW, Trials
from router.services.visits import Visits
from router.services.work import By
from router.store import arrivals
from router.store.database import Database
from tests.company import DEFAULT as SITE_DEFAULT
from tests.company import ORIGIN, SITE, APool, e164, set_up
from tests.services.conftest import Browser, Clock

ADS = f"{ORIGIN}/?gclid=1"
RADIO = f"{ORIGIN}/radio?utm_source=station&utm_medium=spot"
BLOG = f"{ORIGIN}/blog/pumps"


@pytest.fixture
def by(now: datetime) -> By:
    return By(actor="test", now=now)


@pytest.fixture
def administration(database: Database) -> Administration:
    return Administration(database)


async def test_every_session_has_a_channel(
    database: Database, browser: Callable[[], Browser], now: datetime
) -> None:
    """Given when it begins, kept by its further pages."""
    await set_up(database, now, APool(numbers=range(1, 4)))
    for url in (ADS, BLOG):
        visitor = browser()
        await visitor.opens(url)
        await visitor.opens(f"{ORIGIN}/contacts", referrer=f"{ORIGIN}/")

    rows = await database._pool.fetch("SELECT channel FROM session ORDER BY id")
    assert [row["channel"] for row in rows] == ["google_ads", "direct"]


async def test_an_own_channel_is_asked_first(
    database: Database,
    administration: Administration,
    browser: Callable[[], Browser],
    by: By,
    now: datetime,
) -> None:
    """Of two, the one of the smaller place; and pools may ask for it."""
    await set_up(database, now, APool(numbers=(1, 2)))
    await administration.add_channel("late", rules=["source=station"], by=by)
    await administration.add_channel(
        "Radio", name="Radio spots", rules=["path^=/radio", "source=fm"], place=10, by=by
    )
    await administration.add_pool(
        "radio", site=SITE, rules=["channel=radio"], priority=1, default_number="84950000077", by=by
    )
    shown = await browser().opens(RADIO)
    listed = await Inventory(database).channels()

    assert shown.number == "+74950000077"
    assert await database._pool.fetchval("SELECT channel FROM session") == "radio"
    assert [(row.channel.key, row.channel.name, row.place) for row in listed] == [
        ("radio", "Radio spots", 10),
        ("late", "late", 100),
    ]


async def test_channels_that_are_refused(
    database: Database, administration: Administration, by: By, now: datetime
) -> None:
    """A key that is taken or odd, a rule that cannot be asked, one that pools need."""
    await set_up(database, now, APool(numbers=()))
    await administration.add_channel("radio", rules=["source=fm"], by=by)
    await administration.add_pool("r", site=SITE, rules=["not (term or channel=radio)"], by=by)
    for key, rules, problem in (
        ("google_ads", ["source=x"], "there is a channel"),
        ("радио", ["source=x"], "1 to 40 letters"),
        ("tv", ["channel=radio"], "cannot ask for the channel"),
        ("tv", [], "a channel needs at least one"),
        ("tv", ["sourse=x"], "is no field"),
    ):
        with pytest.raises(FieldError, match=problem):
            await administration.add_channel(key, rules=rules, by=by)
    with pytest.raises(FieldError, match="still asked for by pools: r"):
        await administration.remove_channel("radio", by=by)
    with pytest.raises(FieldError, match="no own channel 'direct'; there is: radio"):
        await administration.remove_channel("direct", by=by)
    with pytest.raises(FieldError, match="there is no channel 'google'; there is: google_ads"):
        await administration.add_pool("g", site=SITE, rules=["channel=google"], by=by)

    await administration.delete_pool("r", by=by)
    await administration.remove_channel("radio", by=by)
    actions = await database._pool.fetch("SELECT action FROM audit_entry ORDER BY id")

    assert await Inventory(database).channels() == []
    assert [row["action"] for row in actions] == [
        "channel.add", "pool.add", "pool.delete", "channel.remove",
    ]  # fmt: skip


async def test_a_default_number_for_a_channel_and_for_a_source(
    database: Database,
    administration: Administration,
    browser: Callable[[], Browser],
    by: By,
    now: datetime,
) -> None:
    """The source's before the channel's, the channel's before the pool's, the pool's before the site's."""
    await set_up(
        database,
        now,
        APool(
            name="with", numbers=(), rules={"medium": "cpc"}, priority=1, default_number=e164(50)
        ),
        APool(name="without", numbers=()),
    )
    set_number = administration.set_default_number
    await set_number("8 495 000-00-60", site=SITE, channel="google_ads", by=by)
    await set_number("+74950000061", site=SITE, channel="google_ads", by=by)
    await set_number("+74950000062", site="shop", source="NewsLetter", by=by)

    async def shown(query: str) -> str:
        return (await browser().opens(f"{ORIGIN}/?{query}")).number

    assert await shown("utm_source=newsletter&utm_medium=cpc&gclid=1") == "+74950000062"
    assert await shown("gclid=1") == "+74950000061"
    assert await shown("yclid=1") == e164(50)
    assert await shown("") == SITE_DEFAULT
    listed = await Inventory(database).default_numbers()
    assert [(row.channel, row.source, row.e164) for row in listed] == [
        ("google_ads", None, "+74950000061"),
        (None, "newsletter", "+74950000062"),
    ]


async def test_a_call_to_a_channels_default_number(
    database: Database, administration: Administration, by: By, now: datetime
) -> None:
    """Is that channel's, for sure; a source's number is the source's, and its channel's."""
    await set_up(database, now, APool(numbers=()))
    await administration.set_default_number(e164(61), site=SITE, channel="google_ads", by=by)
    await administration.set_default_number(e164(62), site=SITE, source="newsletter", by=by)
    channel = (await arrivals.dialled(database, [e164(61)], "", "", now)).shown
    source = (await arrivals.dialled(database, [e164(62)], "", "", now)).shown

    assert channel.kind == source.kind == "default"
    assert channel.touch is not None
    assert (channel.touch.channel, channel.touch.source) == ("google_ads", "")
    assert source.touch is not None
    assert (source.touch.channel, source.touch.source) == ("email", "newsletter")


async def test_default_numbers_that_are_refused(
    database: Database, administration: Administration, by: By, now: datetime
) -> None:
    """A number that somebody else's calls come to would not say what it is for."""
    await set_up(
        database,
        now,
        APool(name="visitors", numbers=(1,), default_number=e164(50)),
        APool(name="maps", kind="static", numbers=(2,), source="maps"),
    )
    await administration.set_default_number(e164(61), site=SITE, channel="google_ads", by=by)
    for number, problem in (
        (1, "a number of the dynamic pool 'visitors'"),
        (2, "a number of the static pool 'maps'"),
        (50, "the default number of the pool 'visitors'"),
        (0, "a number that pages of the site 'shop' show"),
        (61, "the default number of channel google_ads"),
    ):
        with pytest.raises(FieldError, match=problem):
            await administration.set_default_number(e164(number), site=SITE, channel="vk", by=by)
    with pytest.raises(FieldError, match="give a channel or a source"):
        await administration.set_default_number(e164(9), site=SITE, by=by)
    with pytest.raises(FieldError, match="'vk' has no default number on shop"):
        await administration.remove_default_number(site=SITE, channel="vk", by=by)
    with pytest.raises(FieldError, match="there is no channel 'goo'"):
        await administration.remove_default_number(site=SITE, channel="goo", by=by)

    assert (
        await administration.remove_default_number(site=SITE, channel="Google_Ads", by=by)
    ) == e164(61)


async def test_a_default_number_that_a_pool_is_given_is_none_any_more(
    database: Database,
    administration: Administration,
    browser: Callable[[], Browser],
    by: By,
    now: datetime,
) -> None:
    """Two visitors would see it, of whom only one holds it; a site that has one left is still needed."""
    await set_up(database, now, APool(numbers=(), default_number=e164(50)))
    for number, channel in ((61, "google_ads"), (62, "vk")):
        await administration.set_default_number(e164(number), site=SITE, channel=channel, by=by)
    await administration.add_pool("x", site=SITE, rules=["source=nobody"], priority=1, by=by)
    await administration.add_numbers([e164(61)], pool="x", by=by)

    assert (await browser().opens(ADS)).number == e164(50)
    assert (await browser().opens(f"{ORIGIN}/?utm_source=vk")).number == e164(62)
    with pytest.raises(FieldError, match=r"default number\(s\) of channels and sources"):
        await administration.delete_site(SITE, by=by)


async def test_which_pool_and_why(
    database: Database, administration: Administration, by: By, now: datetime
) -> None:
    """Every pool that is asked, with the first condition that does not hold; the channel and its rule."""
    await set_up(database, now, APool(name="rest", numbers=(1,)))
    for name, rule, priority in (
        ("mobile", "channel=google_ads and device=mobile", 10),
        ("blog", "path^=/blog or query:topic=pumps", 20),
        ("late", "term", 200),
    ):
        await administration.add_pool(name, site=SITE, rules=[rule], priority=priority, by=by)
    await administration.set_default_number(e164(61), site=SITE, channel="google_ads", by=by)
    rehearsal = Rehearsal(database)
    there = await rehearsal.which(SITE, ADS, device="mobile", region="RU-MOW")
    elsewhere = await rehearsal.which("shop", f"{ORIGIN}/?gbraid=1", device="desktop")

    assert there.targeting.pool is not None
    assert there.targeting.pool.name == "mobile"
    assert elsewhere.targeting.words == (
        "mobile: device is not 'mobile' but 'desktop'; "
        "blog: landing page's path does not begin with '/blog' but '/' and "
        "parameter 'topic' is not 'pumps': there is none; "
        "rest: it serves every visit"
    )
    assert [pool.name for pool in elsewhere.targeting.unasked] == ["late"]
    assert elsewhere.channel.channel.name == "Google Ads"
    assert (elsewhere.default, elsewhere.default_of) == (e164(61), "of the channel google_ads")
    with pytest.raises(FieldError, match="site: there is no 'nowhere'; there is: shop"):
        await rehearsal.which("nowhere", ADS)


async def sessions(browser: Callable[[], Browser], clock: Clock, *urls: str) -> None:
    for url in urls:
        await browser().opens(url)
        clock.move(minutes=1)


async def test_a_rule_is_tried_on_past_sessions(
    database: Database, browser: Callable[[], Browser], clock: Clock, now: datetime
) -> None:
    """How many it holds for, what they got and would get; for a new pool, and for one there is. Who got a
    default number since all were taken counts for the pool that ran out."""
    await set_up(
        database,
        now,
        APool(name="ads", numbers=range(1, 9), rules={"medium": "cpc"}, priority=10),
        APool(name="rest", numbers=range(11, 14)),
    )
    await sessions(browser, clock, ADS, ADS, BLOG, BLOG, BLOG, BLOG)
    trials, later = Trials(database), clock.now
    new = await trials.try_rules(["path^=/blog"], site=SITE, now=later)
    changed = await trials.try_rules(
        ["path^=/blog", "device=desktop"], site=SITE, pool="ads", days=1, now=later
    )
    as_it_is = await trials.try_rules([], site=SITE, pool="ads", now=later)

    assert (new.looked_at, new.matched, new.moved, new.whole) == (6, 4, 4, True)
    assert new.moves == {("rest", NEW): 4}
    assert new.since == later - timedelta(days=30)
    assert [one.got for one in new.examples] == ["rest"] * 4
    assert changed.moves == {("ads", "rest"): 2, ("rest", "ads"): 4}
    assert as_it_is.moves == {("ads", "ads"): 2}
    assert (as_it_is.matched, as_it_is.moved) == (2, 0)


async def test_a_trial_goes_back_no_further_than_it_shall(
    database: Database,
    browser: Callable[[], Browser],
    clock: Clock,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By days, in pages; another site's sessions are passed over; without time it says how far it came."""
    monkeypatch.setattr("router.services.trials._PAGE", 2)
    await set_up(database, now, APool(numbers=range(1, 9)))
    await sessions(browser, clock, ADS, ADS, ADS)
    clock.move(days=2)
    await sessions(browser, clock, BLOG, BLOG, BLOG)
    await database._pool.execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) SELECT organisation_id, 'second-1', 'second', origins, "
        "region, time_zone, default_number, page_numbers, target_id, created_at FROM site"
    )
    await database._pool.execute("UPDATE session SET site_id = 2 WHERE id IN (2, 5)")
    lately = await Trials(database).try_rules(["url"], site=SITE, days=1, now=clock.now)
    everything = await Trials(database).try_rules(["url"], site=SITE, days=30, now=clock.now)
    no_time = await Trials(database, seconds=0).try_rules(["url"], site=SITE, now=clock.now)

    assert (lately.looked_at, lately.matched) == (2, 2)
    assert (everything.looked_at, everything.whole) == (4, True)
    assert (no_time.looked_at, no_time.whole, no_time.since) == (0, False, clock.now)


async def test_a_channel_is_tried_on_past_sessions(
    database: Database, browser: Callable[[], Browser], clock: Clock, now: datetime
) -> None:
    """Also on those from before there were channels."""
    await set_up(database, now, APool(numbers=range(1, 9)))
    await sessions(browser, clock, ADS, RADIO, RADIO)
    await database._pool.execute("UPDATE session SET channel = '' WHERE id = 2")
    found = await Trials(database).try_channel(["path=/radio"], site=SITE, now=clock.now)

    assert found.moves == {("other", "(the new channel)"): 2}
    assert (found.looked_at, found.matched) == (3, 2)


async def test_trials_that_are_refused(database: Database, now: datetime) -> None:
    """Everything at once."""
    await set_up(database, now, APool(numbers=()))
    with pytest.raises(FieldErrors) as refused:
        await Trials(database).try_rules([], site=SITE, days=0, now=now)
    with pytest.raises(FieldError, match="pool: there is no 'x'; there is: visitors"):
        await Trials(database).try_rules(["term"], site=SITE, pool="x", now=now)

    assert [problem.field for problem in refused.value.problems] == ["days", "rule"]


async def test_a_rule_on_the_landing_page_holds_for_the_whole_session(
    visits: Visits, database: Database, browser: Callable[[], Browser], now: datetime
) -> None:
    """Its further pages, whatever their address, show the same number."""
    await set_up(
        database,
        now,
        APool(name="rest", numbers=(1, 2)),
    )
    await Administration(database).add_pool(
        "blog",
        site=SITE,
        rules=["path^=/blog and click_id=gclid and visit=1 and device=desktop"],
        priority=1,
        by=By(actor="test", now=now),
    )
    await Administration(database).add_numbers(
        [e164(11)], pool="blog", by=By(actor="test", now=now)
    )
    visitor = browser()
    first = await visitor.opens(f"{BLOG}?gclid=1")
    second = await visitor.opens(f"{ORIGIN}/contacts", referrer=BLOG)

    assert first.number == second.number == e164(11)
    assert (await browser().opens(BLOG)).number == e164(1)


async def test_static_pools_for_offline_media(
    database: Database,
    administration: Administration,
    browser: Callable[[], Browser],
    by: By,
    now: datetime,
) -> None:
    """Any of a pool's numbers says the source for sure, and its channel; pages show the first one."""
    await set_up(database, now, APool(numbers=(1,)))
    await administration.add_pool(
        "gazette",
        site=SITE,
        kind="static",
        rules=["source=gazette"],
        source="gazette",
        medium="print",
        campaign="autumn",
        priority=10,
        by=by,
    )
    await administration.add_pool(
        "ring road",
        site=SITE,
        kind="static",
        rules=["source=road"],
        source="road",
        channel="offline",
        by=by,
    )
    await administration.add_numbers([e164(21), e164(22)], pool="gazette", by=by)
    await administration.add_numbers([e164(31)], pool="ring road", by=by)
    scanned = await browser().opens(f"{ORIGIN}/?utm_source=gazette&utm_medium=print")
    shown = [
        (await arrivals.dialled(database, [e164(number)], "", "", now)).shown
        for number in (21, 22, 31)
    ]
    touches = [one.touch for one in shown if one.touch is not None]

    assert (scanned.number, scanned.how) == (e164(21), "static")
    assert [one.kind for one in shown] == ["static"] * 3
    assert [(t.source, t.campaign, t.channel) for t in touches] == [
        ("gazette", "autumn", "offline"),
        ("gazette", "autumn", "offline"),
        ("road", "", "offline"),
    ]
