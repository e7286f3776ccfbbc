"""The three bundled tenants as `make run SERVE=0` leaves them, built once for all workers, with their sinks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from pipeline.settings import Settings
from tests.server.cli_run import ROOT, environment

SINKS = ("facebook_insights", "google_ads%ad_performance", "shopify%orders", "ad_performance_report", "commerce%orders")
"""The sinks that are kept, as ends of their names: those of events are most of the hub."""


@dataclass(frozen=True)
class Bundled:
    """A new user's machine after `make run SERVE=0`, but for the packages. Tests read; they may run commands on it."""

    folder: Path
    today: date = date(2026, 11, 21)

    @cached_property
    def settings(self) -> Settings:
        return Settings(home=self.folder / "state", tenants=ROOT / "tenants.yaml", today=self.today)

    @cached_property
    def environment(self) -> dict[str, str]:
        """What a command of that user sees."""
        return environment(self.settings)

    @property
    def is_built(self) -> bool:
        return self._said.exists()

    @property
    def said(self) -> str:
        """What the command printed."""
        return self._said.read_text(encoding="utf-8")

    @property
    def _said(self) -> Path:
        return self.folder / "said.txt"

    def build(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        command = [sys.executable, "-P", "-m", "server.demo", "--no-serve"]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        self._keep_sinks()
        self._said.write_text(done.stdout, encoding="utf-8")

    def _keep_sinks(self) -> None:
        """Copy the sinks that questions are about: a command of another test may hold the hub."""
        with duckdb.connect(str(self.folder / "sinks.duckdb")) as kept:
            kept.execute(f"attach '{self.settings.hub}' as hub (read_only)")
            kept.execute("use hub")
            like = " or ".join(f"table_name like '%{end}'" for end in SINKS)
            names = kept.execute(f"select table_name from duckdb_tables() where schema_name = 'main' and ({like})")
            for (name,) in names.fetchall():
                plain = re.sub(r"platform_mm__(\w+?)_api_v\d+_", r"sink_\1_", name)
                kept.execute(
                    f"create table sinks.main.{plain} as"
                    f" select tenant_slug, source_platform, raw_data_payload as payload from hub.main.{name}"
                )

    def sinks(self, slug: str, sql: str) -> list[tuple[Any, ...]]:
        """What SQL says about a tenant's own rows of sinks, `sink_<connector>_<object>`; `$today` is the day."""
        with duckdb.connect(str(self.folder / "sinks.duckdb"), read_only=True) as sinks:
            own = ", ".join(
                f"{name} as (select * from sinks.main.{name} where tenant_slug = '{slug}')"
                for name in dict.fromkeys(re.findall(r"\bsink_\w+", sql))
            )
            inner = re.sub(r"^with\b", ",", sql.lstrip()) if sql.lstrip().startswith("with ") else sql
            return sinks.execute(f"with {own} {inner}", {"today": self.today} if "$today" in sql else {}).fetchall()
