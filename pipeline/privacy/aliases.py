"""Aliases: values of a secret that replace the identifiers of a forgotten person, so that records still join.

Each value has an alias of its own, the same everywhere: two devices of a person stay two devices, and records joined by
an id still join. The alias of a value of digits is an integer, because the value may be a number.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from pipeline.contracts.fields import Contract, Many, Record, Shape, field_at, shape_of

Json = Any  # Any: what JSON can carry

NO_IDENTITY = re.compile(r"[0\-:. ]*|null|none|nan|unknown|undefined|anonymous|guest|\(not set\)|\(none\)")
"""Values that identify no person, such as the customer 0 of an order without an account."""
SHORTEST_IN_TEXT = 8
"""Characters: a shorter value is replaced in identity fields of contracts, and not inside other texts."""
PAYMENT = re.compile(r"(ch|py|pi)_[A-Za-z0-9]+")
"""Ids of payments, which identify no person: in notes of an order they link it to its charges, and stay."""


class Aliases:
    """The identifiers of one person in lower case, each with its alias."""

    def __init__(self, values: Iterable[str], secret: bytes | None = None) -> None:
        """With the same secret a value has the same alias; without one it is random."""
        self._aliases: dict[str, str] = {}
        self._secret = secret or secrets.token_bytes(32)
        self.add(values)

    @property
    def values(self) -> tuple[str, ...]:
        """The identifiers."""
        return tuple(self._aliases)

    @property
    def search_terms(self) -> list[str]:
        """Terms to search texts for; an email address also as encoded in a link."""
        return sorted({form for value in self._in_texts for form in (value, value.replace("@", "%40"))})

    @property
    def _in_texts(self) -> list[str]:
        return sorted(value for value in self._aliases if "@" in value or len(value) >= SHORTEST_IN_TEXT)

    def add(self, values: Iterable[str]) -> None:
        """Create an alias for each value that identifies a person and has none."""
        for value in map(str.lower, values):
            if value not in self._aliases and not NO_IDENTITY.fullmatch(value):
                self._aliases[value] = _alias(value, self._secret)
        self.__dict__.pop("_mentions", None)

    def holds(self, value: object) -> bool:
        return str(value).lower() in self._aliases

    def of(self, value: Json) -> Json:
        """The alias of a value, a number for a number; the value itself where it is not an identifier of the person."""
        alias = self._aliases.get(str(value).lower())
        if alias is None:
            return value
        return int(alias) if isinstance(value, int) else alias

    def is_mentioned(self, text: str) -> bool:
        """Whether a text mentions the person."""
        return self._mentions.search(text) is not None

    def in_text(self, text: str) -> str:
        """The text with aliases for the values it mentions."""
        return self._mentions.sub(lambda match: self._aliases[match[0].lower().replace("%40", "@")], text)

    def in_strings(self, value: Json) -> Json:
        """A JSON value with `in_text` applied to every string; keys and numbers stay."""
        if isinstance(value, dict):
            return {key: self.in_strings(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.in_strings(inner) for inner in value]
        return self.in_text(value) if isinstance(value, str) else value

    @cached_property
    def _mentions(self) -> re.Pattern[str]:
        """Each value as a word of its own: joann@example.com is not ann@example.com."""
        return re.compile("|".join(map(_word, self._in_texts)) or r"(?!)", re.IGNORECASE)


def _alias(value: str, secret: bytes) -> str:
    digest = hmac.digest(secret, value.encode(), "sha256")
    if value.isascii() and value.isdigit():
        return str(-1 - int.from_bytes(digest) % 2**53)  # negative: no vendor has such ids
    return f"forgotten-{digest[:8].hex()}"


def _word(value: str) -> str:
    if "@" in value:
        return rf"(?<![\w.+-]){re.escape(value).replace('@', '(?:@|%40)')}(?![\w-]|\.\w)"
    return rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"


def identities_of(record: Json, contract: type[Contract]) -> Iterator[str]:
    """The identifiers of a person in a record."""
    for path in contract.identity:
        value = _at(record, field_at(shape_of(contract), path)[0])
        if value is not None and not NO_IDENTITY.fullmatch(str(value).lower()):
            yield str(value)


def without_identities(record: Json, contract: type[Contract], aliases: Aliases, *, is_own: bool) -> Json:
    """A record with aliases for the persons it names.

    Args:
        is_own: It is the person's own: other personal values of the contract and unknown fields are dropped too.
    """
    shape = shape_of(contract)
    result = _declared(record, shape) if is_own else record
    for path in contract.personal if is_own else ():
        result = _changed(result, field_at(shape, path)[0], _payments)
    for path in contract.identity:
        result = _changed(result, field_at(shape, path)[0], aliases.of)
    return aliases.in_strings(result)


def _declared(value: Json, shape: Shape) -> Json:
    """The part of a value that the contract declares."""
    if isinstance(shape, Record) and isinstance(value, dict):
        return {name: _declared(value[name], inner) for name, inner in shape if name in value}
    if isinstance(shape, Many) and isinstance(value, list):
        return [_declared(item, shape.of) for item in value]
    return value


def _payments(value: Json) -> Json:
    """The ids of payments in a list of named values, None without any: the part of a personal value that stays."""
    if not isinstance(value, list):
        return None
    payments = [item for item in value if isinstance(item, dict) and PAYMENT.fullmatch(str(item.get("value")))]
    return payments or None


def _at(value: Json, names: tuple[str, ...]) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _changed(value: Json, names: tuple[str, ...], change: Any) -> Json:  # Any: one JSON value to another
    """The value with its member at a path changed; without the member where the change returns None."""
    if not isinstance(value, dict) or value.get(names[0]) is None:
        return value
    inner = _changed(value[names[0]], names[1:], change) if names[1:] else change(value[names[0]])
    rest = {name: each for name, each in value.items() if name != names[0]}
    return value | {names[0]: inner} if inner is not None else rest
