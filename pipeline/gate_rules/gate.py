"""A gate: it measures one number of one table, and compares it with a threshold.

The numbers of a layer come from a few statements that read each table once (pipeline/gates,
warehouse/build/star_gates.py, semantic/answering/guard); the tests of the star are gates too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class GateLayer(StrEnum):
    """Where a gate stands on the way of the data."""

    LANDING = "landing"
    SINK = "sink"
    """Sinks, and the intermediate tables that are made of them."""
    STAR = "star"
    RUN = "run"


class Severity(StrEnum):
    """What a gate that does not pass does."""

    ERROR = "error"
    """The tenant is not published in strict mode; in GATA_ENV=local it is a note."""
    WARNING = "warning"
    OFF = "off"


class Passes(StrEnum):
    """Which values pass, compared with the threshold."""

    AT_MOST = "at most"
    BELOW = "below"
    AT_LEAST = "at least"
    ABOVE = "above"

    def holds(self, value: Decimal, threshold: Decimal) -> bool:
        """Whether a value passes."""
        if self in (Passes.AT_MOST, Passes.BELOW):
            return value < threshold or (self is Passes.AT_MOST and value == threshold)
        return value > threshold or (self is Passes.AT_LEAST and value == threshold)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A condition of publishing, with its defaults."""

    id: str
    layer: GateLayer
    severity: Severity
    checks: str
    """What it measures, as the words after "it measures"; empty for a test of the star, whose macro says it."""
    check: Passes = Passes.AT_MOST
    threshold: Decimal | None = Decimal(0)
    """None for a test of the star: it has findings or none."""
    next_step: str = ""
    """What to do about it; empty where each finding says its own."""
    tables: Mapping[str, Decimal] = field(default_factory=dict)
    """Thresholds of their own, by table."""
    warns_from: Decimal = Decimal(1)
    """A value that does not pass only warns while it reaches this share of the threshold; 1: none does."""
    is_fixed: bool = False
    """It always holds a run: no setting changes it."""


class GateSetting(BaseModel):
    """What a setting changes of one gate; what it leaves out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity | None = None
    threshold: Decimal | None = Field(default=None, ge=0)
    tables: dict[str, Decimal] = {}
    """Thresholds by table."""
