"""The administrators' commands as they are typed; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Callable
from datetime import datetime

import pytest
from click.testing import Result
from typer.testing import CliRunner

from router.administration_cli import Invocation, app

Command = Callable[[str], Result]


@pytest.fixture
def command(dsn: str, now: datetime) -> Command:
    """Runs a command line on a fresh database, in a thread: each command has a loop of its own."""
    environment = {
        "CALL_ROUTER_DATABASE_URL": dsn,
        "CALL_ROUTER_STAFF_URL": "https://staff.example.com",
    }
    context = Invocation(environment=environment, clock=lambda: now)

    def run(line: str) -> Result:
        return CliRunner().invoke(app, shlex.split(line), obj=context)

    return run


async def test_from_nothing_to_a_site_that_has_numbers(command: Command) -> None:
    """The order in which a new installation is set up."""
    lines = [
        "organisation add Acme",
        "target add office --endpoint office",
        "trunk add carrier-1 --target office",
        "site add shop --origin https://shop.example --default-number 84951234567 --key shop-key-1 --target office",
        "pool add ads --site shop --rule source=google --rule medium=cpc",
        "number add 84951110001 84951110002 --pool ads --trunk carrier-1",
    ]
    for line in lines:
        result = await asyncio.to_thread(command, line)
        assert (line, result.exit_code, result.stderr) == (line, 0, "")

    listed = {
        kind: (await asyncio.to_thread(command, f"{kind} list")).stdout
        for kind in ("organisation", "target", "trunk", "site", "pool", "number")
    }
    await asyncio.to_thread(command, "pool add rest --site shop --region RU-MOW")
    moved = await asyncio.to_thread(command, "number move 84951110001 --to rest --region RU")
    shown = await asyncio.to_thread(command, "number show 84951110001 --region RU")
    assert moved.stdout == "number +7 495 111-00-01 is in pool rest\n"
    assert "rest / shop" in shown.stdout
    assert listed["number"].splitlines()[1].split() == [
        "+7", "495", "111-00-01", "shop", "ads", "carrier-1", "free",
    ]  # fmt: skip
    assert "source=google and medium=cpc" in listed["pool"]
    assert re.search(r"100 +ads +shop +dynamic +balanced .* 600, 1200, 900 s", listed["pool"])
    assert "shop-key-1  https://shop.example" in listed["site"]
    assert all("Acme" in listed[k] or "office" in listed[k] for k in ("organisation", "trunk"))


async def test_targeting_from_the_command_line(command: Command) -> None:
    """Channels, rules tried out, default numbers, and which pool a visit would get."""
    for line in (
        "organisation add Acme",
        "target add office --endpoint office",
        "site add shop --origin https://shop.example --default-number 84951234567 --key shop-key-1 --target office",
        "channel add radio --rule source=fm --name Radio",
        "pool add ads --site shop --rule 'channel=google_ads|radio and not path^=/jobs' --priority 10",
        "pool add rest --site shop",
        "default-number set 84951234569 --site shop --channel radio",
        "rule try 'path^=/jobs' --site shop --pool ads --days 7",
        "channel try --site shop --rule source=tv",
    ):
        result = await asyncio.to_thread(command, line)
        assert (line, result.exit_code, result.stderr) == (line, 0, "")
    which = await asyncio.to_thread(
        command, "pool which --site shop --url https://shop.example/jobs?utm_source=fm"
    )
    checked = await asyncio.to_thread(command, "rule check 'SOURCE=a (term or not path^=/x)'")
    refused = await asyncio.to_thread(command, "rule check 'sourse=a'")
    listed = await asyncio.to_thread(command, "channel list --rules")
    numbers = await asyncio.to_thread(command, "default-number list")
    gone = await asyncio.to_thread(command, "default-number remove --site shop --channel radio")

    assert which.stdout.splitlines()[:4] == [
        "touch    fm / (not set) / -",
        "channel  radio (Radio), by source=fm",
        "pool     rest",
        "default  +7 495 123-45-69, of the channel radio",
    ]
    assert "no         landing page's path begins with '/jobs'" in which.stdout
    assert checked.stdout.splitlines()[0] == "source=a and (term or not path^=/x)"
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "error: rule: character 1 ('sourse=a'): 'sourse' is no field" in refused.stderr
    assert listed.stdout.splitlines()[1].split() == ["radio", "Radio", "own", "100", "source=fm"]
    assert "google_ads" in listed.stdout
    assert "radio    -       +7 495 123-45-69" in numbers.stdout
    assert gone.stdout == "radio: +7 495 123-45-69 removed\n"


async def test_refusals_name_field_problem_and_example(command: Command) -> None:
    """One line each on stderr, and status 2."""
    await asyncio.to_thread(command, "organisation add Acme")
    result = await asyncio.to_thread(
        command, "site add shop --origin shop.example --default-number 1 --target x --region QQ"
    )

    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(":")[:2] for line in result.stderr.splitlines()] == [
        ["error", " origin"],
        ["error", " region"],
        ["error", " default_number"],
    ]
    assert "(for example https://www.example.com)" in result.stderr


async def test_tokens_and_sign_in_links(command: Command) -> None:
    """A token is printed alone, once; a link carries a code."""
    await asyncio.to_thread(command, "organisation add Acme")
    token = await asyncio.to_thread(command, "token create reporting")
    listed = await asyncio.to_thread(command, "token list")
    revoked = await asyncio.to_thread(command, "token revoke reporting")
    again = await asyncio.to_thread(command, "token revoke reporting")
    link = await asyncio.to_thread(command, "sign-in")

    assert token.stdout.startswith("ct_live_")
    assert token.stdout.count("\n") == 1
    assert "reporting  read   2026-11-23 09:00  never      valid" in listed.stdout
    assert (revoked.exit_code, again.exit_code) == (0, 2)
    assert link.stdout.startswith("https://staff.example.com/sign-in?code=")


async def test_a_database_that_is_away(now: datetime) -> None:
    """The error says what to look at, in two lines and not in a traceback."""
    environment = {"CALL_ROUTER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
    context = Invocation(environment=environment, clock=lambda: now)
    result = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["site", "list"], obj=context))

    assert result.exit_code == 1
    assert "is PostgreSQL running, and CALL_ROUTER_DATABASE_URL right?" in result.stderr


async def test_what_a_sites_pages_carry(command: Command) -> None:
    """Lines of HTML, a further page number, the cookie's domain, the server's token."""
    lines = [
        "organisation add Acme",
        "target add office --endpoint office",
        "site add shop --origin https://shop.example --default-number 84951234567 --key shop-key-1 --target office --page-number 84951234567 --page-number 84951234599",
        "pool add service --site shop",
        "site snippet shop",
        "pool page-number service 84951234599",
        "site cookie-domain shop shop.example",
        "site server-token shop",
        "pool page-number service",
    ]
    said = {}
    for line in lines:
        result = await asyncio.to_thread(command, line)
        assert (line, result.exit_code, result.stderr) == (line, 0, "")
        said[line] = result.stdout.splitlines()

    newest, _, fixed = said["site snippet shop"][1:]
    assert said[lines[2]][-1] == newest
    assert newest.endswith('/ct.js" data-site="shop-key-1"></script>')
    assert 'integrity="sha384-' in fixed
    assert "serves +74951234599" in said[lines[5]][0]
    assert "all over shop.example" in said[lines[6]][0]
    assert said[lines[7]][-1].startswith("cts_")
    assert "serves the main number" in said[lines[8]][0]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("pool page-number service 84959999999", "number: +74959999999 is not one of the numbers"),
        (
            "site cookie-domain shop localhost",
            "cookie_domain: 'localhost' is not the name of a domain",
        ),
        ("site snippet elsewhere", "site: there is no 'elsewhere'; there is: shop"),
    ],
)
async def test_refusals_about_what_pages_carry(command: Command, line: str, problem: str) -> None:
    """They name what there is instead."""
    for first in (
        "organisation add Acme",
        "target add office --endpoint office",
        "site add shop --origin https://shop.example --default-number 84951234567 --target office",
        "pool add service --site shop",
    ):
        assert (await asyncio.to_thread(command, first)).exit_code == 0
    result = await asyncio.to_thread(command, line)

    assert result.exit_code == 2
    assert problem in result.stderr


async def test_what_was_set_up_is_edited_and_deleted(command: Command) -> None:
    """What is not given stays; an empty text takes away; what is needed is not deleted."""
    lines = [
        "organisation add Acme",
        "target add office --endpoint office",
        "trunk add carrier-1 --target office",
        "site add shop --origin https://shop.example --default-number 84951234567 --target office",
        "pool add ads --site shop --rule source=google",
        "number add 84951110001 --pool ads --trunk carrier-1 --region RU",
        "pool edit ads --name search --policy uis --left-seconds 2400 --binding campaign --channel x",
        "pool edit search --every-visit --to-visitors --no-record --grows --channel=",
        "site edit shop --time-zone Asia/Kolkata --origin https://new.example",
        "target edit office --ring-seconds 40",
        "trunk edit carrier-1 --target=",
        "number edit 84951110001 --region RU --target office --no-record",
        "organisation rename Acme-2",
    ]
    for line in lines:
        result = await asyncio.to_thread(command, line)
        assert (line, result.exit_code, result.stderr) == (line, 0, "")
    held = await asyncio.to_thread(command, "pool delete search")
    pools = (await asyncio.to_thread(command, "pool list")).stdout
    sites = (await asyncio.to_thread(command, "site list")).stdout
    for line in (
        "number withdraw +74951110001",
        "pool delete search",
        "site delete shop",
    ):
        result = await asyncio.to_thread(command, line)
        assert (line, result.exit_code, result.stderr) == (line, 0, "")
    trunk = await asyncio.to_thread(command, "trunk delete carrier-1")

    trail = (await asyncio.to_thread(command, "audit list --action pool.edit")).stdout

    newest, oldest = trail.splitlines()[1:]
    assert "pool.edit  search" in newest
    assert '"was": {' in oldest
    assert '"left_seconds": 1200' in oldest
    assert (held.exit_code, "pool: 'search' is still needed by 1 number(s)" in held.stderr) == (
        2,
        True,
    )
    assert "search  shop  dynamic" in pools
    assert "every visit" in pools
    assert "https://new.example" in sites
    assert "1 number(s) (for example +74951110001)" in trunk.stderr
