"""Audit lines without what a forgotten tenant or person was asked about: when and how somebody asked stays.

Processes that serve append to these files, so a line is overwritten where it is, with spaces up to its length.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.config.slug import Slug

_KEPT = ("at", "id", "door", "tool", "outcome", "status", "ms")


def blank_audit(folder: Path, is_named: Callable[[str], bool]) -> int:
    """Overwrite each line that names the tenant or person; returns how many there were.

    Args:
        is_named: Whether the text of a line names them.
    """
    return sum(_blank_file(path, is_named) for path in sorted(folder.glob("*.jsonl")))


def names_tenant(slug: Slug) -> Callable[[str], bool]:
    """Whether a line is about the tenant: alone, among several, or by a path."""
    signs = (f'"{slug}"', f"/{slug}/", f'/{slug}"')
    return lambda line: any(sign in line for sign in signs)


def _blank_file(path: Path, is_named: Callable[[str], bool]) -> int:
    blanked = at = 0
    with path.open("r+b", buffering=0) as file:
        for line in file.read().splitlines(keepends=True):
            text = line.rstrip(b"\n")
            if is_named(text.decode("utf-8", errors="replace")):
                os.pwrite(file.fileno(), _blanked(text, is_named).ljust(len(text)), at)
                blanked += 1
            at += len(line)
        os.fsync(file.fileno())
    return blanked


def _blanked(text: bytes, is_named: Callable[[str], bool]) -> bytes:
    """What stays of a line; spaces where a killed process left half of one."""
    try:
        call: dict[str, Any] = json.loads(text)  # Any: JSON values
    except ValueError:
        return b""
    kept = {name: call[name] for name in _KEPT if name in call and not is_named(json.dumps(call[name]))}
    return json.dumps(kept, separators=(",", ":")).encode()
