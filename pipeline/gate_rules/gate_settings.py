"""The settings of gates: which a setting may have, and what is in force for a tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pipeline.errors import suggest
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gate_rules.gate_registry import GATES


def wrong_gate(name: str, setting: GateSetting) -> tuple[str, str] | None:
    """What is wrong with a setting of a gate, and the step that works; None where nothing is."""
    gate = GATES.get(name)
    if gate is None:
        return f"There is no gate named {name[:80]!r}.", suggest(name, GATES)
    if gate.is_fixed:
        return f"The gate {name} always holds a run: it has no settings.", "Remove it."
    if gate.threshold is None and (setting.threshold is not None or setting.tables):
        return f"The gate {name} has no threshold: it has findings or none.", "Set its severity alone."
    return None


@dataclass(frozen=True)
class GateRules:
    """The severities and thresholds that are in force for one tenant."""

    settings: Mapping[str, GateSetting] = field(default_factory=dict)

    @classmethod
    def of(cls, operator: Mapping[str, GateSetting], tenant: Mapping[str, GateSetting]) -> GateRules:
        """The settings of the tenant over those of the environment, part by part."""
        return cls({name: _over(operator.get(name), tenant.get(name)) for name in {**operator, **tenant}})

    def severity(self, gate: str) -> Severity:
        setting = self.settings.get(gate)
        return GATES[gate].severity if setting is None or setting.severity is None else setting.severity

    def is_on(self, gate: str) -> bool:
        return self.severity(gate) is not Severity.OFF

    def threshold(self, gate: str, table: str) -> Decimal:
        """That of the table where a setting has one, else that of the setting, else the gate's own."""
        setting, own = self.settings.get(gate, GateSetting()), GATES[gate]
        if table in setting.tables:
            return setting.tables[table]
        if setting.threshold is not None:
            return setting.threshold
        return own.tables.get(table, own.threshold or Decimal(0))


def _over(under: GateSetting | None, over: GateSetting | None) -> GateSetting:
    under, over = under or GateSetting(), over or GateSetting()
    return GateSetting(
        severity=over.severity or under.severity,
        threshold=under.threshold if over.threshold is None else over.threshold,
        tables=under.tables | over.tables,
    )
