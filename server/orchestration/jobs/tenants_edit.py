"""Text edits of tenants.yaml: everything outside the edit stays as it was, comments, order and spaces included.

A posted change is merged by RFC 7396: a mapping into a mapping, null removes, any other value replaces.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

Plain = Any  # a tree of what JSON can carry
Edit = Callable[[CommentedMap], None]


def with_tenant(text: str, entry: Mapping[str, Plain]) -> str:
    """Append a tenant to the list of the text."""

    def add(root: CommentedMap) -> None:
        if not root.get("tenants"):
            root["tenants"] = CommentedSeq()
        root["tenants"].append(_commented(entry))

    items = _items(text)
    if not items:
        return edited(text, add)
    lines = _lines(text)
    lines[items[-1].stop - 1] = lines[items[-1].stop - 1].rstrip("\r\n") + _ending(text)
    return "".join([*lines[: items[-1].stop], _block(text, entry), *lines[items[-1].stop :]])


def without_tenant(text: str, slug: str) -> str:
    """Remove a tenant from the text; unchanged where no tenant has the slug."""

    def remove(root: CommentedMap) -> None:
        del root["tenants"][number]

    known = [entry.get("slug") for entry in _yaml(text).load(text).get("tenants") or ()]
    if slug not in known:
        return text
    number, items = known.index(slug), _items(text)
    if len(items) < 2:
        return edited(text, remove)
    lines = _lines(text)
    return "".join([*lines[: items[number].start], *lines[items[number].stop :]])


def with_entry_restored(now: str, slug: str, *, before: str, after: str) -> str | None:
    """The text with a tenant's entry as it was before a change, whatever else was edited since.

    Returns:
        None where the entry is no longer what the change made of it; `now` where nothing of the change is in it.
    """
    original, changed, current = (_entry(text, slug) for text in (before, after, now))
    if current is None or current == original:
        return now
    if current != changed or original is None:
        return None

    def restore(root: CommentedMap) -> None:
        root["tenants"][[entry.get("slug") for entry in root["tenants"]].index(slug)] = original

    merged = _three_way(after, before, now)
    if merged is not None and _entries(merged) == {**_entries(now), slug: original}:
        return merged
    return edited(now, restore)


def _entry(text: str, slug: str) -> CommentedMap | None:
    return _entries(text).get(slug)


def _entries(text: str) -> dict[str, CommentedMap]:
    return {entry.get("slug"): entry for entry in (_yaml(text).load(text) or {}).get("tenants") or ()}


def _three_way(base: str, one: str, other: str) -> str | None:
    """The base with the changed lines of two texts; None where both change the same lines."""
    old = _lines(base)
    parts: list[tuple[int, int, list[str]]] = []
    for text in (one, other):
        new = _lines(text)
        opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        parts += [(begin, end, new[start:stop]) for kind, begin, end, start, stop in opcodes if kind != "equal"]
    merged, at = list[str](), 0
    for begin, end, lines in sorted(parts, key=lambda part: part[:2]):
        if begin < at:
            return None
        merged += [*old[at:begin], *lines]
        at = end
    return "".join([*merged, *old[at:]])


def _items(text: str) -> list[range]:
    """The line range of each tenant, where each tenant has its own lines; else an empty list.

    Comments and empty lines after the last tenant belong to it only when they are indented as it is.
    """
    tenants = _yaml(text).load(text).get("tenants")
    if not tenants or tenants.fa.flow_style():
        return []
    lines = _lines(text)
    starts = [tenants.lc.item(number)[0] for number in range(len(tenants))]
    dash = _depth(lines[starts[0]])
    if any(not lines[start][dash:].startswith("- ") or _depth(lines[start]) != dash for start in starts):
        return []
    end = starts[-1] + 1
    for number in range(end, len(lines)):
        is_of_it = bool(lines[number].strip()) and _depth(lines[number]) > dash
        if lines[number].strip() and not is_of_it and not lines[number].lstrip().startswith("#"):
            break
        end = number + 1 if is_of_it else end  # more of it may follow a comment that is not indented
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], end], strict=True)]


def _lines(text: str) -> list[str]:
    """The lines of a text with their line ends; unlike `splitlines`, it splits at YAML line breaks only."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block(text: str, entry: Mapping[str, Plain]) -> str:
    """The lines of a tenant, with the indentation of the text."""
    root = CommentedMap(tenants=CommentedSeq([_commented(entry)]))
    return _dumped(_yaml(text), root).removeprefix("tenants:\n").replace("\n", _ending(text))


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def with_changes(text: str, slug: str, changes: Mapping[str, Plain]) -> str:
    """Merge changes into a tenant's `semantic` and `attribution`, and `logic` into its tables.

    Args:
        text: Holds the tenant.
        slug: The tenant.
        changes: `logic` is {platform: {object: {key: value}}}; a platform that the entry does not have is added, and
            checked when the text is read.
    """

    def change(root: CommentedMap) -> None:
        entry = next(entry for entry in root["tenants"] if entry.get("slug") == slug)
        for section in ("semantic", "attribution"):
            if section in changes:
                _put(entry, section, changes[section])
        for platform, objects in changes.get("logic", {}).items():
            _put_logic(entry, platform, objects)

    return edited(text, change)


def edited(text: str, edit: Edit) -> str:
    """Apply an edit to the parsed text; only the lines that the edit changes differ."""
    head = text[: len(text) - len(text.lstrip("\ufeff\r\n"))]
    body = text[len(head) :].replace("\r\n", "\n")
    yaml = _yaml(body)
    root = yaml.load(body)
    before = _dumped(yaml, root)
    edit(root)
    after = _dumped(yaml, root)
    if body and not body.endswith("\n"):
        body += "\n"
    return head + _merged(body, before, after).replace("\n", _ending(text))


def _merged(text: str, before: str, after: str) -> str:
    """Apply the diff of `before` and `after` to `text`, where `text` equals `before` but for spaces; else `after`."""
    own, old, new = map(_lines, (text, before, after))
    if ["".join(line.split()) for line in own] != ["".join(line.split()) for line in old]:
        return after
    parts = []
    for kind, begin, end, new_begin, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        parts += own[begin:end] if kind == "equal" else new[new_begin:new_end]
    return "".join(parts)


def _yaml(text: str) -> YAML:
    """A YAML reader and writer with the indentation of the text."""
    dash = re.search(r"^tenants:[^\n]*\n(?:[ ]*(?:#[^\n]*)?\n)*([ ]*)- ", text, re.MULTILINE)
    offset = len(dash[1]) if dash else 2
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _dumped(yaml: YAML, root: CommentedMap) -> str:
    stream = io.StringIO()
    yaml.dump(root, stream)
    return stream.getvalue()


_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")
"""Characters that only some YAML readers take for a line break: written as escapes."""


def _commented(value: Plain) -> Plain:
    """A tree in ruamel types, which writes one item per line."""
    if isinstance(value, Mapping):
        return CommentedMap({key: _commented(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return CommentedSeq([_commented(item) for item in value])
    return DoubleQuotedScalarString(value) if isinstance(value, str) and _BREAKS.search(value) else value


def _put(within: CommentedMap, key: str, change: Plain) -> None:
    """Merge a change into the value of a key; a mapping that becomes empty is removed."""
    if change is None:
        within.pop(key, None)
        return
    if not isinstance(change, Mapping):
        within[key] = _commented(change)
        return
    if not isinstance(within.get(key), Mapping):
        within[key] = CommentedMap()
    for name, part in change.items():
        _put(within[key], name, part)
    if not within[key]:
        del within[key]


def _put_logic(entry: CommentedMap, platform: str, objects: Plain) -> None:
    """Merge the logic of a platform's objects into the list `tables` of its source."""
    sources = entry.setdefault("sources", CommentedMap())
    source = sources.setdefault(platform, CommentedMap())
    tables = source.setdefault("tables", CommentedSeq())
    for name, logic in objects.items():
        table = next((table for table in tables if table.get("name") == name), None)
        if table is None:
            table = CommentedMap({"name": name})
            tables.append(table)
        _put(table, "logic", logic)
        if "logic" not in table:
            tables.remove(table)
    if not tables:
        del source["tables"]
