"""Session rules: the gap that separates a user's events into sessions, and its default."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from pipeline.config.entry import Entry

GAP_MINUTES = 30
"""The default of Google Analytics and of most other tools."""
LONGEST_GAP_MINUTES = 24 * 60


class SessionRules(BaseModel):
    """A gap of more than `gap_minutes` between two events of a user begins a new session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gap_minutes: int = GAP_MINUTES

    @property
    def gap(self) -> str:
        """The gap as text for descriptions."""
        return f"{self.gap_minutes} minute{'' if self.gap_minutes == 1 else 's'}"


def read_sessions(entry: Entry) -> SessionRules:
    gap = entry.fields(["gap_minutes"]).get("gap_minutes")
    return (
        SessionRules() if gap is None else SessionRules(gap_minutes=int(gap.number(1, LONGEST_GAP_MINUTES, whole=True)))
    )
