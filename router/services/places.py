"""Where a visitor's address is, by a file that the administrator supplies (.mmdb). Nothing is sent out.

The only module that knows maxminddb.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import maxminddb
import structlog

from router.domain import attribution

log = structlog.get_logger(__name__)

EVERY_SECONDS = 30.0
# addresses that were looked up lately
_REMEMBERED = 50_000
_CITY_LENGTH = 100
_COUNTRY = re.compile(r"[A-Z]{2}")
_PART = re.compile(r"[A-Z0-9]{1,3}")


class Place(NamedTuple):
    """`region` is ISO 3166-2, or the country's code where the file knows no more; None is unknown."""

    region: str | None = None
    city: str | None = None


NOWHERE = Place()


class Places:
    """`visitor` answers from memory. `run` takes a new file, a lost or a broken one into account."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._reader: maxminddb.Reader | None = None
        self._seen: tuple[int, ...] | None = None
        self._known: dict[str, Place] = {}

    def visitor(self, address: str | None) -> Place:
        """Where an IP address is, as far as the file tells. Never raises."""
        if self._reader is None or not address:
            return NOWHERE
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[address] = self._look(self._reader, address)
        return known

    def _look(self, reader: maxminddb.Reader, address: str) -> Place:
        try:
            return _place(reader.get(address))
        except ValueError:
            return NOWHERE  # no IP address, or one of a family that the file does not have
        except Exception as error:  # noqa: BLE001 - whatever a broken file makes of itself, a visit goes on
            log.warning("the file of places is broken", file=str(self._file), reason=repr(error))
            self._reader = None
            return NOWHERE

    def load(self) -> None:
        """Read the file if it is another than before; to be called in a thread. Never raises."""
        if self._file is None:
            return
        try:
            state = self._file.stat()
            seen = (state.st_ino, state.st_size, state.st_mtime_ns)
            if seen == self._seen:
                return
            # into memory: a file written over in place would take a mapped one, and the process, with it
            reader = maxminddb.open_database(self._file, maxminddb.MODE_MEMORY)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            # what was read before goes on to serve
            if self._seen != ():
                log.warning("no file of places", file=str(self._file), reason=str(error))
            self._seen = ()
            return
        self._seen, self._reader, self._known = seen, reader, {}
        log.info("file of places read", file=str(self._file), kind=reader.metadata().database_type)

    async def run(self) -> NoReturn:
        """Look for ever whether the file is another one."""
        while True:
            await asyncio.to_thread(self.load)
            await asyncio.sleep(EVERY_SECONDS)


def _place(record: Any) -> Place:
    """A record of GeoIP2's form: country, subdivisions (the largest first), city."""
    country = _text(record, "country", "iso_code") or _text(
        record, "registered_country", "iso_code"
    )
    if not country or not _COUNTRY.fullmatch(country):
        return NOWHERE
    parts = record.get("subdivisions")
    largest = parts[0] if isinstance(parts, list) and parts else None
    part = _text(largest, "iso_code")
    city = attribution.clean(_text(record, "city", "names", "en") or "", _CITY_LENGTH)
    region = f"{country}-{part}" if part and _PART.fullmatch(part) else country
    return Place(region=region, city=city or None)


def _text(value: Any, *path: str) -> str | None:
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value if isinstance(value, str) else None
