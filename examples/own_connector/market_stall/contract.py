"""Market stalls: receipts, as a till prints them."""

from __future__ import annotations

from pipeline.contracts.fields import Contract, Integer, MinorUnits, Nested, Text, date_as


class Number(Nested):
    no: Text = None


class Sold(Nested):
    on: date_as("%d.%m.%Y") = None  # type: ignore[valid-type]  # a word made on the spot


class Total(Nested):
    amount: MinorUnits = None
    currency: Text = None


class Line(Nested):
    what: Text = None
    pieces: Integer = None
    each: Total | None = None


class Receipt(Contract):
    """One sale."""

    key = ("receipt.no",)
    required = ("receipt.no",)
    date_field = "sold.on"
    money = "minor units of total.currency"

    receipt: Number | None = None
    sold: Sold | None = None
    total: Total | None = None
    lines: list[Line] | None = None


OBJECTS: dict[str, type[Contract]] = {"receipts": Receipt}
