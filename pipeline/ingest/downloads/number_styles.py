"""Number styles: which sign ends the whole part of a file's numbers, by its cells, and SQL that reads them.

A cell such as 12.34 proves a style and 1.234 does not: it is 1234 or 1.234. One file has one style, so all of its
number columns decide together; only where no cell proves a style does the language of the titles count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.contracts.downloads import Language, NumberStyle
from pipeline.contracts.sql import literal

_SPACES = r"'\x{2019}\x{00A0}\x{202F} "
_GROUPED = r"[1-9][0-9]{0,2}(?:[SIGNS][0-9]{2,3})*[SIGNS][0-9]{3}"  # also 12,34,567 of India
_FORM = r"[+-]?(?:(?:[0-9]+|GROUPED)(?:[END][0-9]*)?|[END][0-9]+) ?%?"
_SCIENTIFIC = r"|[+-]?[0-9]+(?:[.][0-9]+)?[eE][+-]?[0-9]{1,3}"


def _form(groups: str, end: str) -> str:
    return _FORM.replace("GROUPED", _GROUPED).replace("SIGNS", groups + _SPACES).replace("END", end)


FORMS: dict[NumberStyle, str] = {
    "1,234.56": _form(",", ".") + _SCIENTIFIC,
    "1.234,56": _form(".", ","),
}
"""Regular expressions of DuckDB that a number of each style matches as a whole."""
NOT_WRITTEN_SO = " (not as the file's locale)"
"""What is added to a cell that is no number or date of its file's locale."""
STYLES: tuple[NumberStyle, NumberStyle] = ("1,234.56", "1.234,56")


@dataclass(frozen=True)
class NumberEvidence:
    """What the cells of a column, or of all columns together, say about the style: one example of each kind.

    Attributes:
        point: A cell that is a number in the style 1,234.56 alone.
        comma: A cell that is a number in the style 1.234,56 alone.
        either_point: A cell such as 1.234, a number in both.
        either_comma: A cell such as 1,234, a number in both.
    """

    point: str | None = None
    comma: str | None = None
    either_point: str | None = None
    either_comma: str | None = None

    def with_others(self, others: Sequence[NumberEvidence]) -> NumberEvidence:
        """The evidence of several columns together."""
        every = [self, *others]
        names = ("point", "comma", "either_point", "either_comma")
        return NumberEvidence(
            *(next((getattr(one, name) for one in every if getattr(one, name)), None) for name in names)
        )


def number_evidence_items(text: str, *, is_whole: bool) -> list[str]:
    """Four select items: an example of each kind of evidence, as SQL over the rows of a file.

    Args:
        text: SQL of a cell without blanks; NULL where it is absent.
        is_whole: The column counts things, so that a sign before three digits groups them.
    """
    point, comma = (f"regexp_full_match({text}, {literal(FORMS[style])})" for style in STYLES)
    both = f"{point} and {comma}"
    has_point, has_comma = f"{both} and contains({text}, '.')", f"{both} and contains({text}, ',')"
    proofs = [f"({point} and not {comma})", f"({comma} and not {point})", f"({has_point})", f"({has_comma})"]
    if is_whole:
        proofs = [f"{proofs[0]} or {proofs[3]}", f"{proofs[1]} or {proofs[2]}", "false", "false"]
    return [f"min({text}) filter ({proof})" for proof in proofs]


def proven_style(evidence: NumberEvidence, language: Language) -> NumberStyle:
    """The style of a file's numbers.

    A lone sign before three digits is read as the language groups digits; as a fraction of three digits it is not
    read, since amounts have two.

    Raises:
        ValueError: It is not proven; the reason, without the end of its sentence.
    """
    if evidence.point and evidence.comma:
        raise ValueError(f"its numbers are written in two ways, {evidence.point} and {evidence.comma}")
    if evidence.point or evidence.comma:
        return "1,234.56" if evidence.point else "1.234,56"
    doubtful = evidence.either_point if language.numbers == "1,234.56" else evidence.either_comma
    if doubtful:
        raise ValueError(f"its numbers, such as {doubtful}, can be read in two ways and nothing in the file decides")
    return language.numbers


def number_text(text: str, style: NumberStyle) -> str:
    """SQL of a cell as a plain number; one that is no number of the style ends with NOT_WRITTEN_SO."""
    groups = literal("[,'\u2019\u00a0\u202f ]" if style == "1,234.56" else "[.'\u2019\u00a0\u202f ]")
    plain = f"regexp_replace({text}, {groups}, '', 'g')"
    plain = plain if style == "1,234.56" else f"replace({plain}, ',', '.')"
    wrong = literal(NOT_WRITTEN_SO)
    return f"case when regexp_full_match({text}, {literal(FORMS[style])}) then {plain} else {text} || {wrong} end"
