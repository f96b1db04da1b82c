"""The snippet's addresses: one that moves, one for each version that never changes."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from router.web.minify import minify
from router.web.snippet_file import SOURCE, Served, current, fixed_line, moving_line
from tests.web.conftest import Web

YEAR = 365 * 24 * 3600


async def test_a_version_is_immutable_and_has_its_integrity_hash(web: Web) -> None:
    """What the browser compares is what is served; it may keep it for a year."""
    line = fixed_line(web.public_url, "a-site-key")
    address = re.search(r'src="([^"]+)"', line)
    integrity = re.search(r'integrity="sha384-([^"]+)"', line)
    assert address is not None
    assert integrity is not None
    async with web.client.get(address[1]) as answer:
        body = await answer.read()
    async with web.client.get(f"{web.public_url}/ct.js") as moving:
        assert await moving.read() == body

    assert answer.headers["Cache-Control"] == f"public, max-age={YEAR}, immutable"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert base64.b64decode(integrity[1]) == hashlib.sha384(body).digest()
    assert 'crossorigin="anonymous"' in line
    assert moving_line(web.public_url, "a-site-key") in line.replace(
        f"{current().path}", "/ct.js"
    ).replace(f' integrity="{current().integrity}" crossorigin="anonymous"', "")


async def test_a_version_of_an_earlier_router_is_still_served(web: Web) -> None:
    """The page that names it has its hash: nothing else will do."""
    earlier = Served.of(b"console.log('of last year');")
    await web.parts.snippets.remember(earlier.version, earlier.body, web.clock.now)
    for _ in range(2):
        async with web.client.get(web.public_url + earlier.path) as answer:
            assert (answer.status, await answer.read()) == (200, earlier.body)


async def test_the_router_keeps_its_own_version_for_later_ones(web: Web) -> None:
    """From its start on, not only when somebody asks."""
    assert await web.parts.snippets.body(current().version) == current().body


@pytest.mark.parametrize("path", ["/ct/0123456789abcdef0123.js", "/ct/x.js", "/ct/../ct.js.map"])
async def test_versions_that_never_were(web: Web, path: str) -> None:
    async with web.client.get(web.public_url + path) as answer:
        assert answer.status == 404


def test_what_is_served_is_made_of_the_source_alone() -> None:
    """Twice the same, shorter, and not shortened further by being done again."""
    source = SOURCE.read_text()

    assert minify(source) == current().body.decode()
    assert minify(minify(source)) == minify(source)
    assert len(current().gzipped) <= 5120


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const a = 1; // one\n/* two */ let b;", "const a=1;let b;"),
        ("/*! kept */\nlet  a ;", "/*! kept */\nlet a;"),
        ("a = b / c / d;", "a=b/c/d;"),
        ("a = /[/ ]b \\/ c/g.test(x);", "a=/[/ ]b \\/ c/g.test(x);"),
        ("return /a b/;", "return/a b/;"),
        ("a = 'b  // c' + `d  ${e}  f`;", "a='b  // c'+`d  ${e}  f`;"),
        ("a + +b - -c; a++ + b;", "a+ +b- -c;a++ +b;"),
        ("let a = b\nlet c = d", "let a=b\nlet c=d"),
        ("a\n  .b()\n  .c();", "a.b().c();"),
        ("if (a) return;\nelse b in c;", "if(a)return;else b in c;"),
        ("x = (1) / 2 / 3;", "x=(1)/2/3;"),
    ],
)
def test_minify(source: str, expected: str) -> None:
    """Only what means nothing goes."""
    assert minify(source) == expected
