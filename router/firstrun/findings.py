"""What the doctor finds, one thing a value."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at; `mend` is what to do where it is not well.

    None for `well`: there is nothing to mend, it has only not been made or started yet.
    """

    what: str
    detail: str = ""
    mend: str = ""
    well: bool | None = True
