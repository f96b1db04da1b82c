"""Every refusal this program knows.

    CallRouterError
    ├── FieldError            one value was refused: which field, why, an example of a good one
    │   └── PhoneRefused
    ├── UnknownSite
    ├── OriginRefused
    ├── UnknownSession
    ├── NotFound
    └── StoreUnavailable      the database did not answer in time, or not at all

The class docstring is the message where none is given.
Expected outcomes (overflow, no match) are values, not errors.
"""

from __future__ import annotations


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
