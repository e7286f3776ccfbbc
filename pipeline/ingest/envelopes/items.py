"""The items of a JSON file: records, or what wraps them, as texts with positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

BATCH_ROWS = 8 * 2048

Texts = tuple[int, pa.Array]
"""The position of the first record (from 1), and the records as text."""
Source = Callable[[], Iterator[Texts]]
"""Reads the items of a file from its start."""
