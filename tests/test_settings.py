"""Settings: every problem at once, each with its name and an example; secrets hide themselves."""

from __future__ import annotations

import pytest

from router.settings import Settings, SettingsError

GOOD = {"CALL_ROUTER_DATABASE_URL": "postgresql://u:verysecret@127.0.0.1/x"}


def test_defaults_listen_on_loopback_only() -> None:
    """Phones and recordings are personal data: nothing is open unless told otherwise."""
    settings = Settings.from_mapping(GOOD)

    assert str(settings.http_listen) == "127.0.0.1:8080"
    assert str(settings.staff_listen) == "127.0.0.1:8081"
    assert str(settings.agi_listen) == "127.0.0.1:8082"


def test_every_problem_is_reported_at_once() -> None:
    """One run of the program shows all that has to be mended."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping(
            {
                "CALL_ROUTER_DATABASE_URL": "mysql://u:verysecret@x",
                "CALL_ROUTER_HTTP_LISTEN": "8080",
                "CALL_ROUTER_AGI_ALLOW": "my-pbx",
                "CALL_ROUTER_AMI_PORT": "99999",
                "CALL_ROUTER_LOG_LEVEL": "loud",
                "CALL_ROUTER_HTTP_LISTN": "x",
            }
        )

    text = str(refused.value)
    for name in ("DATABASE_URL", "HTTP_LISTEN", "AGI_ALLOW", "AMI_PORT", "LOG_LEVEL", "HTTP_LISTN"):
        assert f"CALL_ROUTER_{name}: " in text
    assert "for example 0.0.0.0:8080" in text
    assert "there is no such setting" in text
    assert "verysecret" not in text


def test_a_missing_setting_is_named() -> None:
    """The one that has no default."""
    with pytest.raises(SettingsError, match="CALL_ROUTER_DATABASE_URL: is not set"):
        Settings.from_mapping({})


def test_secrets_hide_themselves() -> None:
    """Neither passwords nor the database's URL appear when settings are printed."""
    settings = Settings.from_mapping({**GOOD, "CALL_ROUTER_AMI_EVENTS_SECRET": "hidden-one"})

    assert "hidden-one" not in repr(settings)
    assert "verysecret" not in repr(settings)
    assert settings.ami_events_secret.get_secret_value() == "hidden-one"


def test_networks_are_read_from_a_list() -> None:
    """Single addresses and networks, v4 and v6."""
    settings = Settings.from_mapping({**GOOD, "CALL_ROUTER_AGI_ALLOW": "10.1.2.3, fd00::/8"})

    assert [str(network) for network in settings.agi_allow] == ["10.1.2.3/32", "fd00::/8"]
