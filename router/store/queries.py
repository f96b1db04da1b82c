"""Named queries from `sql/queries/*.sql`.

A query begins with a header that names it and its parameters in the order of $1, $2, …, and a sentence::

    -- take(pool_id, now)
    -- The number that has been free longest.
    SELECT … WHERE pool_id = $1 …

`load` turns a folder into `{"numbers.take": Query(...)}`; the loader knows nothing else about SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HEADER = re.compile(
    r"^-- (?P<name>[a-z][a-z0-9_]*)\((?P<parameters>[a-z0-9_, ]*)\)$", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Query:
    name: str
    sql: str
    parameters: tuple[str, ...]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Keyword arguments → positions. Raises TypeError for a missing or an unknown one."""
        if len(values) == len(self.parameters):
            try:
                return [values[parameter] for parameter in self.parameters]
            except KeyError:
                pass
        expected, given = ", ".join(self.parameters), ", ".join(values)
        raise TypeError(f"{self.name} takes ({expected}), was given ({given})")


def sql_folder() -> Path:
    """The folder `sql/`: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


@cache
def load(folder: Path) -> Mapping[str, Query]:
    """Every query of a folder, by ``file.name``. Raises ValueError for a file that has none."""
    queries: dict[str, Query] = {}
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        headers = list(_HEADER.finditer(text))
        if not headers:
            raise ValueError(f"{path.name} holds no query: a header reads `-- name(parameter, …)`")
        ends = [header.start() for header in headers[1:]] + [len(text)]
        for header, end in zip(headers, ends, strict=True):
            name = f"{path.stem}.{header['name']}"
            if name in queries:
                raise ValueError(f"{name} stands twice")
            parameters = tuple(filter(None, (p.strip() for p in header["parameters"].split(","))))
            sql = text[header.end() : end].strip().rstrip(";")
            queries[name] = Query(name=name, sql=sql, parameters=parameters)
    return queries
