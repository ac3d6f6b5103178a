"""Every setting of the suite, in one table.

Precedence: command line, then ``TOCSIN_*`` in the environment, then files that ``TOCSIN_*_FILE``
name there, then ``tocsin.toml``, then the default. ``docs/reference/settings.md`` is generated from
this class.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from collectors.errors import ConfigError
from collectors.receivers.resource_tags import DEFAULT_PATTERNS
from collectors.redaction import without_secrets
from tocsin.duration import Duration
from tocsin.names import Names

PREFIX = "TOCSIN_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that no other machine reaches."""
FILE_SUFFIX = "_FILE"
Length = Annotated[Duration, NoDecode, BeforeValidator(Duration.parse), PlainSerializer(str)]
NameList = Annotated[Names, NoDecode, BeforeValidator(Names.parse), PlainSerializer(str)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Access(StrEnum):
    """Who may ask."""

    AUTO = "auto"
    OPEN = "open"
    TOKENS = "tokens"


class Shape(StrEnum):
    """How many processes make up one tocsin."""

    ONE = "one"
    PAIR = "pair"
    SHARDS = "shards"


class Login(StrEnum):
    """Who may see the pages."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a way, not a secret
    OIDC = "oidc"


class Settings(BaseSettings):
    """What can be set. Port 0 means any free port; the chosen one is printed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, arbitrary_types_allowed=True
    )

    data_dir: Path = Field(Path("data"), description="Where everything that must survive is kept.")
    config_dir: Path | None = Field(
        None,
        description="Directory with slos/, detectors/, runbooks/, scrape.yaml, rollups.yaml, "
        "notifiers.yaml and routes.yaml.",
    )
    host: str = Field("127.0.0.1", description="Address that all servers listen on.")
    allowed_hosts: NameList = Field(
        Names(),
        description="Names by which the API may be asked, besides addresses and names without a "
        "dot: those of a proxy or of a container's host, for example; `*` is any text. Needed for "
        "changes, and where no token is asked for to read as well.",
    )
    step: Length = Field(Duration(10_000), description="Length of one step of stored metrics.")
    hot_window: Length = Field(Duration(6 * 3_600_000), description="How much is kept in memory.")
    evaluation_delay: Length = Field(
        Duration(150_000),
        description="Longest wait for a sender's data after it was last heard of. How late each "
        "sender is gets learned: a step is judged as soon as its data are complete.",
    )
    late_data: Length = Field(
        Duration(600_000),
        description="What comes later than this after its step was judged is not judged again.",
    )
    history: str = Field(
        "embedded",
        description="Long-term store: off, embedded (chDB under data_dir) or a ClickHouse URL.",
    )
    history_retention: Length = Field(Duration(400 * 86_400_000), description="Age of the oldest.")
    trace_retention: Length = Field(
        Duration(14 * 86_400_000), description="Age of the oldest spans in the long-term store."
    )
    log_retention: Length = Field(
        Duration(14 * 86_400_000),
        description="Age of the oldest log records in the long-term store.",
    )
    log_memory: int = Field(
        512 << 20,
        ge=1 << 20,
        description="Bytes of memory for the newest log records; older ones are asked of history.",
    )
    resource_tags: NameList = Field(
        Names(DEFAULT_PATTERNS),
        description="Attributes of OTLP resources that become tags, the most useful first; `*` "
        "stands for any text. `tocsin explain-series` shows which are dropped, and why.",
    )
    max_series: int = Field(2_000_000, ge=1, description="New series beyond this are refused.")
    memory_bytes: int = Field(
        4 << 30,
        ge=1 << 20,
        description="Memory for the hot window; each series needs room for all of it, so new "
        "series beyond are refused.",
    )
    new_series_per_minute: int = Field(
        2_000_000, ge=1, description="More new series within a minute are refused."
    )
    max_body_bytes: int = Field(
        64 * 1024 * 1024, ge=1_024, description="Largest request body, after decompression."
    )
    query_timeout: Length = Field(
        Duration(30_000),
        description="A query that takes longer, waiting included, ends with 422 and the reason.",
    )
    query_memory: int = Field(
        2 << 30,
        ge=1 << 20,
        description="Bytes that all running queries may hold together; one may hold half of it. "
        "What a query is about to take is counted before: 422 beyond its half, 503 when the "
        "others have the rest.",
    )
    query_concurrency: int = Field(
        32,
        ge=1,
        le=1_024,
        description="Queries at work at the same time; 64 more wait, others are answered 503.",
    )
    query_processors: int = Field(
        0,
        ge=0,
        le=1_024,
        description="Queries that compute at the same moment, in turns of some milliseconds; "
        "0: half of the machine's processors. The others receive, judge and page.",
    )
    max_body_parts: int = Field(
        4_000_000,
        ge=1_000,
        description="Most protobuf fields in one body; counted before any is made.",
    )
    max_json_parts: int = Field(
        1_000_000,
        ge=1_000,
        description="Most texts, lists, objects and commas in one JSON body; counted as above.",
    )
    max_body_cpu: Length = Field(
        Duration(5_000), description="CPU that decoding one body may take; it is refused then."
    )
    body_timeout: Length = Field(
        Duration(30_000), description="How long a client may take to send its body."
    )
    header_timeout: Length = Field(
        Duration(10_000), description="How long a client may take to send the head of a request."
    )
    write_timeout: Length = Field(
        Duration(30_000), description="A client that reads nothing for this long is cut off."
    )
    max_connections: int = Field(
        4_096,
        ge=16,
        description="HTTP connections at once, fewer where `ulimit -n` is low; for a new one the "
        "one that has been idle for longest is closed.",
    )
    max_peer_connections: int = Field(
        2_048, ge=8, description="The same from one address; at most three quarters of all."
    )
    api_port: Port = Field(7101, description="HTTP API: query, publish, incidents, Slack.")
    otlp_http_port: Port = Field(4318, description="OTLP over HTTP.")
    otlp_grpc_port: Port = Field(4317, description="OTLP over gRPC.")
    spectator_port: Port = Field(1234, description="spectator line protocol, UDP.")
    syslog_port: Port | None = Field(
        None, description="Syslog (RFC 5424) by UDP and TCP; not listened to unless it is set."
    )
    dashboard_port: Port = Field(8501, description="Streamlit dashboard.")
    api_url: str = Field(
        "http://127.0.0.1:7101",
        description="Where `tocsin dashboard` and `tocsin query` ask; of a cluster several nodes, "
        "with commas between them: the next is asked where one can't be reached.",
    )
    dashboard_url: str = Field(
        "http://127.0.0.1:8501", description="Link to the dashboard that messages carry."
    )
    slack_bot_token: SecretStr | None = Field(
        None, description="Bot token (xoxb-...). Without it incidents go to the console."
    )
    slack_base_url: str = Field(
        "https://slack.com/api/", description="Slack's Web API, or a server that speaks it."
    )
    slack_signing_secret: SecretStr | None = Field(
        None, description="Verifies that button clicks come from Slack."
    )
    slack_app_token: SecretStr | None = Field(
        None, description="App token (xapp-...): buttons and commands come by Socket Mode."
    )
    slack_channel: str = Field("incidents", description="Channel that is paged.")
    slack_preview_url: str | None = Field(
        None, description="Local Slack server whose messages the dashboard shows."
    )
    access: Access = Field(
        Access.AUTO,
        description="Who may ask: `open`, whoever reaches a port; `tokens`, who has one of `tocsin "
        "token create`; `auto`, open on loopback and tokens on any other `host`.",
    )
    tls_certificate: Path | None = Field(
        None,
        description="Certificate chain (PEM) of the API, OTLP over HTTP and gRPC, and dashboard: "
        "with it all of them speak TLS. Read at the start.",
    )
    tls_key: Path | None = Field(None, description="Private key (PEM) of the certificate.")
    api_ca: Path | None = Field(
        None,
        description="Certificates (PEM) that commands and dashboard trust to sign the API's; "
        "default: those that the machine trusts.",
    )
    dashboard_login: Login = Field(
        Login.NONE,
        description="Who may see the pages: `none`, whoever reaches them; `token`, who signs in "
        "with a token, in whose name the pages then ask and answer; `oidc`, who signs in at the "
        "provider below: the person of people.yaml with the e-mail address that it verified.",
    )
    oidc_metadata_url: str | None = Field(
        None,
        description="Where the provider describes itself (…/.well-known/openid-configuration).",
    )
    oidc_client_id: str | None = Field(None, description="What the provider calls the pages.")
    oidc_client_secret: SecretStr | None = Field(
        None,
        description="Secret that the provider gave with it. It must know the redirect address: "
        "`dashboard_url` with `/oauth2callback`.",
    )
    api_token: SecretStr | None = Field(
        None, description="Token with which `tocsin` commands and the dashboard ask the API."
    )
    status_public: bool = Field(
        False,
        description="Whether anybody may read the status page at `/status/` of the API, without a "
        "token.",
    )
    database_url: str | None = Field(
        None, description="Incident database; default is SQLite in the data directory."
    )
    cluster: Shape = Field(
        Shape.ONE,
        description="`one` process; a `pair`, both of which keep everything while one leads; or "
        "`shards`, which divide the series. Beyond one, `database_url` names a PostgreSQL.",
    )
    cluster_node: str = Field(
        "", description="What the others call this node; needed in a pair and in shards."
    )
    cluster_url: str = Field(
        "", description="Where the others reach this node's API; default: where it listens."
    )
    cluster_token: SecretStr | None = Field(
        None, description="What nodes show each other; the same on all of them."
    )
    auto_resolve: Length = Field(
        Duration(600_000), description="A mitigated incident resolves after this long; 0s: never."
    )
    ring_again: Length = Field(
        Duration(300_000),
        description=(
            "A page that nobody acknowledges rings again after this long, then after twice as "
            "long, at most hourly; 0s: never."
        ),
    )
    update_sev1: Length = Field(
        Duration(1_800_000),
        description="Who works on a SEV1 is reminded of a stakeholder update so often; 0s: never.",
    )
    update_sev2: Length = Field(Duration(3_600_000), description="The same for a SEV2; 0s: never.")
    update_sev3: Length = Field(Duration(0), description="The same for a SEV3; 0s: never.")
    hourly_cost: float = Field(
        0.0, ge=0.0, description="What an hour of one responder costs, for reports; 0: not known."
    )
    public_link_lasts: Length = Field(
        Duration(0),
        description="How long a public read-only link to an incident lasts at most; 0s: there are "
        "none. Whoever has such a link sees the title, how far it is and what stakeholders were "
        "told, until it is revoked.",
    )

    heartbeat_url: SecretStr | None = Field(
        None,
        description="Address outside, of a dead man's switch, that hears of us (POST) as long as "
        "steps are judged, pages go out and the incident database takes writes.",
    )
    heartbeat_interval: Length = Field(
        Duration(60_000), description="How often that address hears of us."
    )

    @property
    def scheme(self) -> str:
        """How addresses of ours begin."""
        return "http" if self.tls_certificate is None else "https"

    @property
    def demands_tokens(self) -> bool:
        """Whether requests need a token."""
        if self.access is Access.AUTO:
            return self.host not in LOOPBACK
        return self.access is Access.TOKENS

    def given_for(self, name: str) -> dict[str, object]:
        """Return what was given of the settings that begin with ``name`` and ``_``, without it."""
        prefix = f"{name}_"
        given = (field for field in self.model_fields_set if field.startswith(prefix))
        return {field.removeprefix(prefix): getattr(self, field) for field in given}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: command line, environment, files that it names, TOML."""
        del dotenv_settings, file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls, toml_file=settings_file())
        return init_settings, env_settings, _FilesOfTheEnvironment(settings_cls), toml


class _FilesOfTheEnvironment(PydanticBaseSettingsSource):
    """``TOCSIN_NAME_FILE`` names a file that holds the setting, as container secrets come."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the text of the file that the environment names for a setting, None for none."""
        del field
        variable = f"{PREFIX}{field_name.upper()}{FILE_SUFFIX}"
        path = os.environ.get(variable)
        if not path:
            return None, field_name, False
        if os.environ.get(f"{PREFIX}{field_name.upper()}"):
            raise ConfigError(f"both {PREFIX}{field_name.upper()} and {variable} are set: keep one")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{variable}: '{path}' can't be read: {error}") from error

    def __call__(self) -> dict[str, Any]:
        """Return what the files hold, by setting."""
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(info, name)[0] for name, info in fields}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One row of the settings table; a secret has no option."""

    name: str
    variable: str
    option: str
    default: str
    description: str


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings; ``overrides`` come from the command line, None values are ignored.

    Raises:
        ConfigError: A value is wrong; the message names each setting, its value and the reason.
    """
    given = {k: v for k, v in (overrides or {}).items() if v is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error
    except ValueError as error:
        raise ConfigError(f"{settings_file()}: can't be read as TOML: {error}") from error


class Source(StrEnum):
    """Where the value of a setting comes from."""

    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


def source_of(name: str, overrides: Mapping[str, Any] | None = None) -> tuple[Source, str]:
    """Return where a setting's value comes from, and the option, variable or file that gave it."""
    row = next(row for row in setting_rows() if row.name == name)
    if (overrides or {}).get(name) is not None:
        return Source.COMMAND_LINE, row.option
    given = {variable.upper() for variable in os.environ}
    for variable in (row.variable, row.variable + FILE_SUFFIX):
        if variable in given:
            return Source.ENVIRONMENT, variable
    file = settings_file()
    if file.is_file() and name in tomllib.loads(file.read_text(encoding="utf-8")):
        return Source.FILE, str(file)
    return Source.DEFAULT, ""


def settings_file() -> Path:
    """Return the path of the settings' file, whether it is there or not."""
    return Path(os.environ.get("TOCSIN_CONFIG_FILE", "tocsin.toml"))


def setting_rows() -> Iterator[SettingRow]:
    """Yield the settings table in its order."""
    for name, info in Settings.model_fields.items():
        yield SettingRow(
            name=name,
            variable=PREFIX + name.upper(),
            option="" if is_secret(info) else "--" + name.replace("_", "-"),
            default=_default_text(info),
            description=info.description or "",
        )


def shown_value(settings: Settings, name: str) -> str | None:
    """Return the value in force as text; secrets stay hidden."""
    value = getattr(settings, name)
    if value is None:
        return None
    return "(hidden)" if isinstance(value, SecretStr) else without_secrets(str(value))


def is_secret(info: FieldInfo) -> bool:
    """Return whether a setting is never shown, nor given on a command line."""
    return "SecretStr" in str(info.annotation)


def _default_text(info: FieldInfo) -> str:
    return "" if info.default is None else str(info.default)


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        hidden = "token" in name or "secret" in name
        value = "(hidden)" if hidden else without_secrets(repr(problem.get("input")))
        reason = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name} ({PREFIX}{name.upper()}) = {value}: {reason}")
    return "; ".join(lines)
