"""Measures: the numbers that an export of an object promises, and what the absence of one means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sent(StrEnum):
    """When a vendor sends a measure, as the end of the sentence "the contract says that it is ..."."""

    ALWAYS = "in every export"
    """Absent from a whole file, it came under another name; absent from one record, it is unknown."""
    UNLESS_ZERO = "left out at zero only"
    """Absent beside the measures that are always sent, it is 0."""
    IF_ASKED = "in every report that asks for it"
    """A column of a report that may be left out, and that has a value in some row where it is there. A file that names
    it in no record did not ask for it, and it is unknown; a file that names it without a value has lost it."""
    ON_REQUEST = "in exports that asked for it"
    """A column of a report that may be left out, or have no value in it; absent, it is unknown."""
    WITH_SOME = "in some records only"
    """Purchases, refunds, lines; absent, the record has none."""
    BY_SHOP = "a field of the shop's own"
    """The shop chooses the name, so that no other field takes its place; absent, the record has none."""


@dataclass(frozen=True)
class Measure:
    """One number, under one of several fields.

    Attributes:
        paths: Dotted paths of the fields that hold it, through lists too; one of them is enough. What lies in a list is
            promised only where the list has an element.
        alone: Measures, by their first path, that an export can be asked for without this one: beside them, and with
            no other measure, its absence breaks no promise.
        is_zero_left_out: A record with other measures may leave it out at zero, as long as other records of its export
            have it.
    """

    sent: Sent
    paths: tuple[str, ...]
    alone: tuple[str, ...] = ()
    is_zero_left_out: bool = False

    @property
    def name(self) -> str:
        """Its fields, in words."""
        return " or ".join(self.paths)


def always(*paths: str, alone: tuple[str, ...] = (), is_zero_left_out: bool = False) -> Measure:
    """A measure that every export of the object carries, under one of these fields."""
    return Measure(Sent.ALWAYS, paths, alone, is_zero_left_out)


def unless_zero(*paths: str) -> Measure:
    """A measure that the vendor leaves out of a record where it is 0."""
    return Measure(Sent.UNLESS_ZERO, paths)


def if_asked(*paths: str) -> Measure:
    """A column of a report, such as impressions: a report may leave the column out, and not its values."""
    return Measure(Sent.IF_ASKED, paths)


def on_request(*paths: str) -> Measure:
    """A column of a report that comes where it was asked for."""
    return Measure(Sent.ON_REQUEST, paths)


def with_some(*paths: str) -> Measure:
    """A measure of some records only, such as purchases among events."""
    return Measure(Sent.WITH_SOME, paths)


def by_shop(*paths: str) -> Measure:
    """A measure under a name that the shop chooses."""
    return Measure(Sent.BY_SHOP, paths)
