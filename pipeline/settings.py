"""The settings of a process, and the only reader of the environment: every variable of it is read here.

`pipeline/config/layers` puts the layers of the configuration together and makes the settings, once, at the entry point;
from there they are passed down.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from pipeline.environments import DocsAccess, EnvironmentName, GateMode, by_environment
from pipeline.errors import ConfigError
from pipeline.gate_rules.gate import GateSetting
from pipeline.gate_rules.gate_settings import wrong_gate
from pipeline.log_files import LogFiles
from pipeline.retries import RetryPolicy

if TYPE_CHECKING:
    from pipeline.config.slug import Slug


class Settings(BaseSettings):
    """Settings of one process: state folder, tenants file, limits, authentication and the current date."""

    model_config = SettingsConfigDict(env_prefix="GATA_", frozen=True)

    home: Path = Field(
        default=Path(".gata"), description="State folder: hub, stars, published runs, dlt and dbt state."
    )
    tenants: Path = Field(default=Path("tenants.yaml"), description="The file of tenants.")
    env: EnvironmentName = Field(
        default="local", description="The environment: whose defaults hold, and which gata.<env>.yaml is read."
    )
    gate_mode: GateMode = Field(
        default_factory=by_environment("gate_mode"),
        description="warn publishes with failed checks as notes; strict refuses to.",
    )
    publish: bool = Field(
        default_factory=by_environment("publish"),
        description="Whether a build publishes; else it stops at checked stars, and `gata publish` goes on.",
    )
    rest_docs: DocsAccess = Field(
        default_factory=by_environment("rest_docs"),
        description="Who may read /docs and /openapi.json: anybody, or callers with a token.",
    )
    retries: int = Field(
        default_factory=by_environment("retries"),
        ge=0,
        le=20,
        description="How often a step is tried again after an error that passes by itself.",
    )
    retry_delay: float = Field(
        default_factory=by_environment("retry_delay"), ge=0, description="Seconds from the failure to the next attempt."
    )
    retry_backoff: bool = Field(
        default_factory=by_environment("retry_backoff"), description="Whether each wait is twice the one before."
    )
    retry_max_delay: float = Field(
        default_factory=by_environment("retry_max_delay"),
        ge=0,
        description="Longest wait before an attempt, in seconds.",
    )
    tenant: str | None = Field(default=None, description="The tenant of a stdio server.")
    today: date | None = Field(
        default=None,
        description="The date that counts as today, for repeatable runs.",
    )
    query_timeout: float = Field(default=30.0, gt=0, description="Longest a query may run, in seconds.")
    query_memory: str = Field(
        default="512MB",
        pattern=r"^\d+(MB|GB)$",
        description="Memory of one tenant's queries, and of a run of its own models.",
    )
    query_spill: str = Field(
        default="4GB",
        pattern=r"^\d+(MB|GB)$",
        description="Disk that one tenant's queries, or its own models, may spill to; its models may write as much.",
    )
    query_rows: int = Field(default=10_000, ge=1, le=10_000, description="Most rows of one answer.")
    query_slots: int = Field(default=4, ge=1, description="Queries of one tenant that run at once; others wait.")
    query_slots_all: int = Field(default=16, ge=1, description="Queries of all tenants that run at once.")
    query_queue: int = Field(default=64, ge=0, description="Queries of one tenant that may wait for their turn.")
    answer_cache: str = Field(
        default="64MB",
        pattern=r"^\d+(MB|GB)$",
        description="Memory for answers that may be asked for again; 0MB: none.",
    )
    model_timeout: float = Field(
        default=120.0, gt=0, description="Longest that a tenant's own models may run in a build, in seconds."
    )
    rollups: bool = Field(
        default=True, description="Whether daily rollups are built, and read in place of whole facts."
    )
    rollup_rows: int = Field(default=500_000, ge=1, description="Rows from which on a fact gets daily rollups.")
    threads: int = Field(default=2, ge=1, description="Threads of one DuckDB instance.")
    build_memory: str | None = Field(
        default=None,
        pattern=r"^\d+(MB|GB)$",
        description="Memory of all processes of a build together; more goes to disk."
        " Left out: three quarters of the machine's.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Processes behind the port of `gata serve`.")
    public_url: str | None = Field(
        default=None, description="The address before /mcp that callers use, such as https://gata.example.com."
    )
    cors_origins: str = Field(
        default="",
        description="Origins of web pages that may call, such as https://app.example.com, with commas; empty: none.",
    )
    body_limit: str = Field(default="1MB", pattern=r"^\d+(MB|GB)$", description="Largest body of a request.")
    connections_of_address: int = Field(
        default=500,
        ge=0,
        description="Connections of one address open at once, per process; 0: no limit. A proxy is one address.",
    )
    sessions: int = Field(default=1_000, ge=1, description="MCP sessions of the `initialize` era open at once.")
    sessions_of_token: int = Field(default=100, ge=1, description="Of these, how many one token may have open.")
    rate_per_minute: int = Field(
        default=6_000, ge=0, description="Calls of one token in a minute, all at once if it likes; 0: no limit."
    )
    calls_at_once: int = Field(default=100, ge=0, description="Calls of one token under way at once; 0: no limit.")
    streams_at_once: int = Field(default=32, ge=0, description="Event streams one token holds open; 0: no limit.")
    audit: Literal["on", "required", "off"] = Field(
        default="on", description="Whether calls are recorded; required: a call that cannot be recorded is refused."
    )
    audit_days: int = Field(default=90, ge=1, description="Days that recorded calls are kept.")
    alert_url: SecretStr | None = Field(
        default=None, description="Address that alerts are posted to, https:// or on this machine; none: no alerts."
    )
    alert_secret: SecretStr | None = Field(
        default=None, description="The key of the alerts' signatures; none: they are not signed."
    )
    alert_timeout: float = Field(default=10.0, gt=0, description="Longest a look for alerts may send, in seconds.")
    alert_disk: str = Field(
        default="2GB", pattern=r"^\d+(MB|GB)$", description="Free disk below which an alert is sent; 0MB: never."
    )
    log_size: str = Field(default="10MB", pattern=r"^\d+(MB|GB)$", description="Largest log file before the next.")
    log_files: int = Field(default=5, ge=0, description="Full log files that are kept in GATA_HOME/logs; 0: none.")
    run_days: int = Field(
        default=90,
        ge=1,
        description="Days that reports, audit records and dbt's results of runs are kept; the newest ten always are.",
    )
    oauth_issuer: str | None = Field(
        default=None,
        description="Identity provider that issues accepted JWTs, as `iss` names it; none: only tokens of gata.",
    )
    oauth_audience: str = Field(
        default="",
        validate_default=True,
        description="What `aud` of a JWT must name (one of these, with commas).",
    )
    oauth_jwks_url: str | None = Field(
        default=None, description="Where the issuer's keys are; left out: found by the issuer's metadata."
    )
    oauth_tenant_claim: str = Field(
        default="gata_tenant", min_length=1, description="The claim of a JWT that names its tenant."
    )
    oauth_scope: str = Field(default="gata:read", description="The scope a JWT must have; empty: none is needed.")
    oauth_owner_scope: str | None = Field(
        default=None,
        description="The scope that makes a JWT of a tenant one of its owners'; left out: none does.",
    )
    oauth_admin_scope: str | None = Field(
        default=None, description="The scope that makes a JWT without a tenant an operator's; left out: none does."
    )

    gates: dict[str, GateSetting] = Field(
        default={},
        description='Severity and threshold of gates, such as {"row_loss": {"severity": "warning", "threshold": 0.02}};'
        " `gates:` of a tenant stand over it.",
    )

    @field_validator("gates")
    @classmethod
    def _are_gates(cls, gates: dict[str, GateSetting]) -> dict[str, GateSetting]:
        for name, setting in gates.items():
            if wrong := wrong_gate(name, setting):
                raise ValueError(f"{wrong[0].removesuffix('.')} ({wrong[1].removesuffix('.')})")
        return gates

    @field_validator("public_url", "oauth_issuer", "oauth_jwks_url")
    @classmethod
    def _is_address(cls, address: str | None) -> str | None:
        if address is not None and not is_secure(address):
            raise ValueError("it is no https:// address (http:// is for this machine alone)")
        return address

    @field_validator("alert_url")
    @classmethod
    def _is_a_receiver(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not is_secure(url.get_secret_value().partition("?")[0]):
            raise ValueError("it is no https:// address (http:// is for this machine alone)")
        return url

    @field_validator("today")
    @classmethod
    def _leaves_room(cls, day: date | None) -> date | None:
        if day is not None and not 1971 <= day.year <= 9000:
            raise ValueError("windows before and after it need a day from 1971 to 9000")
        return day

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for origin in _listed(text):
            if urlsplit(origin).path or not is_secure(origin):
                raise ValueError("it lists what is no origin, such as https://app.example.com")
        return text

    @field_validator("oauth_audience")
    @classmethod
    def _names_an_audience(cls, text: str, info: ValidationInfo) -> str:
        if info.data.get("oauth_issuer") and not _listed(text):
            raise ValueError("with GATA_OAUTH_ISSUER it must name this server")
        return text

    @property
    def hub(self) -> Path:
        return self.home / "hub.duckdb"

    @property
    def ops(self) -> Path:
        return self.home / "ops.sqlite"

    @property
    def strict(self) -> bool:
        """Whether a gate that fails stops the publish, or is a note."""
        return self.gate_mode == "strict"

    @property
    def retry_policy(self) -> RetryPolicy:
        return RetryPolicy(1 + self.retries, self.retry_delay, self.retry_backoff, self.retry_max_delay)

    @property
    def answer_cache_bytes(self) -> int:
        return _bytes(self.answer_cache)

    @property
    def build_memory_bytes(self) -> int | None:
        return None if self.build_memory is None else _bytes(self.build_memory)

    @property
    def query_memory_bytes(self) -> int:
        return _bytes(self.query_memory)

    @property
    def query_spill_bytes(self) -> int:
        return _bytes(self.query_spill)

    @property
    def body_limit_bytes(self) -> int:
        return _bytes(self.body_limit)

    @property
    def alert_disk_bytes(self) -> int:
        return _bytes(self.alert_disk)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins of `cors_origins`, in lower case as a browser writes them."""
        return tuple(origin.lower() for origin in _listed(self.cors_origins))

    @property
    def oauth_audiences(self) -> tuple[str, ...]:
        return _listed(self.oauth_audience)

    @property
    def audit_folder(self) -> Path:
        """Recorded calls and their callers: a file per day and process."""
        return self.home / "audit"

    @property
    def event_files(self) -> LogFiles:
        """The log files of this home."""
        return LogFiles(self.home / "logs", _bytes(self.log_size), self.log_files)

    def unchanged_note(self, slug: Slug) -> Path:
        """The note of what the last build saw of a tenant of which it found nothing new."""
        return self.stars(slug).with_name("unchanged.json")

    def stars(self, slug: Slug) -> Path:
        """The tenant's own star file, written by builds only."""
        return self.home / "tenants" / slug / "stars.duckdb"

    def sandbox(self, slug: Slug) -> Path:
        """The tenant's star as a person's own dbt builds it; builds neither read nor write it."""
        return self.stars(slug).with_name("sandbox.duckdb")

    def published(self, slug: Slug) -> Path:
        """The tenant's folder of immutable runs."""
        return self.home / "published" / slug

    def run_folder(self, run_id: str, slug: Slug) -> Path:
        """What one command left about a tenant: audit records, results of gates, reports."""
        return self.home / "runs" / run_id / slug

    def now(self) -> datetime:
        """The current time, UTC; on the date of GATA_TODAY when that is set."""
        moment = datetime.now(UTC)
        return moment if self.today is None else datetime.combine(self.today, moment.timetz())

    def day(self) -> date:
        return self.today or datetime.now(UTC).date()


def _bytes(text: str) -> int:
    """`64MB` in bytes."""
    return int(text[:-2]) * {"MB": 1_000_000, "GB": 1_000_000_000}[text[-2:]]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def is_secure(address: str) -> bool:
    """Whether traffic to an address cannot be read or changed on the way: https, or this machine."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # a port that is no number is refused too
    except ValueError:
        return False
    is_plain = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    is_here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    return is_plain and (parts.scheme == "https" or is_here)


def environment_variables() -> Mapping[str, str]:
    """All variables of the environment, as they are now."""
    return os.environ


def setting_variable(name: str) -> str:
    """The variable of a setting, such as GATA_HOME."""
    return f"GATA_{name.upper()}"


def environment_values() -> dict[str, Any]:  # Any: texts, and JSON of settings that have parts
    """By setting, the value of its GATA_ variable, where it is set; not checked yet.

    Raises:
        ConfigError: A variable of a setting with parts is no JSON.
    """
    source, values = EnvSettingsSource(Settings), {}
    for name, field in Settings.model_fields.items():
        text, key, is_complex = source.get_field_value(field, name)
        if text is None:
            continue
        try:
            values[name] = source.prepare_field_value(name, field, text, is_complex)
        except ValueError as error:
            variable = setting_variable(key)
            raise ConfigError(f"{variable} is no JSON.", f"Set {variable} to JSON, or unset it.") from error
    return values
