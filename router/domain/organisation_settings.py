"""What an organisation may want otherwise than by default: names, types, limits, defaults.

A setting is stored under its name once somebody has changed it; all others are the defaults below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from router.domain.errors import FieldError

Value = int | float | bool

# Attribution looks back so far for visits that were shown a number (posterior.WINDOW, in days).
MEMORY_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One setting as a person sees it. `least` and `most` are None for yes or no."""

    name: str
    default: Value
    least: float | None
    most: float | None
    words: str

    def parse(self, given: object) -> Value:
        """A text, or a value of JSON, as this setting's own type. Raises FieldError."""
        if isinstance(self.default, bool):
            return self._yes_or_no(given)
        kind = type(self.default)
        try:
            value = kind(given) if isinstance(given, str) else given
        except ValueError:
            value = None
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole and not (kind is float and isinstance(value, float)):
            what = "a whole number" if kind is int else "a number"
            raise FieldError(self.name, f"{given!r} is not {what}", str(self.default))
        assert isinstance(value, int | float)
        assert self.least is not None
        assert self.most is not None
        if not self.least <= value <= self.most:
            limits = f"{self.least:g} and {self.most:g}"
            raise FieldError(self.name, f"{value:g} is not between {limits}", str(self.default))
        return kind(value)

    def _yes_or_no(self, given: object) -> bool:
        if isinstance(given, bool):
            return given
        known = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
        if not isinstance(given, str) or given.strip().lower() not in known:
            raise FieldError(self.name, f"{given!r} is neither yes nor no", "yes")
        return known[given.strip().lower()]


def _setting(
    default: Any, words: str, least: float | None = None, most: float | None = None
) -> Any:
    return field(default=default, metadata={"words": words, "least": least, "most": most})


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganisationSettings:
    """Every setting with its value. Shares are in per cent."""

    shared_idle_days: int = _setting(
        14, "a site's number is taken back after so many days without a call and a show", 1, 365
    )
    shared_percent: float = _setting(
        2.0, "per cent of a site's numbers from the shared pool that go back a month", 0, 100
    )
    shared_rest_days: int = _setting(
        30, "days for which a number taken back is answered for its old site", 0, 365
    )
    noise_unshown_days: int = _setting(
        14, "a call is noise if nobody was shown its number for so many days before", 1, 90
    )
    noise_calls: int = _setting(3, "so many noise calls make a number dirty", 1, 1000)
    noise_window_days: int = _setting(30, "noise calls count for so many days", 7, 365)
    listening_days: int = _setting(14, "days for which a new number is listened to", 1, 90)
    quarantine_automatic: bool = _setting(
        True, "dirty numbers in rotation go into quarantine by themselves"
    )
    quarantine_percent: float = _setting(
        25.0, "per cent of a pool's numbers that may be in quarantine by themselves", 0, 100
    )
    quarantine_quiet_days: int = _setting(
        30, "days without a call after which such a number comes back", 1, 365
    )


SETTINGS: Mapping[str, Setting] = {
    one.name: Setting(
        name=one.name,
        default=getattr(OrganisationSettings(), one.name),
        least=one.metadata["least"],
        most=one.metadata["most"],
        words=one.metadata["words"],
    )
    for one in fields(OrganisationSettings)
}


def setting(name: str) -> Setting:
    """The setting of that name. Raises FieldError."""
    found = SETTINGS.get(name)
    if found is None:
        have = ", ".join(SETTINGS)
        raise FieldError("name", f"there is no {name!r}; there is: {have}", "noise_calls")
    return found


def settings(stored: Mapping[str, Value]) -> OrganisationSettings:
    """The defaults, with what is stored. A name that no version knows any more is passed over."""
    known: dict[str, Any] = {name: stored[name] for name in stored if name in SETTINGS}
    return OrganisationSettings(**known)


def check(wanted: OrganisationSettings, changed: str) -> None:
    """Refuse values that do not go together. Raises FieldError for the setting that was `changed`."""
    together = wanted.shared_idle_days + wanted.shared_rest_days
    if changed in ("shared_idle_days", "shared_rest_days") and together < MEMORY_DAYS:
        raise FieldError(
            changed,
            f"shared_idle_days and shared_rest_days would be {together} together: callers remember a "
            f"number for {MEMORY_DAYS} days after it was shown, and must reach the company they mean",
            str(SETTINGS[changed].default),
        )
