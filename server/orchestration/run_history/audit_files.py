"""Audit records as files, written from the ledger: `runs/<run_id>/<tenant>/audit/<table>__<partition>.json`.

The table `audit_records` of ops.sqlite is the record; a file is a copy of one row, written once when the run ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.config.slug import Slug
from pipeline.settings import Settings
from pipeline.storage.ops import Ops, Row

_UNSAFE = re.compile(r"[^A-Za-z0-9_.=-]+")
LONGEST_NAME = 180  # characters; file systems take 255 bytes


def write_audit_files(settings: Settings, ops: Ops, run_id: str, tenants: Iterable[Slug]) -> list[Path]:
    """Write the audit records of a run's tenants; returns the files.

    Raises:
        OSError: The disk refuses.
    """
    written = []
    for slug in tenants:
        folder = settings.run_folder(run_id, slug) / "audit"
        for record in ops.audit_records(run_id, slug):
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / _file_name(record)
            path.write_text(audit_json(record), encoding="utf-8")
            written.append(path)
    return written


def audit_json(record: Row) -> str:
    """The text of an audit record's file."""
    fields = {name: value for name, value in record.items() if name != "audit_id"}
    return json.dumps(fields, ensure_ascii=False, indent=2) + "\n"


def _file_name(record: Row) -> str:
    """A name for the record's table and partition that leads nowhere; its number keeps equal names apart."""
    name = _UNSAFE.sub("_", f"{record['table_name']}__{record['partition_value']}")[:LONGEST_NAME]
    return f"{name}__{record['audit_id']}.json"
