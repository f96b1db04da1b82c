"""Who speaks for a session has been told of it: signed tokens, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import pytest

from router.domain.errors import UnknownSession
from router.domain.page import Heartbeat, Leave, OtherShown, Tap
from router.domain.reservation_tokens import LIFETIME, SETTLES
from router.services.visits import Visits
from router.store.database import Database, Queries
from tests.company import a_heartbeat, a_leave, a_tap, a_visit, set_up
from tests.services.conftest import Browser, Clock, serving

NewBrowser = Callable[[], Browser]
Said = Heartbeat | Leave | Tap


async def says(visits: Visits, said: Said, now: datetime) -> None:
    match said:
        case Heartbeat():
            await visits.heartbeat(said, now)
        case Leave():
            await visits.leave(said, now)
        case Tap():
            await visits.tap(said, now)


async def another_site(database: Database, now: datetime) -> None:
    await database._pool.execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) VALUES (1, 'other-key', 'other', '{https://other.example}', "
        "'RU', 'Europe/Moscow', '+74950009999', '{}', 1, $1)",
        now,
    )


async def heard_of(database: Database) -> list[tuple[object, ...]]:
    rows = await database._pool.fetch("SELECT * FROM session ORDER BY id")
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("kind", ["heartbeat", "leave", "tap"])
@pytest.mark.parametrize("wrong", ["none", "made up", "another's", "another site's", "over"])
async def test_without_a_good_token_nothing_is_asked_and_nothing_is_written(
    database: Database,
    visits: Visits,
    browser: NewBrowser,
    clock: Clock,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    wrong: str,
) -> None:
    """Refused as a session that nobody knows, whatever is said; a real page begins anew."""
    await set_up(database, now)
    await another_site(database, now)
    page, stranger = await browser().opens(), await browser().opens()
    foreign = a_visit(site="other-key", origin="https://other.example")
    elsewhere = await visits.visit(foreign, now)
    token = {
        "none": None,
        "made up": "AGkrXQBzQ1o3ZrW0k8yLh5nTfQ2e",
        "another's": stranger.token,
        "another site's": elsewhere.token,
        "over": page.token,
    }[wrong]
    if wrong == "over":
        clock.move(seconds=LIFETIME.total_seconds())
        await browser().opens()
    before = await heard_of(database)
    makers: dict[str, Said] = {
        "heartbeat": a_heartbeat(page.session, page.number, token=token),
        "leave": a_leave(page.session, token=token),
        "tap": a_tap(page.session, page.number, token=token),
    }
    said = makers[kind]
    asked: list[str] = []
    for ask in ("fetch", "fetchrow", "fetchval", "execute"):
        monkeypatch.setattr(Queries, ask, lambda _, name, **_values: asked.append(name))
    with pytest.raises(UnknownSession):
        await says(visits, said, clock.now)
    monkeypatch.undo()

    assert asked == []
    assert await heard_of(database) == before


async def test_a_token_of_one_site_is_worth_nothing_at_another(
    database: Database, visits: Visits, browser: NewBrowser, now: datetime
) -> None:
    """Though the session's key is right."""
    await set_up(database, now)
    await another_site(database, now)
    page = await browser().opens()
    beat = a_heartbeat(page.session, page.number, token=page.token)

    assert (await visits.heartbeat(beat, now)).how == "kept"
    with pytest.raises(UnknownSession):
        await visits.heartbeat(replace(beat, site="other-key", origin="https://other.example"), now)


async def test_a_token_that_is_sent_a_thousand_times_renews_its_own_reservation_alone(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """And no further than one heartbeat does."""
    await set_up(database, now)
    page, neighbour = await browser().opens(), await browser().opens()
    at = clock.move(seconds=30)
    beat = a_heartbeat(page.session, page.number, token=page.token)
    once = await visits.heartbeat(beat, at)
    for _ in range(1000):
        last = await visits.heartbeat(beat, at)
    seen = dict(await database._pool.fetch("SELECT key, seen_at FROM session"))

    assert last.valid_until == once.valid_until
    assert seen == {page.session: at, neighbour.session: now}


async def test_a_page_that_stays_open_for_days_keeps_its_number(
    database: Database, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Its heartbeats are answered with new tokens; one in each half of a token's life."""
    await set_up(database, now)
    visitor = browser()
    first = await visitor.opens()
    tokens = {first.token}
    for _ in range(3 * 24):
        clock.move(hours=1)
        answer = await visitor.speaks()
        tokens |= {answer.token} - {None}

    assert (answer.how, answer.number) == ("kept", None)
    assert visitor.shown is not None
    assert visitor.shown.session == first.session
    assert len(tokens) == 6


async def test_every_number_of_a_page_has_a_token_of_its_own(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """What is wrong with one is told of that one; each is renewed."""
    await set_up(database, now)
    await database._pool.execute(
        "UPDATE site SET page_numbers = page_numbers || '{+74950000001}'::text[]"
    )
    await database._pool.execute(
        "INSERT INTO pool (organisation_id, site_id, name, kind, created_at) "
        "VALUES (1, 1, 'service', 'dynamic', $1)",
        now,
    )
    await database._pool.execute(
        "INSERT INTO page_number (pool_id, e164) VALUES (2, '+74950000001')"
    )
    await database._pool.execute(
        "INSERT INTO number (organisation_id, e164, pool_id, created_at) VALUES (1, '+74950000021', 2, $1)",
        now,
    )
    page = await browser().opens()
    other = page.others[0]
    good = OtherShown(session=other.session, shown=other.number, token=other.token)
    beat = a_heartbeat(page.session, page.number, token=page.token, others=(good,))
    wrong = replace(beat, others=(replace(good, token=page.token),))
    kept = await visits.heartbeat(beat, clock.move(seconds=30))
    refused = await visits.heartbeat(wrong, clock.move(seconds=30))
    later = await visits.heartbeat(beat, clock.move(hours=13))

    assert [told and told.how for told in kept.others] == ["kept"]
    assert refused.others == (None,)
    assert later.token not in (None, page.token)
    assert later.others[0] is not None
    assert later.others[0].token not in (None, other.token)


async def test_pages_of_which_nothing_is_kept_have_no_token(
    database: Database, visits: Visits, now: datetime
) -> None:
    """Robots, and visitors who do not want to be remembered."""
    await set_up(database, now)
    robot = await visits.visit(a_visit(user_agent="Googlebot/2.1"), now)
    denied = await visits.visit(a_visit(consent="denied"), now)

    assert (robot.token, denied.token) == (None, None)


async def test_every_router_takes_the_tokens_of_every_other(
    dsn: str, database: Database, visits: Visits, browser: NewBrowser, now: datetime
) -> None:
    """They share the key that the database has."""
    await set_up(database, now)
    page = await browser().opens()
    other = await Database.connect(dsn, connections=2)
    async with serving(Visits(other)) as second:
        beat = a_heartbeat(page.session, page.number, token=page.token)
        answer = await second.heartbeat(beat, now)
    await other.close()

    assert answer.how == "kept"


async def test_a_new_key_is_made_by_one_row(
    database: Database, visits: Visits, browser: NewBrowser, clock: Clock, now: datetime
) -> None:
    """Tokens of the key before it stay good; those of the one before that do not."""
    await set_up(database, now)
    await database._pool.execute("UPDATE reservation_token_key SET made_at = $1", now)
    visitor = browser()
    page = await visitor.opens()
    clock.move(seconds=SETTLES.total_seconds())

    async def new_key() -> None:
        await database._pool.execute("INSERT INTO reservation_token_key DEFAULT VALUES")
        await database._pool.execute(
            "UPDATE reservation_token_key SET made_at = $1 WHERE made_at > $1", clock.now
        )
        clock.move(seconds=SETTLES.total_seconds())

    await new_key()
    again = await visitor.opens()
    old = a_heartbeat(page.session, page.number, token=page.token)
    kept = await visits.heartbeat(old, clock.now)
    await new_key()
    await browser().opens()
    with pytest.raises(UnknownSession):
        await visits.heartbeat(old, clock.now)
    newer = await visits.heartbeat(replace(old, token=again.token), clock.now)
    secrets = await database._pool.fetch("SELECT secret FROM reservation_token_key")

    assert again.session == page.session
    assert (kept.how, newer.how) == ("kept", "kept")
    assert len({row["secret"] for row in secrets}) == 3
    assert {len(row["secret"]) for row in secrets} == {32}


async def test_a_session_that_was_deleted_is_unknown(
    database: Database, visits: Visits, now: datetime
) -> None:
    """A good token does not bring it back."""
    await set_up(database, now)
    with pytest.raises(UnknownSession):
        await visits.heartbeat(a_heartbeat(uuid4(), None), now)
