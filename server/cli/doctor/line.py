"""Lines of `gata doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DoctorLine:
    """The result of one check; `fix` is the step that works where there is something to do."""

    check: str
    state: Literal["ok", "warn", "fail"]
    what: str
    fix: str = ""
