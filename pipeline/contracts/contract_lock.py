"""The lock file of contracts, contracts.lock.yaml: every published version, which may only gain fields and demand less.

The file is committed, and ships with the package. `gata library` adds what is new to the one in the working directory;
an installed package is never written to. Any other change is refused, because sinks hold records that were read by the
earlier definition. The order of fields counts too: a record is identified by a hash over its fields in that order.
One type may become another (`WIDENINGS`): records that sinks hold read the same by it, and have the same hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import yaml

from pipeline.contracts.bundled import LOCK_FILE, file_or_bundled
from pipeline.contracts.fields import EXACT, Contract, Leaf, Many, Shape
from pipeline.contracts.registry import Blueprint
from pipeline.errors import ConfigError

LOCK = Path(LOCK_FILE)

Fields = dict[str, str]
"""Path of a field to its type, such as `actions[].value: VARCHAR decimal`, in the contract's order; before them, in
brackets, the rules of the whole record, such as `(key)`: the paths of its key."""
Frozen = dict[str, dict[str, Fields]]
"""Contract version, such as `facebook_ads_api_v1 v19`, to object to fields."""


WIDENINGS = {"BIGINT integer": f"{EXACT} decimal"}
"""Types of a published field that may become wider, and what they become: a whole number that vendors turn out to send
with decimals. A whole number keeps its value and its canonical text (pipeline/contracts/sql.py). Never back."""

REQUIRED = "(required)"

HEADER = (
    "# Every published contract. Written by `gata library`; only new lines are added, and a line never changes,\n"
    "# unless a whole number becomes a decimal number.\n"
)


def frozen(blueprints: Mapping[tuple[str, str], Blueprint]) -> Frozen:
    """The current contracts, in the form of a lock file."""
    contracts: Frozen = {}
    for blueprint in sorted(blueprints.values(), key=lambda b: (b.master_model_id, b.version, b.object)):
        objects = contracts.setdefault(f"{blueprint.master_model_id} {blueprint.version}", {})
        objects[blueprint.object] = _rules(blueprint.contract) | dict(_fields(blueprint.shape, ""))
    return contracts


def _rules(contract: type[Contract]) -> Fields:
    """The rules of a record: its key, required fields, date, version, slice and clock."""
    optional = {"(optional key)": ", ".join(contract.optional_key)} if contract.optional_key else {}
    return {
        "(key)": ", ".join(contract.key),
        REQUIRED: ", ".join(contract.required),
        "(date)": contract.date_field,
        "(version)": contract.version_field or "",
        "(slice)": "day" if contract.daily_slice else "",
        "(zone)": contract.zone,
        **optional,
    }


def _fields(shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(shape, Leaf):
        yield path, f"{shape.wire} {shape.meaning} {shape.form}".rstrip()
    elif isinstance(shape, Many):
        yield from _fields(shape.of, f"{path}[]")
    else:
        for name, inner in shape:
            yield from _fields(inner, f"{path}.{name}" if path else name)


def check_lock(blueprints: Mapping[tuple[str, str], Blueprint], path: Path = LOCK) -> Frozen | None:
    """Check that published contracts only gained fields; returns what the file lacks, None where it is up to date.

    Without a file at `path` the bundled lock applies.

    Raises:
        ConfigError: A field or key of a published version is gone or changed; names contract, field, old and new.
    """
    now, published = frozen(blueprints), read_lock(file_or_bundled(path))
    for version in published.keys() & now.keys():
        for name, fields in published[version].items():
            _refuse_changes(f"{version} {name}", fields, now[version].get(name, {}))
    missing = {
        version: objects
        for version, objects in now.items()
        if any(fields != published.get(version, {}).get(name) for name, fields in objects.items())
    }
    return missing or None


def _refuse_changes(contract: str, published: Fields, now: Fields) -> None:
    if not now:
        raise _changed(contract, "is published, and is gone")
    for field, old in published.items():
        new = now.get(field)
        is_wider = new is not None and WIDENINGS.get(old) == new
        if new != old and not is_wider and not (field == REQUIRED and _demands_less(old, new)):
            raise _changed(
                contract, f"is published, and its {field} was {old!r} and is {'gone' if new is None else repr(new)}"
            )
    remaining = [field for field in now if field in published]
    for (before, old), (_, new) in zip(pairwise(["", *published]), pairwise(["", *remaining]), strict=True):
        if new != old:
            raise _changed(
                contract, f"is published, and after {before or 'the beginning'} came {old!r} and comes {new!r}"
            )


def _demands_less(old: str, new: str | None) -> bool:
    """Whether the required fields are some of those that were required: what was read before is read the same."""
    return new is not None and set(filter(None, new.split(", "))) < set(old.split(", "))


def _changed(contract: str, how: str) -> ConfigError:
    return ConfigError(
        f"The contract {contract} {how}.",
        "Restore it, or give the connector a new version in supported_connectors.yaml.",
    )


def read_lock(path: Path) -> Frozen:
    """The contracts of a lock file.

    Raises:
        ConfigError: It cannot be read, or is no map of contracts.
    """
    try:
        contracts = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read.", "Restore it from version control.") from error
    if contracts is None:
        return {}
    if not isinstance(contracts, dict):
        raise ConfigError(f"{path} is no map of contracts.", "Restore it from version control.")
    return contracts


def lock_text(contracts: Frozen) -> str:
    """The text of a lock file, contracts sorted by name, fields in their order."""
    listed = {version: dict(sorted(objects.items())) for version, objects in sorted(contracts.items())}
    return HEADER + yaml.safe_dump(listed, sort_keys=False, width=200, default_flow_style=False)
