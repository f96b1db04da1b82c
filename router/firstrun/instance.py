"""One instance of everything: its folders, ports and secrets, and the servers made from them."""

from dataclasses import dataclass
from pathlib import Path

from router.firstrun import prefixes, state, users
from router.firstrun.asterisk import AsteriskConfig, AsteriskServer
from router.firstrun.postgres import PostgresServer
from router.firstrun.state import Ports

_SECRETS = ("DATABASE_PASSWORD", "AMI_EVENTS_SECRET", "AMI_RECORDS_SECRET")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """The instance of a checkout on its ports; `run_as` is set when root runs it."""

    checkout: Path
    state: Path
    ports: Ports
    run_as: str | None
    secrets: dict[str, str]

    @classmethod
    def open(cls, checkout: Path, ports: Ports) -> "Instance":
        """The checkout's instance; folders, secrets and the service user are made if missing."""
        folder = state.make_state_folder(checkout)
        return cls(
            checkout=checkout,
            state=folder,
            ports=ports,
            run_as=users.service_user(),
            secrets=state.read_secrets(folder / "secrets.env", _SECRETS),
        )

    @property
    def public_url(self) -> str:
        """Where browsers reach the snippet's API."""
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def staff_url(self) -> str:
        """Where staff reach the live page and the API."""
        return f"http://127.0.0.1:{self.ports.staff}"

    @property
    def site_url(self) -> str:
        """The demo site, which is its origin too: another one than the API's, as in earnest."""
        return f"http://127.0.0.1:{self.ports.site}"

    @property
    def token_file(self) -> Path:
        """The token that `make run` and `make call` read the API with."""
        return self.state / "token"

    def postgres(self) -> PostgresServer:
        """The instance's PostgreSQL, not started."""
        return PostgresServer(
            self.state / "postgres",
            self.ports.postgres,
            self.secrets["DATABASE_PASSWORD"],
            run_as=self.run_as,
            log=self.state / "log/postgres.log",
        )

    def asterisk(self, telephony: prefixes.Telephony) -> AsteriskServer:
        """The instance's Asterisk, not started."""
        config = AsteriskConfig.for_port(
            self.ports.base,
            system_name=f"demo{self.ports.base}",
            events_secret=self.secrets["AMI_EVENTS_SECRET"],
            records_secret=self.secrets["AMI_RECORDS_SECRET"],
        )
        own = telephony.asterisk_root == Path("/")
        return AsteriskServer(
            None if own else telephony.asterisk_root, self.state / "asterisk", config, self.run_as
        )

    def router_settings(self, database_url: str, asterisk: AsteriskServer) -> dict[str, str]:
        """The router's settings, as its environment has them."""
        return {
            "CALL_ROUTER_DATABASE_URL": database_url,
            "CALL_ROUTER_HTTP_LISTEN": f"127.0.0.1:{self.ports.http}",
            "CALL_ROUTER_STAFF_LISTEN": f"127.0.0.1:{self.ports.staff}",
            "CALL_ROUTER_PUBLIC_URL": self.public_url,
            "CALL_ROUTER_STAFF_URL": self.staff_url,
            "CALL_ROUTER_AGI_LISTEN": f"127.0.0.1:{self.ports.agi}",
            "CALL_ROUTER_AMI_PORT": str(self.ports.ami),
            "CALL_ROUTER_AMI_EVENTS_SECRET": self.secrets["AMI_EVENTS_SECRET"],
            "CALL_ROUTER_AMI_RECORDS_SECRET": self.secrets["AMI_RECORDS_SECRET"],
            "CALL_ROUTER_ASTERISK_HOST": asterisk.config.system_name,
            "CALL_ROUTER_CEL_FILE": str(asterisk.cel_file),
            "CALL_ROUTER_RECORDINGS_DIR": str(asterisk.recordings),
            "CALL_ROUTER_LOG_FORMAT": "json",
        }
