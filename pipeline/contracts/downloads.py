"""Downloads: files that people save from a vendor's web pages, as data: how each becomes records of a contract.

A download has titles in the language of the page, amounts in major units, numbers and days as its reader's locale
writes them, rows of totals, and sometimes several rows for one record. `pipeline/connectors/<connector>/downloads.py`
declares what is known of a vendor's in `DOWNLOADS` and `NOT_READ`; pipeline/ingest/downloads reads by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from pipeline.contracts.connector import connector_part

NumberStyle = Literal["1,234.56", "1.234,56"]
"""Which sign ends the whole part of a number; the other one, spaces and apostrophes group its digits."""
DateOrder = Literal["DMY", "MDY", "YMD"]
"""The order of day, month and year in a date of three numbers."""
Encoding = Literal["utf-8", "windows-1252"]

CURRENCY = "({currency})"
"""Stands in a title for a currency code in parentheses, as in `Amount spent (USD)`."""


@dataclass(frozen=True)
class Locale:
    """How an account says that its files are written; None: as the file itself proves."""

    dates: DateOrder | None = None
    numbers: NumberStyle | None = None
    encoding: Encoding | None = None


@dataclass(frozen=True)
class Language:
    """A download in one language.

    Attributes:
        name: In English, such as German.
        known_by: Sets of titles; a file with all titles of one set is the download in this language.
        titles: Field -> its titles, the first that a file has counts. A field is a dotted path of the contract, or a
            name of the download's own that its lists refer to. Case and surrounding space do not count.
        numbers: How the language writes numbers, where a file's own cells do not decide.
        totals: Beginnings of the cell that marks a row of totals.
    """

    name: str
    known_by: tuple[tuple[str, ...], ...]
    titles: Mapping[str, tuple[str, ...]]
    numbers: NumberStyle = "1,234.56"
    totals: tuple[str, ...] = ()

    def recognises(self, titles: Iterable[str]) -> bool:
        """Whether a file with these titles is the download in this language."""
        folded = {fold(title) for title in titles}
        return any(all(_find(wanted, folded) for wanted in known) for known in self.known_by)

    def columns(self, titles: Iterable[str]) -> dict[str, str]:
        """The title that a file has for each field; fields without one are left out."""
        by_name = {fold(title): title for title in titles}
        found = (
            (name, next(filter(None, (_find(one, by_name) for one in wanted)), None))
            for name, wanted in self.titles.items()
        )
        return {name: by_name[title] for name, title in found if title}

    def currencies(self, titles: Iterable[str]) -> dict[str, str]:
        """The titles of a file that say a currency, each with its code."""
        wanted = [one for titles_ in self.titles.values() for one in titles_ if CURRENCY in one]
        found = {_find(one, {fold(title)}): title for title in titles for one in wanted}
        return {title: _code(name) for name, title in found.items() if name}

    def has(self, wanted: str, title: str | None) -> bool:
        """Whether the title of a file is a wanted one."""
        return title is not None and _find(wanted, {fold(title)}) is not None

    def said(self, name: str) -> str:
        """The titles of a field, in words."""
        return " or ".join(title.replace(f" {CURRENCY}", "") for title in self.titles.get(name, (name,)))


@dataclass(frozen=True)
class Ref:
    """The value of a field, in the element of a list."""

    field: str


Template = Ref | str | Mapping[str, "Template"] | tuple["Template", ...]


@dataclass(frozen=True)
class Element:
    """An element of one of the record's lists, made of fields of a row.

    Attributes:
        path: The list, a top-level field of the contract.
        template: The element's JSON; texts are constants.
        where: The field without whose value a row has no element.
        unless_zero: A value of 0 makes no element either.
    """

    path: str
    template: Template
    where: str
    unless_zero: bool = False


@dataclass(frozen=True)
class Download:
    """One kind of file that people save from a web page.

    Attributes:
        name: In words, with an article: a Meta Ads Manager download.
        objects: The objects whose records it holds, the likeliest first.
        languages: The languages that are read.
        needs: Groups of fields; a file has at least one field of each. A measure that is 0 where it is absent is among
            them, so that a renamed title is never read as 0.
        bring: Where to click for what a refused file lacks.
        other_languages: Sets of titles of languages that are not read.
        currency: The field that takes the currency code of a title, where no column of its own has it.
        day: The field that says a row's day, and `last_day` that of its last: rows of several days are refused.
        constants: Field -> text, the same in every row.
        values: Field -> folded text -> the contract's; another text is refused.
        digits: Fields of which the digits alone count: 877-953-6058 is 8779536058.
        utc: Times that the titles say are UTC.
        fixed_numbers: Set where the vendor writes numbers in one style for every reader.
        ids_by_name: (id, name): what has a name and no id in the file is identified by its name, coarser things first.
        breakdowns: Fields that tell rows of one thing and day apart.
        minor_units: Currency -> the exponent by which its amounts become minor units; 2 for the others.
        rows_of: The field that identifies the record of a row, where several rows make one record.
        rows_with: The field that rows of one record share, where only the first has `rows_of`.
        elements: Elements of the record's lists; with `rows_of` those in `per_row` come from each row.
        discounted: Spreads a record's discount over its lines, where only the record says it.
        first_cell: (title, regular expression): the file is this download only if its first row's cell matches.
        names: Fields that name a row's thing: a row of totals has none of them.
    """

    name: str
    objects: tuple[str, ...]
    languages: tuple[Language, ...]
    needs: tuple[tuple[str, ...], ...]
    bring: str
    other_languages: tuple[tuple[str, ...], ...] = ()
    currency: str = ""
    day: str = ""
    last_day: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    digits: tuple[str, ...] = ()
    utc: tuple[str, ...] = ()
    fixed_numbers: NumberStyle | None = None
    ids_by_name: tuple[tuple[str, str], ...] = ()
    breakdowns: tuple[str, ...] = ()
    minor_units: Mapping[str, int] = field(default_factory=dict)
    rows_of: str = ""
    rows_with: str = ""
    elements: tuple[Element, ...] = ()
    per_row: tuple[str, ...] = ()
    discounted: Discount | None = None
    first_cell: tuple[str, str] | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Discount:
    """A record's discount that is spread over its lines, by their amounts.

    What the lines are worth more than the record's `subtotal` is spread, at most the record's `discount`, in cents; the
    last line takes what rounding leaves.
    """

    subtotal: str
    discount: str
    quantity: str
    price: str
    line_discount: str


@dataclass(frozen=True)
class NotRead:
    """A file that people bring and no fact needs, or that lacks what a fact needs: its name, and what to bring."""

    name: str
    known_by: tuple[tuple[str, ...], ...]
    bring: str

    def recognises(self, titles: Iterable[str]) -> bool:
        """Whether a file with these titles is of this kind."""
        folded = {fold(title) for title in titles}
        return any(all(_find(wanted, folded) for wanted in known) for known in self.known_by)


@dataclass(frozen=True)
class Downloads:
    """What is known of the downloads of one connector."""

    read: tuple[Download, ...] = ()
    not_read: tuple[NotRead, ...] = ()


def downloads_of(connector: str) -> Downloads:
    """The downloads of a connector; none where its folder declares none."""
    read: tuple[Download, ...] = connector_part(connector, "downloads", "DOWNLOADS") or ()
    not_read: tuple[NotRead, ...] = connector_part(connector, "downloads", "NOT_READ") or ()
    return Downloads(read, not_read)


@lru_cache(maxsize=1 << 14)
def fold(title: str) -> str:
    """A title as it is compared: without case, and with plain single spaces."""
    return re.sub(r"[\s\u00a0\u202f]+", " ", title).strip().casefold()


def _find(wanted: str, folded: Iterable[str]) -> str | None:
    """The folded title of a file that is the wanted one."""
    if CURRENCY not in wanted:
        return fold(wanted) if fold(wanted) in folded else None
    start = re.escape(fold(wanted.replace(CURRENCY, "")))
    form = re.compile(rf"{start} \(([a-z]{{3}})\)")
    return next((title for title in folded if form.fullmatch(title)), None)


def _code(title: str) -> str:
    """The currency code in the parentheses that end a title."""
    return title.rpartition("(")[2].rstrip(")").upper()
