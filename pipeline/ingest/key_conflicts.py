"""Key conflicts: a key occurs twice in one file with different content, so its contract lacks a breakdown."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.fields import Contract, Leaf, field_at, shape_of
from pipeline.ingest.formats.reader import LINE, Batch
from pipeline.ingest.quarantine import Rejection
from pipeline.ingest.values.wire_values import CONTENT_HASH, EXTRA, KEY_HASH, has_conflicts


class Conflicts:
    """Collects the keys of one file's records, where the contract requires one record per key."""

    def __init__(self, contract: type[Contract]) -> None:
        self._contract = contract
        self._tables: list[pa.Table] = []

    def add(self, good: pa.Table) -> None:
        if has_conflicts(self._contract) and good.num_rows:
            self._tables.append(good.select([LINE, KEY_HASH, CONTENT_HASH]))

    def positions(self) -> dict[int, int]:
        """The records of conflicting keys: position to the number of records with that key."""
        if not self._tables:
            return {}
        records = pa.concat_tables(self._tables)
        keys = records.group_by(KEY_HASH).aggregate([(CONTENT_HASH, "count_distinct"), (LINE, "count")])
        shared = keys.filter(pc.greater(keys[f"{CONTENT_HASH}_count_distinct"], 1))
        conflicts = records.join(shared, KEY_HASH, join_type="inner") if shared.num_rows else records.slice(0, 0)
        if not conflicts.num_rows:
            return {}
        return dict(zip(conflicts[LINE].to_pylist(), conflicts[f"{LINE}_count"].to_pylist(), strict=True))

    def rejections(self, positions: dict[int, int], batches: Iterable[Batch]) -> list[Rejection]:
        """Rejections of the records at `positions` of a file's batches, each with its shared key."""
        shared = pa.array(positions, pa.int64())
        rejected = []
        for batch in batches:
            for record in batch.good.filter(pc.is_in(batch.good[LINE], shared)).to_pylist():
                key = {path: self._value_at(record, path) for path in self._contract.key}
                parts = ", ".join(f"{path}={value}" for path, value in key.items() if value is not None)
                reason = (
                    f"{positions[record[LINE]]} records share the key ({parts}): "
                    "the export has a breakdown the contract does not know"
                )
                rejected.append(Rejection(record[LINE], reason, self._text(record)))
        return rejected

    def _value_at(self, record: dict[str, object], path: str) -> object:
        """The value of a landing row at a dotted path."""
        (head, *inside), _ = field_at(shape_of(self._contract), path)
        value = json.loads(str(record[head])) if inside and record[head] is not None else record[head]
        for name in inside:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _text(self, record: dict[str, object]) -> str:
        """A landing row as the record it came from."""
        members = [
            f"{json.dumps(name)}: {json.dumps(record[name]) if isinstance(shape, Leaf) else record[name]}"
            for name, shape in shape_of(self._contract)
            if record[name] is not None
        ]
        extra = str(record[EXTRA] or "{}")[1:-1]
        return "{" + ", ".join([*members, *([extra] if extra else [])]) + "}"
