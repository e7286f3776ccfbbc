"""The only reader of the environment: GATA_* variables, read once at the door and passed down."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import ConfigError


class Settings(BaseSettings):
    """Where state lives, who we serve, and what day it is."""

    model_config = SettingsConfigDict(env_prefix="GATA_", frozen=True)

    home: Path = Field(
        default=Path(".gata"), description="State folder: hub, stars, published runs, dlt and dbt state."
    )
    tenants: Path = Field(default=Path("tenants.yaml"), description="Who we serve.")
    env: Literal["local", "dev", "prod"] = Field(default="local", description="local warns, prod is strict.")
    tenant: str | None = Field(default=None, description="The tenant of a stdio server.")
    today: date | None = Field(default=None, description="The clock, for repeatable runs: YYYY-MM-DD.")
    query_timeout: float = Field(default=30.0, gt=0, description="Longest a query may run, in seconds.")
    query_memory: str = Field(default="512MB", pattern=r"^\d+(MB|GB)$", description="Memory of one tenant's queries.")
    query_spill: str = Field(
        default="4GB", pattern=r"^\d+(MB|GB)$", description="Disk that one tenant's queries may spill to."
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
    rollups: bool = Field(default=True, description="Whether daily rollups are made, and read instead of whole facts.")
    rollup_rows: int = Field(default=500_000, ge=1, description="Rows from which on a fact gets daily rollups.")
    threads: int = Field(default=2, ge=1, description="Threads of one DuckDB instance.")

    @property
    def hub(self) -> Path:
        return self.home / "hub.duckdb"

    @property
    def ops(self) -> Path:
        return self.home / "ops.sqlite"

    @property
    def strict(self) -> bool:
        """Whether a gate that fails stops the publish (dev and prod) or is a note (local)."""
        return self.env != "local"

    @property
    def answer_cache_bytes(self) -> int:
        unit = {"MB": 1_000_000, "GB": 1_000_000_000}[self.answer_cache[-2:]]
        return int(self.answer_cache[:-2]) * unit

    def stars(self, slug: str) -> Path:
        """The tenant's own star file, written by builds only."""
        return self.home / "tenants" / slug / "stars.duckdb"

    def published(self, slug: str) -> Path:
        """The tenant's folder of immutable runs."""
        return self.home / "published" / slug

    def now(self) -> datetime:
        """The moment, UTC; on the day of GATA_TODAY when that is set."""
        moment = datetime.now(UTC)
        return moment if self.today is None else datetime.combine(self.today, moment.timetz())

    def day(self) -> date:
        return self.today or datetime.now(UTC).date()


def read_settings(**overrides: object) -> Settings:
    """The settings of this process.

    Raises:
        ConfigError: A variable has a value it cannot have; names the variable.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # overrides are checked by pydantic itself
    except ValidationError as error:
        first = error.errors()[0]
        name = "GATA_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(
            f"{name} is {first['input']!r}: {first['msg'].lower()}.", f"Set {name} to a valid value, or unset it."
        ) from error
