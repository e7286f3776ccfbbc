"""The formats that rows leave in, each with its media type: the one list of them."""

from __future__ import annotations

MEDIA = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
"""By the format's name; the first is what a caller gets who does not care."""
