"""Time zones over whole arrays: UTC microseconds to local days and ISO texts, and local midnights back to UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.dice import Ints

SECOND = 1_000_000  # microseconds
HOUR = 3600 * SECOND
DAY = 24 * HOUR
EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Zone:
    """An IANA time zone, asked for many instants at once (Arrow's own zones need files a small machine lacks)."""

    name: str

    def midnights(self, days: Ints) -> Ints:
        """The first instants of local days, as UTC microseconds."""
        zone = ZoneInfo(self.name)
        starts = [datetime.combine(EPOCH + timedelta(int(day)), datetime.min.time(), zone) for day in days]
        return np.array([int(start.timestamp()) * SECOND for start in starts], dtype=np.int64)

    def days(self, instants: Ints) -> Ints:
        """The local days of UTC microseconds, counted since 1970-01-01."""
        return (instants + self._offsets(instants) * SECOND) // DAY

    def texts(self, instants: Ints, *, colon: bool = True) -> Any:  # Any: a pyarrow array; pyarrow is untyped
        """ISO 8601 with the zone's offset, whole seconds: 2026-01-31T08:00:00-05:00 (or -0500, as Meta writes)."""
        offsets = self._offsets(instants)
        local = np.datetime_as_string((instants // SECOND + offsets).astype("datetime64[s]"))
        kinds, kind = np.unique(offsets, return_inverse=True)
        signs = pa.array([_offset_text(int(seconds), colon=colon) for seconds in kinds], pa.string())
        return pc.binary_join_element_wise(pa.array(local, pa.string()), signs.take(pa.array(kind)), "")

    def _offsets(self, instants: Ints) -> Ints:
        """Seconds east of UTC at each instant."""
        if not len(instants):
            return np.zeros(0, dtype=np.int64)
        starts, offsets = self._periods(int(instants.min()) // SECOND, int(instants.max()) // SECOND)
        return offsets[np.searchsorted(starts, instants // SECOND, side="right") - 1]

    def _periods(self, first: int, last: int) -> tuple[Ints, Ints]:
        """When, between two Unix times, which offset began: found by days, then by halving."""
        zone = ZoneInfo(self.name)

        def offset(second: int) -> int:
            away = datetime.fromtimestamp(second, zone).utcoffset() or timedelta()
            return int(away.total_seconds())

        periods = [(first, offset(first))]
        for day in range(first, last, 86_400):
            before, after = day, min(day + 86_400, last)
            if offset(after) == periods[-1][1]:
                continue
            while after - before > 1:
                middle = (before + after) // 2
                before, after = (middle, after) if offset(middle) == periods[-1][1] else (before, middle)
            periods.append((after, offset(after)))
        starts, offsets = zip(*periods, strict=True)
        return np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64)


def date_texts(days: Ints, *, compact: bool = False) -> Any:  # Any: a pyarrow array
    """Day numbers as YYYY-MM-DD, or YYYYMMDD when compact."""
    kinds, kind = np.unique(days, return_inverse=True)
    form = "%Y%m%d" if compact else "%Y-%m-%d"
    texts = [(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(int(day))).strftime(form) for day in kinds]
    return pa.array(texts, pa.string()).take(pa.array(kind))


def _offset_text(seconds: int, *, colon: bool) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}{':' if colon else ''}{minutes:02d}"
