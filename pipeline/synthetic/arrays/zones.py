"""Time zones over arrays: UTC microseconds to local days and ISO texts, and local midnights back to UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.synthetic.arrays.rng import Ints

SECOND = 1_000_000  # microseconds
HOUR = 3600 * SECOND
DAY = 24 * HOUR
EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Zone:
    """An IANA time zone over arrays of instants (Arrow's own zones need files that a small machine lacks)."""

    name: str

    def midnights(self, days: Ints) -> Ints:
        """The first instants of local days, as UTC microseconds."""
        zone = ZoneInfo(self.name)
        starts = [datetime.combine(EPOCH + timedelta(int(day)), datetime.min.time(), zone) for day in days]
        return np.array([int(start.timestamp()) * SECOND for start in starts], dtype=np.int64)

    def days(self, instants: Ints) -> Ints:
        """The local days of UTC microseconds, counted since 1970-01-01."""
        return self.wall(instants) // DAY

    def wall(self, instants: Ints) -> Ints:
        """Local wall-clock times as microseconds, counted as if they were UTC."""
        return instants + self._offsets(instants) * SECOND

    def hours(self, instants: Ints) -> Ints:
        """The hours of local clocks at UTC microseconds, 0 to 23."""
        return self.wall(instants) % DAY // HOUR

    def clocks(self, instants: Ints, *, between: str = "T") -> Any:
        """Local wall-clock times as text, in seconds and without an offset: 2026-01-31T08:00:00."""
        local = np.datetime_as_string((self.wall(instants) // SECOND).astype("datetime64[s]"))
        texts = pa.array(local, pa.string())
        return texts if between == "T" else pc.replace_substring(texts, "T", between)

    def texts(self, instants: Ints, *, colon: bool = True) -> Any:  # Any: a pyarrow array; pyarrow is untyped
        """ISO 8601 with the zone's offset, in seconds: 2026-01-31T08:00:00-05:00 (or -0500, as Meta writes)."""
        offsets = self._offsets(instants)
        kinds, kind = np.unique(offsets, return_inverse=True)
        signs = pa.array([_offset_text(int(seconds), colon=colon) for seconds in kinds], pa.string())
        return pc.binary_join_element_wise(self.clocks(instants), signs.take(pa.array(kind)), "")

    def _offsets(self, instants: Ints) -> Ints:
        """Seconds east of UTC at each instant."""
        if not len(instants):
            return np.zeros(0, dtype=np.int64)
        starts, offsets = self._periods(int(instants.min()) // SECOND, int(instants.max()) // SECOND)
        return offsets[np.searchsorted(starts, instants // SECOND, side="right") - 1]

    def _periods(self, first: int, last: int) -> tuple[Ints, Ints]:
        """The start of each offset between two Unix times, and the offset; found day by day, then by bisection."""
        zone = ZoneInfo(self.name)

        def offset(second: int) -> int:
            difference = datetime.fromtimestamp(second, zone).utcoffset() or timedelta()
            return int(difference.total_seconds())

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


def fine_clocks(instants: Ints) -> Any:
    """UTC microseconds as text, to the microsecond and without an offset: 2026-01-31 08:00:00.123456."""
    return pc.replace_substring(pa.array(np.datetime_as_string(instants.astype("datetime64[us]"))), "T", " ")


def rfc_2822(instants: Ints) -> Any:
    """UTC microseconds in the format of RFC 2822: Sat, 03 Mar 2018 02:35:28 +0000."""
    seconds = pa.array(instants // SECOND, pa.int64()).cast(pa.timestamp("s"))
    days = pc.day_of_week(seconds), pc.subtract(pc.month(seconds), 1)
    weekday, month = (pa.array(names).take(index) for names, index in zip((_WEEKDAYS, _MONTHS), days, strict=True))
    parts = [pc.strftime(seconds, format=form) for form in ("%d", "%Y %H:%M:%S +0000")]
    return pc.binary_join_element_wise(weekday, parts[0], month, parts[1], " ")


_WEEKDAYS = ("Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _offset_text(seconds: int, *, colon: bool) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}{':' if colon else ''}{minutes:02d}"
