"""Gates of a tenant: severities and thresholds that differ from those of the environment, with their reader."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from pipeline.config.entry import Entry
from pipeline.errors import suggest
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gate_rules.gate_registry import GATES
from pipeline.gate_rules.gate_settings import wrong_gate

LARGEST = 1_000_000_000


def read_gates(entry: Entry) -> dict[str, GateSetting]:
    """The settings of each named gate; a name that is none is refused with the nearest."""
    found = {}
    for name, given in entry.mapping().items():
        if name not in GATES:
            raise given.wrong(f"There is no gate named {name[:80]!r}.", suggest(name, GATES))
        setting = _setting(given)
        if wrong := wrong_gate(name, setting):
            raise given.wrong(*wrong)
        found[name] = setting
    return found


def _setting(entry: Entry) -> GateSetting:
    fields = entry.fields(list(GateSetting.model_fields))
    severity = (
        fields["severity"].choice([each.value for each in Severity], "severity") if "severity" in fields else None
    )
    tables = fields["tables"].mapping() if "tables" in fields else {}
    return GateSetting(
        severity=cast("Severity", severity),
        threshold=_threshold(fields["threshold"]) if "threshold" in fields else None,
        tables={name: _threshold(each) for name, each in tables.items()},
    )


def _threshold(entry: Entry) -> Decimal:
    return Decimal(str(entry.number(0, LARGEST)))
