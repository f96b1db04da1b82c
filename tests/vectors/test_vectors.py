"""The copies of the vectors pass, and what is not as expected is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.vectors import traces
from tests.vectors.kinds import Passed, near
from tests.vectors.runner import COPIES, main


def run(folder: Path) -> tuple[int, str]:
    out = StringIO()
    return main([str(folder)], out), out.getvalue()


def test_the_copies() -> None:
    """Every file is known; what is left out of them is what is not built."""
    code, text = run(COPIES)
    left_out = [line.split(": ", 2)[2] for line in text.splitlines() if "left out" in line]

    assert code == 0, text
    assert "traces.json: 37 cases as expected, 0 differences" in text
    assert left_out == [
        "the memory of known callers (12 cases)",
        "learned call rates (1 cases)",
        "the colour of a pool (18 cases)",
        "learning (3 cases)",
        "Erlang's loss formula (569 cases)",
        "occupancy by the minute (3 cases)",
        "sizing from counters (8 cases)",
        "sizing from counters, with bursts (12 cases)",
        "the calculator (9 cases)",
    ]


@pytest.mark.parametrize("trace", json.loads((COPIES / "traces.json").read_bytes())["traces"])
def test_trace(trace: dict[str, Any]) -> None:
    """One test each, so that the one that differs has a name."""
    data = {**json.loads((COPIES / "traces.json").read_bytes()), "traces": [trace]}

    assert list(traces.run(data)) == [Passed(case=trace["name"])]


def _event(data: dict[str, Any], trace: str, index: int) -> Any:
    return next(t for t in data["traces"] if t["name"] == trace)["events"][index]["expect"]


def _set(where: Any, field: Any, value: object) -> None:
    where[field] = value


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        (
            "traces.json",
            lambda d: _set(_event(d, "balanced-tap", 0), "score", 1e-8),
            "traces.json: balanced-tap: event 0 (visit at 0): score: expected 1e-08, got 0.0",
        ),
        (
            "traces.json",
            lambda d: _set(_event(d, "uis-passive", 2), "number", 1),
            "traces.json: uis-passive: event 2 (visit at 20): number: expected 1, got None",
        ),
        (
            "traces.json",
            lambda d: _set(_event(d, "uis-passive", 3)["on_page"], "c", 1),
            "traces.json: uis-passive: event 3 (query at 25): on_page: expected",
        ),
        (
            "traces.json",
            lambda d: _set(d["profile"], "weight", [0.2, 0.2, 0.1, 0.1]),
            "traces.json: constants: profile: expected",
        ),
        (
            "traces.json",
            lambda d: _set(d["defaults"], "m_idle", 0.5),
            "traces.json: uis-ideal: params.m_idle: expected 0.5, got 0.45",
        ),
        (
            "attribution.json",
            lambda d: _set(d["cases"][0], "p_none", 0.25),
            "attribution.json: one holder, active: p_none: expected 0.25, got ",
        ),
        (
            "attribution.json",
            lambda d: _set(d["decision"]["cases"][0]["decision"], "level", "source"),
            "attribution.json: decision 0: decision: expected",
        ),
        (
            "attribution.json",
            lambda d: _set(d, "another", []),
            "attribution.json: another: form: expected 'a known kind', got 'unknown'",
        ),
        (
            "sizing.json",
            lambda d: _set(d["replay"]["covered_by_n"], "1", 0),
            "sizing.json: replay, n = 1: covered: expected 0, got ",
        ),
    ],
)
def test_a_changed_expectation_is_told(
    tmp_path: Path, file: str, change: Callable[[Any], None], told: str
) -> None:
    """With file, case and field; and the end is 1."""
    data = json.loads((COPIES / file).read_bytes())
    change(data)
    (tmp_path / file).write_text(json.dumps(data))
    code, text = run(tmp_path)

    assert code == 1
    assert told in text


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        ("{", "some.json: cannot be read: "),
        ("[]", "some.json: its form is none of traces, attribution, "),
        ('{"what": "nothing"}', "some.json: its form is none of traces, attribution, "),
        ('{"traces": [{}]}', "some.json: malformed as traces: KeyError"),
        ("\xff", "some.json: cannot be read: "),
    ],
)
def test_a_file_that_cannot_be_run_is_an_error(tmp_path: Path, contents: str, told: str) -> None:
    """Vectors that are silently passed over would prove nothing."""
    (tmp_path / "some.json").write_text(contents, encoding="latin-1")
    code, text = run(tmp_path)

    assert code == 1
    assert told in text


def test_a_folder_without_vectors_is_an_error(tmp_path: Path) -> None:
    """So is one that is not there."""
    assert run(tmp_path) == (1, f"{tmp_path}: there is no *.json\n")
    assert run(tmp_path / "none") == (
        1,
        f"{tmp_path / 'none'}: cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.0 + 1e-8, False),
        (None, 0.0, False),
        (0.0, None, False),
        (1, True, False),
        ({"a": [1.0]}, {"a": [1.0]}, True),
        ({"a": [1.0]}, {"a": [1.1]}, False),
        ({"a": 1}, {}, False),
        ([1, 2], [1], False),
        ("active", "active", True),
        ("active", 1.0, False),
    ],
)
def test_what_is_near(expected: object, got: object, same: bool) -> None:
    """Figures within the tolerance; everything else exactly."""
    assert near(expected, got, abs_=1e-9) is same
