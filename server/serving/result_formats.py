"""Result formats with their media types: the one list of them."""

from __future__ import annotations

MEDIA = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
"""By the name of the format; the first is the default."""
