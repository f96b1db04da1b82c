"""`make call` refuses wrong arguments in words, and says when nothing runs."""

from pathlib import Path

import pytest

from router.firstrun import __main__ as commands
from router.firstrun import state
from router.firstrun.call import CallRefused, NotRunning, call


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("NUMBER", "hello", "is not a telephone number"),
        ("NUMBER", "+7495", "too short"),
        ("CALLER", "+7 000 000 00 00", "no carrier of RU"),
    ],
)
def test_wrong_number_names_the_argument_and_an_example(
    tmp_path: Path, name: str, value: str, reason: str
) -> None:
    with pytest.raises(CallRefused) as refused:
        call(tmp_path, {name: value})
    text = str(refused.value)
    assert text.startswith(f"{name}: ")
    assert reason in text
    assert "for example +7" in text


def test_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "SERVICE_HOME", tmp_path / "var")
    with pytest.raises(NotRunning, match="make run"):
        call(tmp_path, {"NUMBER": "8 (495) 135-01-01"})


def test_refusals_end_with_one_not_with_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert commands.main(["run"], {"PORT": "none"}) == 1
    assert "PORT: 'none' is not a number" in capsys.readouterr().err
    assert commands.main(["call"], {"CALLER": "x"}) == 1
    assert "CALLER: 'x'" in capsys.readouterr().err
    assert commands.main([], {}) == 2
