"""Rules in bodies: as text, or as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

Rule = Annotated[str, Field(max_length=10_000)] | dict[str, Any]
Rules = Annotated[list[Rule], Field(max_length=100)]
