"""Markdown of reports: headings, tables and bars, in which no text of a source is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"
BAR_LENGTH = 20
CHART = "chart"
"""The language of a fenced block that the page draws: lines of a label, a tab, a value and a bar."""


def code(text: object) -> str:
    """A text as code in a table: nothing in it is markup, and it ends no cell."""
    plain = "".join(character if character.isprintable() else " " for character in str(text))
    return f"`{plain.replace('`', chr(39)).replace('|', '/')}`" if plain.strip() else ""


def sentence(text: object) -> str:
    """A sentence of ours that may name a file or a field, with every character of markup escaped."""
    plain = "".join(character if character.isprintable() else " " for character in str(text))
    return "".join(f"\\{character}" if character in "\\`*_[]<>|#!~&" else character for character in plain)


def number(value: float | None) -> str:
    """A number as the ledger has it; empty where there is none."""
    return "" if value is None else str(value)


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: int = 0) -> str:
    """A table; the last `right` columns hold numbers."""
    lines = [" | ".join(headings), " | ".join(["---"] * (len(headings) - right) + ["---:"] * right)]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def sparkline(values: Sequence[int]) -> str:
    """Values as one line of blocks, the highest full."""
    most = max(values, default=0)
    return "".join(BLOCKS[-(-value * (len(BLOCKS) - 1) // most)] if most else BLOCKS[0] for value in values)


def bar_chart(bars: Sequence[tuple[str, int]]) -> str:
    """Labelled values as a fenced block, which reads as text and is drawn on a page."""
    most = max((value for _, value in bars), default=0)
    lines = []
    for label, value in bars:
        plain = "".join(character if character.isprintable() and character != "`" else " " for character in label)
        lines.append(f"{plain}\t{value}\t{'█' * (-(-value * BAR_LENGTH // most) if most else 0)}".rstrip())
    return "\n".join([f"```{CHART}", *lines, "```"])
