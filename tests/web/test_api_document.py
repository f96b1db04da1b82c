"""The worked example of docs/api.md, command by command."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from yarl import URL

from router.web.openapi import plain_path
from router.web.server import ENDPOINTS
from tests.web.conftest import Web

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


def commands() -> list[list[str]]:
    """The words of each curl command of the example."""
    example = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[0]
    text = example.replace("\\\n", " ")
    return [shlex.split(one) for one in re.split(r"\n\s*\n", text.strip())]


async def run(web: Web, words: list[str]) -> tuple[int, Any]:
    """What curl would do with these words."""
    method, url, headers, data = "GET", "", {}, None
    assert words[:2] == ["curl", "-sS"]
    rest = iter(words[2:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value.replace("$TOKEN", web.token)
        elif word == "-d":
            data = next(rest)
        else:
            url = word.replace("$API", web.staff_url)
    async with web.client.request(
        method, URL(url, encoded=True), headers=headers, data=data
    ) as answer:
        return answer.status, await answer.json()


async def test_the_example_does_what_it_says(web: Web) -> None:
    """Every command succeeds; the last ones find what the first ones made."""
    told = [await run(web, words) for words in commands()]
    repeated = await run(web, commands()[3])
    which, numbers, number, trail = (body for _, body in told[-4:])

    assert [status for status, _ in told] == [201, 201, 201, 201, 201, 200, 200, 200, 200]
    assert repeated == told[3]
    assert which["pool"] == "visitors"
    assert {"+74951350101", "+74951350102"} <= {one["number"] for one in numbers["items"]}
    assert (number["record"], number["pool"]["name"]) == (False, "visitors")
    assert [entry["subject"] for entry in trail["items"]] == ["+74951350101"]


def test_it_names_what_there_is(web: Web) -> None:
    """Each path in it is served, and each kind of thing that is served is in it."""
    _, staff = web.applications
    served = {plain_path(endpoint.path) for endpoint in staff[ENDPOINTS]}
    kinds = {"/".join(path.split("/")[:3]) for path in served if path.startswith("/v1/")}
    table = DOCUMENT.read_text(encoding="utf-8").split("## What there is")[1].split("\n## ")[0]
    named = re.findall(r"/v1/[a-z/{}-]+", table)

    assert [path for path in named if not any(s.startswith(path.rstrip("/")) for s in served)] == []
    assert kinds - {"/".join(path.split("/")[:3]) for path in named} == {"/v1/calls", "/v1/feed"}
