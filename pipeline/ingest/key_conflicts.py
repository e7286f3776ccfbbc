"""Keys that occur twice in one file with different content: the export has a breakdown unknown to its contract."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.fields import Contract, Leaf, place_of, shape_of
from pipeline.ingest.formats.reader import LINE, Batch
from pipeline.ingest.formats.wire_values import CONTENT_HASH, EXTRA, KEY_HASH, has_conflicts
from pipeline.ingest.quarantine import Rejection


class Conflicts:
    """Collects the keys of one file's records, where the contract says that a key is one record."""

    def __init__(self, contract: type[Contract]) -> None:
        self._contract = contract
        self._seen: list[pa.Table] = []

    def add(self, good: pa.Table) -> None:
        if has_conflicts(self._contract) and good.num_rows:
            self._seen.append(good.select([LINE, KEY_HASH, CONTENT_HASH]))

    def positions(self) -> dict[int, int]:
        """The records whose key has more than one content: position to how many records share the key."""
        if not self._seen:
            return {}
        seen = pa.concat_tables(self._seen)
        keys = seen.group_by(KEY_HASH).aggregate([(CONTENT_HASH, "count_distinct"), (LINE, "count")])
        shared = keys.filter(pc.greater(keys[f"{CONTENT_HASH}_count_distinct"], 1))
        records = seen.join(shared, KEY_HASH, join_type="inner") if shared.num_rows else seen.slice(0, 0)
        if not records.num_rows:
            return {}
        return dict(zip(records[LINE].to_pylist(), records[f"{LINE}_count"].to_pylist(), strict=True))

    def refusals(self, positions: dict[int, int], batches: Iterable[Batch]) -> list[Rejection]:
        """The records at `positions`, out of a file's batches, each with the key that it shares."""
        wanted = pa.array(positions, pa.int64())
        found = []
        for batch in batches:
            for record in batch.good.filter(pc.is_in(batch.good[LINE], wanted)).to_pylist():
                held = {path: self._value_at(record, path) for path in self._contract.key}
                parts = ", ".join(f"{path}={value}" for path, value in held.items() if value is not None)
                reason = (
                    f"{positions[record[LINE]]} records share the key ({parts}): "
                    "the export has a breakdown the contract does not know"
                )
                found.append(Rejection(record[LINE], reason, self._text(record)))
        return found

    def _value_at(self, record: dict[str, object], path: str) -> object:
        """What a landing row holds at a dotted path."""
        (head, *inside), _ = place_of(shape_of(self._contract), path)
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
