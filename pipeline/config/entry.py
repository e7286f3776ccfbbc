"""One value of a configuration file with its file and line; its methods return checked types or raise ConfigError."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.config.naming import free_text, identifier
from pipeline.errors import ConfigError, shorten, suggest


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a YAML file: a dict or list of entries, or a scalar. `name` is its key."""

    value: Any  # Any: YAML has no schema; the methods below give checked types
    name: str
    file: Path
    line: int

    @property
    def location(self) -> str:
        return f"{self.file}:{self.line}"

    def wrong(self, what: str, fix: str) -> ConfigError:
        """The error to raise about this entry: its location, what is wrong, and the step that works."""
        return ConfigError(f"{self.location}: {what}", fix)

    def unlike(self, expected: str, fix: str = "") -> ConfigError:
        """The error of a value that is not `expected`, such as "true or false"."""
        if self.value is None:
            return self.wrong(f"{self.name} is empty.", f"Give it {expected}, or remove the line.")
        return self.wrong(f"{self.name} is {self.excerpt}, not {expected}.", fix or f"Write {expected}.")

    @property
    def excerpt(self) -> str:
        """The value as it appears in an error: short, and never a full tree."""
        if isinstance(self.value, dict):
            return "a mapping"
        return "a list" if isinstance(self.value, list) else shorten(repr(self.value), 80)

    def mapping(self) -> dict[str, Entry]:
        if not isinstance(self.value, dict):
            raise self.unlike("a mapping of keys to values")
        return self.value

    def fields(self, known: Collection[str]) -> dict[str, Entry]:
        """The keys of a mapping, all of them among `known`."""
        for key, entry in self.mapping().items():
            if key not in known:
                raise entry.wrong(f"{self.name} has no key named {shorten(key, 80)!r}.", suggest(key, known))
        return self.mapping()

    def required(self, key: str) -> Entry:
        """The value of a key that must be there."""
        if key not in self.mapping():
            raise self.wrong(f"{self.name} has no {key}.", f"Add a line {key}: with its value.")
        return self.mapping()[key]

    def items(self) -> list[Entry]:
        if not isinstance(self.value, list):
            raise self.unlike("a list")
        return self.value

    def one_or_many(self) -> list[Entry]:
        """A list that may be written as its only item; never empty."""
        entries = self.value if isinstance(self.value, list) else [self]
        if not entries:
            raise self.wrong(f"{self.name} is an empty list.", "Give it at least one item.")
        return entries

    def plain(self, text: Callable[[Entry], Any] | None = None) -> Any:  # Any: as value
        """The value as a plain tree, without places; `text` reads each text of it."""
        if isinstance(self.value, dict):
            return {key: part.plain(text) for key, part in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain(text) for item in self.value]
        return text(self) if text and isinstance(self.value, str) else self.value

    def text(self, length: int = 200) -> str:
        """Free text of one line: no control characters, and no template syntax."""
        if isinstance(self.value, bool | int | float):
            raise self.unlike("text", "Put it in quotes.")
        if not isinstance(self.value, str):
            raise self.unlike("text")
        text = self.value.removesuffix("\n")  # a folded block ends in one
        if problem := free_text(text, length):
            raise self.wrong(f"{self.name} is {self.excerpt}: {problem}.", "Write one line of plain text.")
        return text

    def identifier(self, length: int = 40) -> str:
        text = self.text()
        self.check_name(text, length)
        return text

    def check_name(self, name: str, length: int = 40) -> None:
        """Check that a name, this entry's value or its own key, is safe in table, column and file names."""
        if problem := identifier(name, length):
            kind = "" if name == self.name else f"{self.name} "
            raise self.wrong(
                f"{kind}{shorten(name, 80)!r} {problem}.",
                f"Use lower-case letters, digits and _, a letter first, at most {length} of them.",
            )

    def choice(self, known: Collection[str], kind: str) -> str:
        """Text that is one of `known`; `kind` names them, such as "connector"."""
        text = self.text()
        if text not in known:
            same = [name for name in known if name.casefold() == text.casefold()]
            raise self.wrong(f"{self.name} is {self.excerpt}, which is no {kind}.", suggest(text, same or known))
        return text

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.unlike("true or false")
        return self.value

    def day(self) -> date:
        """A day, written as YYYY-MM-DD."""
        if type(self.value) is date:
            return self.value
        try:
            return date.fromisoformat(str(self.value))
        except ValueError:
            raise self.unlike("a day", "Write it as YYYY-MM-DD, such as 2026-01-31.") from None

    def number(self, low: float, high: float, *, whole: bool = False) -> int | float:
        """A number from `low` to `high`, both included."""
        expected = f"a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        number: object = self.value
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            raise self.unlike(expected)
        if whole and not isinstance(number, int):
            raise self.unlike(expected)
        return number


def merge(under: Entry, over: Entry) -> Entry:
    """Merge `over` into `under`: mappings are merged key by key at every level, anything else is replaced."""
    if not (isinstance(under.value, dict) and isinstance(over.value, dict)):
        return over
    both = {key: merge(entry, over.value[key]) for key, entry in under.value.items() if key in over.value}
    return replace(over, value={**under.value, **over.value, **both})
