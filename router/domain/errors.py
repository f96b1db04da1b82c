"""Every refusal this program knows.

    CallRouterError
    ├── FieldError            one value was refused: which field, why, an example of a good one
    │   ├── PhoneRefused
    │   ├── NoSuch            nothing is called so
    │   └── StillNeeded       it cannot go: something else holds it
    ├── FieldErrors           several at once
    ├── UnknownSite
    ├── OriginRefused
    ├── UnknownSession
    ├── NotFound
    └── StoreUnavailable      the database did not answer in time, or not at all

The class docstring is the message where none is given.
Expected outcomes (overflow, no match) are values, not errors.
"""

from __future__ import annotations

from collections.abc import Sequence


class CallRouterError(Exception):
    """Something was refused."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class FieldError(CallRouterError):
    """A value was refused."""

    def __init__(self, field: str, problem: str, example: str = "") -> None:
        self.field = field
        self.problem = problem
        self.example = example
        hint = f" (for example {example})" if example else ""
        super().__init__(f"{field}: {problem}{hint}")


class PhoneRefused(FieldError):
    """A telephone number was refused."""


class NoSuch(FieldError):
    """Nothing is called so."""


class StillNeeded(FieldError):
    """A thing cannot be deleted while another one holds it."""


class FieldErrors(CallRouterError):
    """Several values were refused."""

    def __init__(self, problems: Sequence[FieldError]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class UnknownSite(CallRouterError):
    """No site has this key."""


class OriginRefused(CallRouterError):
    """This page's origin is not one of the site's."""


class UnknownSession(CallRouterError):
    """No session of this site has this key."""


class NotFound(CallRouterError):
    """There is no such thing here."""


class StoreUnavailable(CallRouterError):
    """The database did not answer in time."""
