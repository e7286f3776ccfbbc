"""The filters of tenants.yaml as SQL: which rows of an intermediate view a tenant counts. Sinks keep every row.

Field and value go through the same `cast_as`, so that both are read by what the field means
(pipeline/config/blocks/filter_rules.py says how a value is written). Values are quoted literals: no text of a
tenant is ever SQL or a template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pipeline.config.blocks.filter_rules import Rule, leaf_at, written_as
from pipeline.contracts.fields import Record
from pipeline.contracts.meaning import Meaning
from pipeline.contracts.sql import literal, quote


def filter_conditions(rules: Sequence[Rule], shape: Record) -> list[str]:
    """One dbt condition per rule over a view's parsed `record`: true for a row that meets it, else false or NULL."""
    return [_condition(rule, shape) for rule in rules]


def _condition(rule: Rule, shape: Record) -> str:
    path, op = rule["field"], rule["op"]
    meaning = leaf_at(shape, path).meaning
    field = _cast(f"record.{'.'.join(quote(part) for part in path.split('.'))}", meaning)
    if op in ("is_null", "is_not_null"):
        return f"{field} is {'not ' if op == 'is_not_null' else ''}null"
    if op in ("contains", "starts_with"):
        return f"{op}({field}, {text_literal(rule['value'])})"
    raw_values = rule["value"] if isinstance(rule["value"], list) else [rule["value"]]
    compared_as = written_as(meaning, raw_values[0])
    if compared_as is Meaning.DATE and meaning is not Meaning.DATE:
        field = f"cast({field} as date)"
    values = [_value(value, compared_as) for value in raw_values]
    if op in ("=", "in"):
        return f"{_present(field, compared_as)} in ({', '.join(values)})"
    if op in ("!=", "not_in"):
        return f"coalesce({_present(field, compared_as)} not in ({', '.join(values)}), true)"
    if op == "between":
        return f"{field} between {values[0]} and {values[1]}"
    return f"{field} {op} {values[0]}"


def _present(field: str, compared_as: Meaning) -> str:
    """A text without a value is the empty one, for = and !=."""
    return f"coalesce({field}, '')" if compared_as is Meaning.TEXT else field


def _value(value: Any, compared_as: Meaning) -> str:  # Any: a scalar of YAML
    if compared_as is Meaning.TEXT:
        text = text_literal(value)
        return text if value == value.strip() else f"trim({text})"  # as cast_as trims the field
    if compared_as is Meaning.FLAG:
        return "true" if value else "false"
    plain = f"{Decimal(str(value)):f}" if compared_as in (Meaning.DECIMAL, Meaning.INTEGER) else str(value)
    return _cast(text_literal(plain), compared_as)


def _cast(expression: str, meaning: Meaning) -> str:
    return f"{{{{ cast_as({json.dumps(expression, ensure_ascii=False)}, '{meaning}') }}}}"


def text_literal(text: str) -> str:
    """Any text as a SQL literal that a template leaves alone: braces and control characters are written as numbers."""
    return re.sub(r"[{\x00-\x1f\x7f]", lambda found: f"' || chr({ord(found[0])}) || '", literal(text))
