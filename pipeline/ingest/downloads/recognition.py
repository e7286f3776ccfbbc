"""Recognition of a download by the titles of its columns, before any field of it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from pipeline.contracts.downloads import (
    CURRENCY,
    Download,
    Downloads,
    Language,
    NotRead,
    fold,
)

ALIKE = 0.9
"""Similarity of an unknown title to a known one from which on it stands in its place."""


@dataclass(frozen=True)
class Recognised:
    """A file that is a download: which one, in which language, and the title of each field that it has."""

    download: Download
    language: Language
    columns: Mapping[str, str]
    currency: str | None
    """The currency code that stands in a title."""


@dataclass(frozen=True)
class KnownDownloads:
    """The downloads that a file may be: those of its own connector, and those of others, which are refused by name."""

    own: Downloads = field(default_factory=Downloads)
    others: Mapping[str, Downloads] = field(default_factory=dict)

    def find(self, titles: Sequence[str], first_row: Sequence[str] | None = None) -> Recognised | None:
        """The download of the own connector that a file with these titles is; None for every other file.

        `first_row`, where it is given, decides for downloads that are known by a cell.
        """
        kinds = () if _of(self.own.not_read, titles) else self.own.read
        for download in kinds:
            for language in download.languages:
                if language.recognises(titles) and _has_first_cell(download, titles, first_row):
                    return recognised(download, language, titles)
        return None

    def names_of(self, titles: Sequence[str]) -> bool:
        """Whether titles are those of any known download, also of one that is not read."""
        return self.find(titles) is not None or self.refusal(titles) is not None

    def refusal(self, titles: Sequence[str]) -> str | None:
        """Why a file with these titles is not read; None for a file that is no known download."""
        for download in self.own.read:
            for foreign in download.other_languages:
                if {fold(title) for title in foreign} <= {fold(title) for title in titles}:
                    read = " or ".join(language.name for language in download.languages)
                    return (
                        f"this is {download.name} in a language that is not read ({', '.join(foreign)}), so it is "
                        f"withheld: set the language of the page to {read} and download it again"
                    )
        if kind := _of(self.own.not_read, titles):
            return f"this is {kind.name}, so it is withheld: {kind.bring}"
        for connector, downloads in sorted(self.others.items()):
            kinds = [one.name for one in downloads.read if any(each.recognises(titles) for each in one.languages)]
            kinds += [kind.name for kind in [_of(downloads.not_read, titles)] if kind]
            if kinds:
                return f"this is {kinds[0]}, a file of {connector}, so it is withheld: bring it under {connector}"
        return None


def recognised(download: Download, language: Language, titles: Sequence[str]) -> Recognised:
    """A download with the titles of its fields."""
    columns = language.columns(titles)
    codes = language.currencies(titles)
    return Recognised(download, language, columns, next(iter(codes.values()), None))


def misplaced(found: Recognised, wanted: str) -> str | None:
    """Why a recognised file is not read as the object `wanted`, where its records are of another one."""
    if wanted in found.download.objects:
        return None
    objects = " or ".join(found.download.objects)
    return f"this is {found.download.name}, so it is withheld: its records are {objects}, not {wanted}; name it there"


def incomplete(found: Recognised, titles: Sequence[str]) -> str | None:
    """Why a recognised file cannot be read as an object that its records are of; None where it can."""
    download, language = found.download, found.language
    codes = set(language.currencies(titles).values())
    if len(codes) > 1:
        return (
            f"this is {download.name} with amounts in {' and '.join(sorted(codes))}, so it is withheld: "
            "download each currency by itself"
        )
    missing = [group for group in download.needs if not any(name in found.columns for name in group)]
    if download.day and any(download.day in group for group in missing):
        return (
            f"this is {download.name} of totals without days (no {language.said(download.day)}), so it is withheld: "
            f"{download.bring}"
        )
    if missing:
        lacks = ", and ".join(" or ".join(language.said(name) for name in group) for group in missing)
        near = _stand_ins(found, titles, [one for group in missing for name in group for one in _unmet(found, name)])
        came = f"; {', '.join(near)} came instead" if near else ""
        return f"this is {download.name} without {lacks}{came}, so it is withheld: {download.bring}"
    renamed = _stand_ins(found, titles, [one for name in language.titles for one in _unmet(found, name)])
    if renamed:
        return (
            f"this is {download.name} with unknown columns ({', '.join(renamed)}) in place of known ones, so it is "
            f"withheld: {download.bring}"
        )
    return None


def _is_title_of(language: Language, title: str) -> bool:
    return bool(language.columns([title]))


def _unmet(found: Recognised, name: str) -> Iterator[str]:
    """The titles of a field that the file does not have and that would count before the one it has."""
    for title in found.language.titles.get(name, ()):
        if found.language.has(title, found.columns.get(name)):
            return
        yield title


def _stand_ins(found: Recognised, titles: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Unknown titles of a file that are nearly one of the titles wanted."""
    known = {fold(title) for title in found.columns.values()}
    others = [title for title in titles if fold(title) not in known and not _is_title_of(found.language, title)]
    return sorted({title for title in others if any(_is_alike(title, one) for one in wanted)})


def _is_alike(title: str, wanted: str) -> bool:
    says_currency = CURRENCY in wanted
    ours = _letters(re.sub(r"\([A-Za-z]{3}\)$", "", title) if says_currency else title)
    theirs = _letters(wanted.replace(CURRENCY, ""))
    return ours == theirs or (
        abs(len(ours) - len(theirs)) <= 2 and SequenceMatcher(None, ours, theirs).ratio() >= ALIKE
    )


def _letters(title: str) -> str:
    return re.sub(r"[\W_]", "", fold(title))


def _of(kinds: Iterable[NotRead], titles: Sequence[str]) -> NotRead | None:
    return next((kind for kind in kinds if kind.recognises(titles)), None)


def _has_first_cell(download: Download, titles: Sequence[str], row: Sequence[str] | None) -> bool:
    if download.first_cell is None or row is None:
        return True
    title, form = download.first_cell
    cells = {fold(name): cell.strip() for name, cell in zip(titles, row, strict=False)}
    return re.fullmatch(form, cells.get(fold(title), "")) is not None
