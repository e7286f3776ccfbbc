"""One customer, as tenants.yaml describes it: the resolved configuration of a tenant."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field

from pipeline.config.blocks.channels import ChannelRule, read_channels
from pipeline.config.blocks.domains import DOMAINS, read_domains, refuse_other_domains
from pipeline.config.blocks.gates_block import read_gates
from pipeline.config.blocks.models_block import ModelFile, read_model_files
from pipeline.config.blocks.questions_block import KnownAnswer, read_questions
from pipeline.config.blocks.semantic_block import read_attribution, read_semantic, semantic_locations
from pipeline.config.blocks.sessions import SessionRules, read_sessions
from pipeline.config.codes import currency, timezone
from pipeline.config.entry import Entry
from pipeline.config.slug import Slug, slug_of
from pipeline.config.source import Source, read_source
from pipeline.contracts.connector import Connector, Domain
from pipeline.errors import ConfigError, shorten, suggest
from pipeline.gate_rules.gate import GateSetting

DEFAULT_FUNNEL = ("session_start", "view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase")

Status = Literal["pending", "onboarding", "active", "offboarded"]
WeekStart = Literal["monday", "sunday", "saturday"]


class Tenant(BaseModel):
    """One customer; `slug` names its tables and files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: Slug
    business_name: str
    status: Status = "active"
    timezone: str = "UTC"
    currency: str = "USD"
    """The reporting currency."""
    rates: Path | None = None
    """A file of date, currency, rate."""
    week_start: WeekStart = "monday"
    analytics: str | None = None
    """The analytics platform that feeds sessions, where the tenant says so; ask `analytics_source`."""
    sessions: SessionRules = SessionRules()
    domains: tuple[Domain, ...] = DOMAINS
    """The domains it has sources of; facts of the others exist, and are empty."""
    sources: tuple[Source, ...] = ()
    """By platform name, enabled or not."""
    semantic: dict[str, Any] = {}  # Any: a plain tree of text and flags; semantic_block.py checked it
    semantic_locations: dict[str, str] = Field(default={}, exclude=True, repr=False)
    """File and line of each name of `semantic`, for errors; not part of the fingerprint."""
    attribution: dict[str, list[dict[str, str]]] = {}
    channels: tuple[ChannelRule, ...] = ()
    """Its own channels of visits, in the order in which they are tried, before the built-in ones."""
    gates: dict[str, GateSetting] = {}
    """Its own severities and thresholds of gates, over those of the environment."""
    models: tuple[ModelFile, ...] = Field(default=(), repr=False)
    """Files of its own models, with their text."""
    questions: tuple[KnownAnswer, ...] = ()
    """Questions with known answers, which each run is judged by before it is published."""

    @property
    def enabled(self) -> tuple[Source, ...]:
        return tuple(source for source in self.sources if source.enabled)

    def source(self, platform: str) -> Source:
        """The source of a platform, enabled or not.

        Raises:
            ConfigError: The tenant has no such source.
        """
        for source in self.sources:
            if source.platform == platform:
                return source
        known = [source.platform for source in self.sources]
        raise ConfigError(f"{self.slug} has no source named {shorten(platform)!r}.", suggest(platform, known))

    def objects(self, platform: str) -> tuple[str, ...]:
        """Every object of a platform, whether or not its files are named."""
        return self.source(platform).objects

    @property
    def analytics_source(self) -> str | None:
        """The one analytics platform that feeds sessions and events; None where none is enabled."""
        enabled = (source.platform for source in self.enabled if source.domain == "analytics")
        return self.analytics or next(enabled, None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes about the tenant's sources for readers of the answers, one sentence each."""
        idle = [s.platform for s in self.enabled if s.domain == "analytics" and s.platform != self.analytics_source]
        return tuple(
            f"Sessions and events are those of {self.analytics_source}; the records of {platform} stay in their sinks."
            for platform in idle
        )

    @property
    def funnel_events(self) -> dict[str, tuple[str, ...]]:
        """The funnel's steps in order, each with the event names that reach it."""
        steps = self._sessions_logic("funnel_steps", {step: [step] for step in DEFAULT_FUNNEL})
        return {step: tuple(events) for step, events in steps.items()}

    @property
    def funnel(self) -> tuple[str, ...]:
        return tuple(self.funnel_events)

    @property
    def conversion_events(self) -> tuple[str, ...]:
        """The event names that make a session a converting one."""
        return tuple(self._sessions_logic("conversion_events", ["purchase"]))

    @property
    def purchase_events(self) -> tuple[str, ...]:
        """The event names that are purchases, where the tenant sets them; else its analytics engine decides."""
        return tuple(self._sessions_logic("purchase_events", ()))

    def conversion_pattern(self, platform: str) -> str | None:
        """The one action type that counts as a conversion in a platform's reports."""
        return next(iter(self.source(platform).logic("conversion_event_pattern")), None)

    @property
    def attribution_model(self) -> str:
        """first_touch or last_non_direct, within the session."""
        models = [model for source in self.enabled for model in source.logic("attribution_model")]
        return models[0] if models else "first_touch"

    @cached_property
    def fingerprint(self) -> str:
        """MD5 of the full resolved configuration, the funnel's order and the texts of models included.

        What the other files hold that it names is not in it.
        """
        return self._hashed(self.model_dump(mode="json"))

    @cached_property
    def star_fingerprint(self) -> str:
        """MD5 of the configuration without the paths of its files: a copy of everything elsewhere has the same."""
        paths = {"accounts": {"__all__": {"read": {"objects", "folder"}}}}
        return self._hashed(self.model_dump(mode="json", exclude={"rates": True, "sources": {"__all__": paths}}))

    def _hashed(self, configuration: dict[str, Any]) -> str:  # Any: JSON values
        resolved = json.dumps([configuration, self.funnel], sort_keys=True)
        return hashlib.md5(resolved.encode(), usedforsecurity=False).hexdigest()

    def _sessions_logic(self, key: str, default: Any) -> Any:  # Any: values differ by logic key
        """The value of a logic key in the analytics source that feeds sessions, else `default`."""
        values = self.source(self.analytics_source).logic(key) if self.analytics_source else []
        return values[0] if values else default


def read_tenant(entry: Entry, catalog: Mapping[str, Connector]) -> Tenant:
    """A tenant from its (already merged) entry."""
    fields = entry.fields([name for name in Tenant.model_fields if name != "semantic_locations"])
    slug = _slug(entry.required("slug"))
    tenant = Tenant(
        slug=slug,
        business_name=entry.required("business_name").text(),
        status=cast("Status", fields["status"].choice(get_args(Status), "status")) if "status" in fields else "active",
        timezone=timezone(fields["timezone"]) if "timezone" in fields else "UTC",
        currency=currency(fields["currency"]) if "currency" in fields else "USD",
        rates=_rates(fields["rates"]) if "rates" in fields else None,
        week_start=_week_start(fields["week_start"]) if "week_start" in fields else "monday",
        analytics=fields["analytics"].choice(catalog, "connector") if "analytics" in fields else None,
        sessions=read_sessions(fields["sessions"]) if "sessions" in fields else SessionRules(),
        domains=read_domains(fields["domains"]) if "domains" in fields else DOMAINS,
        sources=_sources(fields["sources"], catalog) if "sources" in fields else (),
        semantic=read_semantic(fields["semantic"]) if "semantic" in fields else {},
        semantic_locations=semantic_locations(fields["semantic"]) if "semantic" in fields else {},
        attribution=read_attribution(fields["attribution"], catalog) if "attribution" in fields else {},
        channels=read_channels(fields["channels"]) if "channels" in fields else (),
        gates=read_gates(fields["gates"]) if "gates" in fields else {},
        models=read_model_files(fields["models"]) if "models" in fields else (),
        questions=read_questions(fields["questions"], slug) if "questions" in fields else (),
    )
    if tenant.enabled:
        refuse_other_domains(tenant.slug, fields["sources"], tenant.enabled, tenant.domains)
    _check_analytics(entry, tenant)
    _check_attribution_model(entry, tenant)
    return tenant


def _slug(entry: Entry) -> Slug:
    text = entry.text()
    try:
        return slug_of(text)
    except ConfigError as error:
        raise entry.wrong(error.what, error.fix) from error


def _week_start(entry: Entry) -> WeekStart:
    return cast("WeekStart", entry.choice(get_args(WeekStart), "first day of a week"))


def _rates(entry: Entry) -> Path:
    """The rates file; a relative path starts from the folder of the file that declares it."""
    path = entry.file.parent.absolute() / entry.text(length=1000)
    if not path.is_file():
        raise entry.wrong(f"There is no file {entry.value} for rates.", "Name a file of date, currency and rate.")
    return path


def _sources(entry: Entry, catalog: Mapping[str, Connector]) -> tuple[Source, ...]:
    for name, source in entry.mapping().items():
        if name not in catalog:
            raise source.wrong(f"There is no connector named {shorten(name, 80)!r}.", suggest(name, catalog))
    return tuple(read_source(source, catalog[name]) for name, source in sorted(entry.mapping().items()))


def _check_analytics(entry: Entry, tenant: Tenant) -> None:
    """Check that exactly one analytics source feeds sessions, or that none is enabled."""
    enabled = [source.platform for source in tenant.enabled if source.domain == "analytics"]
    if tenant.analytics is None and len(enabled) > 1:
        raise entry.wrong(
            f"{tenant.slug} enables {len(enabled)} analytics sources: {', '.join(enabled)}.",
            f"Name the one that feeds sessions, such as analytics: {enabled[0]}.",
        )
    if tenant.analytics is not None and tenant.analytics not in enabled:
        fix = f"Write one of: {', '.join(enabled)}." if enabled else "Remove it, or enable that source."
        raise entry.mapping()["analytics"].wrong(
            f"analytics is {tenant.analytics!r}, which is no enabled analytics source of {tenant.slug}.", fix
        )


def _check_attribution_model(entry: Entry, tenant: Tenant) -> None:
    models = sorted({model for source in tenant.enabled for model in source.logic("attribution_model")})
    if len(models) > 1:
        raise entry.wrong(
            f"{tenant.slug} has {len(models)} attribution models: {', '.join(models)}.",
            "Keep one of them: sessions are attributed once.",
        )
