"""The nearest contract of a file that fits none: what the file lacks, and how that is spelt in it, if it is."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pipeline.contracts.measures import Measure, Sent
from pipeline.errors import shorten
from pipeline.ingest.recognition.fit import Fit

NAMES_SHOWN = 5
LONGEST_NAME = 40
ALIKE = 0.75
"""Similarity of two names, without signs and case, from which on one may be a spelling of the other."""
_VALUE = re.compile(r"[^@\s]+@[^@\s]+|[+-]?[\d.,:/-]+[TZ\d:.]*|\{.*|\[.*")


@dataclass(frozen=True)
class Nearest:
    """The contract that a file is most like, and the differences.

    Attributes:
        missing: What every file of that object has, and this one lacks -> its nearest spelling in the file, or None.
        unknown: Names of the file that the object does not have.
    """

    platform: str | None
    """None where no object is like it."""
    object: str | None
    missing: tuple[tuple[str, str | None], ...]
    unknown: tuple[str, ...]
    alien: str | None = None
    """The field by which its records are told from those of the object, though they look alike."""

    @property
    def sentence(self) -> str:
        """Why the file is not recognised, about the file."""
        if any(is_value(name) for name in self.unknown):
            return "not recognised: where its names should be, it has values, so its header is missing"
        if self.platform is None:
            names = f": {shown(self.unknown)}" if self.unknown else ""
            return f"not recognised: no connector has records with its fields{names}"
        if self.alien:
            looks = f"it looks like {self.object} of {self.platform}"
            return f"not recognised: {looks}, and by its field {self.alien} it is something else"
        lacks = [f"{name} (perhaps {near!r})" if near else name for name, near in self.missing[:NAMES_SHOWN]]
        more = ", ..." if len(self.missing) > NAMES_SHOWN else ""
        nearest = f"it is most like {self.object} of {self.platform}"
        nearest += f", and lacks {', '.join(lacks)}{more}" if lacks else ", and shares too few fields with it"
        has = f"; it has {shown(self.unknown)}, which that does not know" if self.unknown else ""
        return f"not recognised: {nearest}{has}"


def nearest_of(fits: Sequence[Fit]) -> Nearest | None:
    """The contract whose fields most of a file's names are, or are spelt like; None of a file without records."""
    scored = [(_score(each), -number, each) for number, each in enumerate(fits) if each.refusal is None]
    score, _, best = max(scored, default=(0.0, 0, None))
    if best is None:
        return None
    if score <= 0:
        return Nearest(None, None, (), tuple(sorted(best.unknown)))
    contract = best.blueprint.contract
    names = set(best.known) | {path.partition(".")[0] for path in best.known}
    needed = [path for path in contract.required if not {path, path.partition(".")[0]} & names]
    needed += [one.name for one in contract.measures if _is_lacking(one, best, names)]
    missing = tuple((path, _spelling(path, best.unknown)) for path in dict.fromkeys(needed))
    return Nearest(best.blueprint.platform, best.blueprint.object, missing, tuple(sorted(best.unknown)), best.alien)


def _is_lacking(measure: Measure, best: Fit, names: Container[str]) -> bool:
    """Whether a file lacks a measure of every export: in a list that the file does not have, it may."""
    is_in_file = any(path.partition(".")[0] in names for path in measure.paths)
    is_top = any("." not in path for path in measure.paths)
    is_gone = is_top and not is_in_file and measure.name not in best.held
    return measure.sent is Sent.ALWAYS and (is_gone or measure.name in {drift.field for drift in best.drifts})


def _score(each: Fit) -> float:
    """How much a file is like a contract: its names that are fields, and half of those that are spelt like one."""
    fields = {_letters(name) for name, _ in each.blueprint.shape}
    fields |= {
        _letters(part) for one in each.blueprint.contract.measures for path in one.paths for part in _parts(path)
    }
    alike = sum(bool(fields & {_letters(part) for part in _parts(name)}) for name in each.unknown)
    named = len(each.known) + len(each.unknown)
    return (len(each.known) + alike / 2) / named if named else 0.0


def _parts(path: str) -> tuple[str, ...]:
    return path, path.rpartition(".")[2]


def _spelling(path: str, unknown: Iterable[str]) -> str | None:
    by_letters = {_letters(name): name for name in sorted(unknown, reverse=True)}
    by_letters |= {_letters(name.rpartition(".")[2]): name for name in sorted(unknown, reverse=True)}
    for alternative in path.split(" or "):
        for part in _parts(alternative):
            near = get_close_matches(_letters(part), list(by_letters), n=1, cutoff=ALIKE)
            if near:
                return shorten(by_letters[near[0]], LONGEST_NAME)
    return None


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def is_value(name: str) -> bool:
    """Whether a name is rather a value: an address, a number, a date, JSON."""
    return bool(_VALUE.fullmatch(name))


def shown(names: Iterable[str]) -> str:
    """Names for people: a few, in order, each short, and none that is a value."""
    fit_to_show = [shorten(name, LONGEST_NAME) for name in sorted(names) if not is_value(name)]
    more = ", ..." if len(fit_to_show) > NAMES_SHOWN else ""
    return ", ".join(fit_to_show[:NAMES_SHOWN]) + more
