"""Layouts: alternative forms of a contract's records, such as the flat tables that a loader makes of API responses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One flat form of an object's records, recognised by the columns of a file.

    Attributes:
        name: The tool that writes it, such as fivetran.
        known_by: Columns, in any case, that a file of this layout has and the vendor's own records never have.
        columns: Contract path -> column of the file, where the two differ. Other columns are unknown fields.
        utc: Paths of times that have no offset in the file and are UTC.
    """

    name: str
    known_by: tuple[str, ...]
    columns: dict[str, str]
    utc: tuple[str, ...] = ()

    def is_of(self, columns: Iterable[str]) -> bool:
        """Whether a file with these columns is in this layout."""
        return {name.lower() for name in self.known_by} <= {name.lower() for name in columns}

    def titles(self, columns: Sequence[str], fields: Iterable[str]) -> list[tuple[str, str]]:
        """The columns of a file under the contract's paths: (path, column), and the others under their own names.

        A column that the layout does not list and that is called like one of the contract's `fields` is that field;
        where the layout fills the field from other columns, it is `<layout>.<column>`, so that the two never mix.
        """
        by_name = {column.lower(): column for column in columns}
        mapped = [(path, by_name[name.lower()]) for path, name in self.columns.items() if name.lower() in by_name]
        taken = {column for _, column in mapped}
        filled = {path.partition(".")[0].lower() for path in self.columns}
        known = {name.lower(): name for name in fields}
        others = [
            (f"{self.name}.{column}" if column.lower() in filled else known.get(column.lower(), column), column)
            for column in columns
            if column not in taken
        ]
        return mapped + others

    def names(self, path: str) -> bool:
        """Whether the layout has a rule for a field of the contract."""
        return path in self.columns or path in self.utc


def layout_of(layouts: Iterable[Layout], columns: Iterable[str]) -> Layout | None:
    """The first layout that a file with these columns is written in; None for the vendor's own records."""
    titles = list(columns)
    return next((layout for layout in layouts if layout.is_of(titles)), None)
