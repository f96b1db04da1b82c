"""Frozen settings from an injected mapping; every problem is reported at once, with an example."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from router.domain.errors import CallRouterError

PREFIX = "CALL_ROUTER_"


class SettingsError(CallRouterError):
    """Some settings are wrong."""


class Address(BaseModel):
    """Where a server listens."""

    model_config = ConfigDict(frozen=True)
    host: str
    port: int = Field(ge=0, le=65535)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _address(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("not an address and a port")
    return {"host": host.strip("[]"), "port": int(port)}


def _networks(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(
        ipaddress.ip_network(part.strip(), strict=False)
        for part in value.split(",")
        if part.strip()
    )


def _postgres(value: str) -> str:
    if not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("not a PostgreSQL URL")
    return value


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("not an http(s) URL")
    return value.rstrip("/")


ListenAddress = Annotated[Address, BeforeValidator(_address)]
Networks = Annotated[
    tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], BeforeValidator(_networks)
]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]


def _default_address(text: str) -> Address:
    return Address.model_validate(_address(text))


class Settings(BaseModel):
    """Everything that may differ between installations. Each field is CALL_ROUTER_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: Annotated[str, BeforeValidator(_postgres)] = Field(
        examples=["postgresql://call_router:secret@127.0.0.1:5432/call_router"], repr=False
    )
    http_listen: ListenAddress = Field(
        _default_address("127.0.0.1:8080"), examples=["0.0.0.0:8080"]
    )
    staff_listen: ListenAddress = Field(
        _default_address("127.0.0.1:8081"), examples=["127.0.0.1:8081"]
    )
    public_url: HttpUrl = Field("http://127.0.0.1:8080", examples=["https://calls.example.com"])
    staff_url: HttpUrl = Field("http://127.0.0.1:8081", examples=["https://staff.example.com"])
    trusted_proxies: Networks = Field((), examples=["10.0.0.0/8,127.0.0.1"])

    # a network is a /24 of IPv4, a /56 of IPv6
    network_visits_per_minute: int = Field(120, ge=1, examples=["120"])
    site_visits_per_minute: int = Field(6000, ge=1, examples=["6000"])
    pool_reservations_per_minute: int = Field(1200, ge=1, examples=["1200"])

    agi_listen: ListenAddress = Field(
        _default_address("127.0.0.1:8082"), examples=["127.0.0.1:8082"]
    )
    agi_allow: Networks = Field(
        (ipaddress.ip_network("127.0.0.0/8"),), examples=["127.0.0.1,192.0.2.10"]
    )

    ami_host: str = Field("127.0.0.1", examples=["127.0.0.1"])
    ami_port: int = Field(8083, ge=1, le=65535, examples=["5038"])
    ami_events_user: str = Field("ct-events", examples=["ct-events"])
    ami_events_secret: SecretStr = Field(SecretStr(""), examples=["the secret in manager.conf"])
    ami_records_user: str = Field("ct-records", examples=["ct-records"])
    ami_records_secret: SecretStr = Field(SecretStr(""), examples=["the secret in manager.conf"])

    asterisk_host: str = Field("pbx", min_length=1, examples=["pbx1"])
    cel_file: Path | None = Field(None, examples=["/var/log/asterisk/cel-custom/cel.csv"])
    # where addresses are: a GeoIP2-like file (.mmdb) of the administrator's
    places_file: Path | None = Field(None, examples=["/var/lib/call-router/city.mmdb"])
    recordings_dir: Path | None = Field(None, examples=["/var/spool/asterisk/monitor"])

    log_format: Literal["auto", "console", "json"] = Field("auto", examples=["json"])
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", examples=["info"])

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, str]) -> Settings:
        """Read every CALL_ROUTER_* of `mapping`. Raises SettingsError that lists every problem."""
        given = {
            name[len(PREFIX) :].lower(): value
            for name, value in mapping.items()
            if name.startswith(PREFIX) and name[len(PREFIX) :] not in _NOT_OURS
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            lines = [_problem(problem) for problem in error.errors()]
            raise SettingsError("settings are wrong:\n  " + "\n  ".join(lines)) from None


# Variables with our prefix that are not the router's: the first run's and the tests'.
_NOT_OURS = frozenset({"CACHE", "TEST_ASTERISK", "TEST_CHROMIUM", "TEST_DATABASE"})


def _problem(problem: Any) -> str:
    name = str(problem["loc"][0])
    variable = PREFIX + name.upper()
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{variable}: there is no such setting"
    example = (field.examples or [""])[0]
    if problem["type"] == "missing":
        return f"{variable}: is not set (for example {example})"
    secret = field.annotation is SecretStr or not field.repr
    value = "the value given" if secret else repr(problem["input"])
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return f"{variable}: {value} is refused: {reason} (for example {example})"
