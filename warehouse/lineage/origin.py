"""Origins of a value: the columns of tables that it is made from, and where its trail ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

Path = tuple[str, ...]
"""A table, then a column and the parts of a path inside it; `ITEM` stands for each item of a list."""
ITEM = "[]"
ROWS = "*"
"""In place of a column: the rows themselves, as `count(*)` reads them."""


@dataclass(frozen=True)
class Origin:
    """What a value is made from; empty for a constant."""

    columns: frozenset[Path] = frozenset()
    ends: frozenset[str] = frozenset()
    """What could not be followed, each as a noun phrase."""

    def __or__(self, other: Origin) -> Origin:
        return Origin(self.columns | other.columns, self.ends | other.ends)

    def __bool__(self) -> bool:
        return bool(self.columns or self.ends)


NOTHING = Origin()


def together(origins: Iterable[Origin]) -> Origin:
    """One origin of several."""
    listed = tuple(origins)
    return Origin(
        frozenset().union(*(each.columns for each in listed)), frozenset().union(*(each.ends for each in listed))
    )


class Tables(Protocol):
    """What is known of the stored tables that a statement reads."""

    def columns(self, table: str) -> tuple[str, ...] | None:
        """The columns in order; None where nobody declares them."""

    def is_reference(self, table: str) -> bool:
        """Whether it holds no row of a tenant: a list of words, whose values mean what they are looked up by."""


class Relation(Protocol):
    """Rows with named columns: a stored table, a subquery, a list."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """The columns in order; None where they cannot be known from the text."""

    def origin(self, path: Path) -> Origin:
        """What a column (or `ROWS`), or the field inside it that the rest of the path leads to, is made from."""


def place(names: tuple[str, ...] | None, name: str) -> int | None:
    """The position of a column, whose case does not count; None where it is not there, or unknown."""
    folded = name.lower()
    return next((at for at, each in enumerate(names or ()) if each.lower() == folded), None)


@dataclass(frozen=True)
class Stored:
    """A table that is stored: a trail inside one statement ends here."""

    table: str
    tables: Tables

    @property
    def names(self) -> tuple[str, ...] | None:
        return self.tables.columns(self.table)

    def origin(self, path: Path) -> Origin:
        names, at = self.names, place(self.names, path[0])
        if path[0] == ROWS or names is None:
            return Origin(frozenset({(self.table, *path)}))
        if at is None:
            return Origin(ends=frozenset({f"{path[0]}, which {self.table} does not have"}))
        return Origin(frozenset({(self.table, names[at], *path[1:])}))


@dataclass(frozen=True)
class Renamed:
    """A relation under other column names: `as t (a, b)`."""

    of: Relation
    given: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...] | None:
        own = self.of.names
        return self.given if own is None else (*self.given, *own[len(self.given) :])

    def origin(self, path: Path) -> Origin:
        own, at = self.of.names, place(self.given, path[0])
        if at is None or path[0] == ROWS:
            return self.of.origin(path)
        if own is None or at >= len(own):
            return Origin(ends=frozenset({f"{path[0]}, a column by its position in a list that is not known"}))
        return self.of.origin((own[at], *path[1:]))


@dataclass(frozen=True)
class Computed:
    """A relation whose columns a function gives: unnested lists, lists of constants, what cannot be followed."""

    names: tuple[str, ...] | None
    of: Callable[[Path], Origin]

    def origin(self, path: Path) -> Origin:
        return self.of(path)


def untraceable(what: str) -> Computed:
    """A relation that cannot be followed."""
    return Computed(None, lambda _: Origin(ends=frozenset({what})))
