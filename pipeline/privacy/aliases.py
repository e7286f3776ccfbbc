"""Aliases: what takes the place of the values by which somebody was known, so that records still meet each other.

Each value has an alias of its own, the same wherever it stands: two devices of a person stay two devices, and what was
joined by an id still is. A value that is digits has digits, for it may stand as a number.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from pipeline.contracts.fields import Contract, Many, Record, Shape, place_of, shape_of

Json = Any  # Any: what JSON can carry

NOBODY = re.compile(r"[0\-:. ]*|null|none|nan|unknown|undefined|anonymous|guest|\(not set\)|\(none\)")
"""Values that say of a record that nobody is known, such as the customer 0 of an order without an account."""
SHORTEST_IN_TEXT = 8
"""Characters: a shorter value is replaced where a contract says who somebody is, and not in any text."""
PAYMENT = re.compile(r"(ch|py|pi)_[A-Za-z0-9]+")
"""Ids of payments, which name nobody: what a shop notes of them links an order to its charges, and stays."""


class Aliases:
    """The values by which one person is known, lower case, each with its alias."""

    def __init__(self, values: Iterable[str]) -> None:
        self._taken: dict[str, str] = {}
        self.add(values)

    @property
    def sought(self) -> list[str]:
        """What to look for in a text; an address also as it stands in a link."""
        return sorted({form for value in self._in_texts for form in (value, value.replace("@", "%40"))})

    @property
    def _in_texts(self) -> list[str]:
        return sorted(value for value in self._taken if "@" in value or len(value) >= SHORTEST_IN_TEXT)

    def add(self, values: Iterable[str]) -> None:
        """Give an alias to each value that names somebody and has none."""
        for value in map(str.lower, values):
            if value not in self._taken and not NOBODY.fullmatch(value):
                self._taken[value] = _alias(value)
        self.__dict__.pop("_mentions", None)

    def holds(self, value: object) -> bool:
        return str(value).lower() in self._taken

    def of(self, value: Json) -> Json:
        """The alias of a value, a number for a number; the value itself where it is nobody's."""
        alias = self._taken.get(str(value).lower())
        if alias is None:
            return value
        return int(alias) if isinstance(value, int) else alias

    def is_mentioned(self, text: str) -> bool:
        """Whether a text names the person."""
        return self._mentions.search(text) is not None

    def in_text(self, text: str) -> str:
        """The text with aliases for the values it mentions."""
        return self._mentions.sub(lambda found: self._taken[found[0].lower().replace("%40", "@")], text)

    def in_strings(self, value: Json) -> Json:
        """The same for every text of a JSON value; keys and numbers stay."""
        if isinstance(value, dict):
            return {key: self.in_strings(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.in_strings(inner) for inner in value]
        return self.in_text(value) if isinstance(value, str) else value

    @cached_property
    def _mentions(self) -> re.Pattern[str]:
        """Each value as a word of its own: joann@example.com is not ann@example.com."""
        return re.compile("|".join(map(_word, self._in_texts)) or r"(?!)", re.IGNORECASE)


def _alias(value: str) -> str:
    if value.isascii() and value.isdigit():
        return str(-1 - secrets.randbelow(2**53))  # below 0: no vendor's
    return f"forgotten-{secrets.token_hex(8)}"


def _word(value: str) -> str:
    if "@" in value:
        return rf"(?<![\w.+-]){re.escape(value).replace('@', '(?:@|%40)')}(?![\w-]|\.\w)"
    return rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"


def identities_of(record: Json, contract: type[Contract]) -> Iterator[str]:
    """The values by which a record says whose it is."""
    for path in contract.identity:
        value = _at(record, place_of(shape_of(contract), path)[0])
        if value is not None and not NOBODY.fullmatch(str(value).lower()):
            yield str(value)


def without_identities(record: Json, contract: type[Contract], aliases: Aliases, *, whole: bool) -> Json:
    """A record with aliases for whoever it names.

    Args:
        whole: It is the person's own: what else the contract calls personal goes too, and every field it does not know.
    """
    shape = shape_of(contract)
    kept = _declared(record, shape) if whole else record
    for path in contract.personal if whole else ():
        kept = _changed(kept, place_of(shape, path)[0], _payments)
    for path in contract.identity:
        kept = _changed(kept, place_of(shape, path)[0], aliases.of)
    return aliases.in_strings(kept)


def _declared(value: Json, shape: Shape) -> Json:
    """What of a value the contract knows."""
    if isinstance(shape, Record) and isinstance(value, dict):
        return {name: _declared(value[name], inner) for name, inner in shape if name in value}
    if isinstance(shape, Many) and isinstance(value, list):
        return [_declared(item, shape.of) for item in value]
    return value


def _payments(value: Json) -> Json:
    """Of something personal, no more than the ids of payments in a list of named values."""
    if not isinstance(value, list):
        return None
    kept = [item for item in value if isinstance(item, dict) and PAYMENT.fullmatch(str(item.get("value")))]
    return kept or None


def _at(value: Json, names: tuple[str, ...]) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _changed(value: Json, names: tuple[str, ...], change: Any) -> Json:  # Any: one JSON value to another
    """The value with what stands at a path changed; without it where nothing is left."""
    if not isinstance(value, dict) or value.get(names[0]) is None:
        return value
    inner = _changed(value[names[0]], names[1:], change) if names[1:] else change(value[names[0]])
    rest = {name: each for name, each in value.items() if name != names[0]}
    return value | {names[0]: inner} if inner is not None else rest
