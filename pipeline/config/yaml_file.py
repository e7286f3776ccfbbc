"""A YAML file as entries with file and line, so that every error can name its location.

Stricter than YAML, on purpose: a key given twice is refused (PyYAML keeps the last), and so are tags. Scalars follow
YAML 1.2: `yes`, `no`, `on`, `12:30`, `2026-01-01` and `007` are text. Anchors, aliases and `<<` work.
"""

from __future__ import annotations

import re
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.entry import Entry
from pipeline.errors import ConfigError, shorten
from pipeline.regular_file import escaped_name, open_regular

Scalar = str | int | float | bool | None

DEEPEST = 50
"""Levels of nesting; tenants.yaml has ten."""

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?([0-9]{1,18}\.[0-9]{0,40}|\.[0-9]{1,40}|[0-9]{1,18}(\.[0-9]{0,40})?[eE][-+]?[0-9]{1,3})")


def read_yaml(path: Path, *, if_missing: str = "Create it, or name another one.") -> Entry:
    """The one document of a YAML file.

    Args:
        path: The file.
        if_missing: The step that works where there is no such file.

    Raises:
        ConfigError: The file is missing, unreadable, empty or not the YAML this module describes.
    """
    try:
        with open_regular(path) as file:
            text = file.read().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}.", if_missing) from error
    except OSError as error:
        fix = "Name a file that this user may read."
        raise ConfigError(f"{escaped_name(str(path))} cannot be read: {error.strerror}.", fix) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: byte {error.start}.", "Save it as UTF-8.") from error
    return parse_yaml(path, text)


def parse_yaml(path: Path, text: str) -> Entry:
    """The one document of a YAML text; `path` is what errors name.

    Raises:
        ConfigError: The text is empty or not the YAML this module describes.
    """
    try:
        return _Reader(path, text).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise ConfigError(
            f"{path}:{mark.line + 1 if mark else 1}: This is not valid YAML: {problem}.",
            "Indent with spaces, not tabs, and check quotes and colons here and on the line above.",
        ) from error


class _Reader:
    """Turns the events of a YAML parser into entries; PyYAML's own composer crashes the process on deep nesting."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.parser: Any = yaml.CBaseLoader(text)  # Any: the C parser has no types
        self.anchors: dict[str, Any] = {}  # Any: as Entry.value

    def document(self) -> Entry:
        """The one document of the file."""
        self.next()  # the stream starts
        if isinstance(self.next(), yaml.StreamEndEvent):
            raise ConfigError(f"{self.file} is empty.", "Write its first lines as the README shows.")
        first = self.next()
        root = self.entry(first, self.file.name, first, 0)
        self.next()  # the document ends
        if not isinstance(after := self.next(), yaml.StreamEndEvent):
            raise self.wrong(after, "A second YAML document starts here.", "Keep one: remove the line ---.")
        return root

    def next(self) -> Any:  # Any: as the parser
        return self.parser.get_event()

    def wrong(self, event: Any, what: str, fix: str) -> ConfigError:  # Any: as the parser
        return Entry(None, "", self.file, event.start_mark.line + 1).wrong(what, fix)

    def entry(self, event: Any, name: str, start: Any, depth: int) -> Entry:  # Any: as the parser
        """The entry that starts with `event`, at the line of `start` (its key, or itself)."""
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                fix = f"Write &{event.anchor} before a value above it, or write the value out."
                raise self.wrong(event, f"*{event.anchor} names nothing that is complete here.", fix)
            return Entry(self.anchors[event.anchor], name, self.file, start.start_mark.line + 1)
        if event.tag is not None:
            raise self.wrong(event, f"{name} has the tag {shorten(event.tag, 80)!r}.", "Write plain YAML without tags.")
        if depth > DEEPEST:
            raise self.wrong(event, f"This is nested more than {DEEPEST} levels deep.", "Write it flatter.")
        if isinstance(event, yaml.ScalarEvent):
            value: Any = _scalar(event)  # Any: as Entry.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(name, depth)
        else:
            value = self.mapping(event, name, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return Entry(value, name, self.file, start.start_mark.line + 1)

    def sequence(self, name: str, depth: int) -> list[Entry]:
        items = []
        singular = name.removesuffix("s")
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            items.append(self.entry(event, singular, event, depth + 1))
        return items

    def mapping(self, start: Any, name: str, depth: int) -> dict[str, Entry]:  # Any: as the parser
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        while not isinstance(key := self.next(), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
                raise self.wrong(start, f"A key of {name} is not plain text.", "Write keys as plain words.")
            entry = self.entry(self.next(), key.value, key, depth + 1)
            if key.value == "<<" and not key.style:
                for part in entry.one_or_many():
                    merged = {**part.mapping(), **merged}
            elif key.value in own:
                what = f"{name} has the key {shorten(key.value, 80)!r} twice, first on line {own[key.value].line}."
                raise entry.wrong(what, "Remove one of the two.")
            else:
                own[key.value] = entry
        return {**merged, **own}


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    """Text, unless it is unquoted and a number, a flag or null."""
    text: str = event.value
    if event.style:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) and isfinite(float(text)) else text
