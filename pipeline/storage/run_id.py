"""Run ids: the start time and six random hexadecimal digits, so that ids sort by time and are unique."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

RUN_ID = re.compile(r"[0-9]{8}T[0-9]{12}Z_[0-9a-f]{6}")


def new_run_id(now: datetime) -> str:
    """A new run id of the time `now`, such as 20260131T235959000000Z_0a1b2c."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}_{secrets.token_hex(3)}"


def is_run_id(text: str) -> bool:
    """Whether `text` is a run id; only run ids are used in paths."""
    return RUN_ID.fullmatch(text) is not None
