"""Recognition of a file: whose records it holds, by its structure, by each contract's own reader, or the nearest one.

1. The exact structure: a table whose MD5 of sorted `column:type` is that of a blueprint (pipeline/contracts/
   registry.py).
2. The contract's reader: every contract is asked whether it would read the file, in any form that it knows.
3. Otherwise the nearest contract, with what the file lacks and what it has instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from pipeline.contracts.fields import Contract, shape_of
from pipeline.contracts.registry import Blueprint, schema_hash
from pipeline.ingest.formats.export_file import Unreadable, format_of, sql_path
from pipeline.ingest.formats.zip_file import extracted
from pipeline.ingest.recognition.fit import MIN_SHARE, Fit, fit, paths_in
from pipeline.ingest.recognition.head import head_of
from pipeline.ingest.recognition.nearest import Nearest, nearest_of

Blueprints = Mapping[tuple[str, str], Blueprint]
Shapes = list[tuple[Fit, tuple[tuple[str, str], ...]]]
"""Files that were recognised, the newest first: what they named, and of what they are."""
MOST_SHAPES = 16

_WORD = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]*")
WORDS_OF = 1 << 16
"""Bytes of a file in which its words are counted."""
CLOSE = 0.02
"""Difference of two shares of known names that decides nothing."""


@dataclass(frozen=True)
class Recognition:
    """What a file is.

    Attributes:
        candidates: The contracts that it is of, equally well; one where it is clear. Platforms that share a contract
            are all named, in the catalog's order.
        by: How it was recognised: structure, or reader.
        nearest: Of a file that is of no contract, the one that it is most like.
        refusal: Why it cannot be read by any.
        why: The sentence about the nearest one, where `nearest` itself is not kept.
    """

    candidates: tuple[tuple[str, str], ...] = ()
    by: str | None = None
    nearest: Nearest | None = None
    refusal: str | None = None
    why: str | None = None

    @property
    def shared(self) -> bool:
        """Whether the candidates are one object of platforms that share its contract: the records do not say which."""
        return len({name for _, name in self.candidates}) == 1

    def reason(self) -> str | None:
        """Why the file is of no one contract, as a sentence about it; None where it is of one, or of a shared one."""
        if self.refusal:
            return self.refusal
        if not self.candidates:
            return self.why or (self.nearest.sentence if self.nearest else "not read: it holds no records")
        return None if self.shared else f"not told apart: it fits {listed(self.candidates)} equally well"


def recognise(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    blueprints: Blueprints,
    folder: Path,
    *,
    shapes: Shapes | None = None,
    inside: Path | None = None,
) -> Recognition:
    """What one file (outside or inside of an archive) holds, by its head.

    Args:
        blueprints: The contracts that it may be of, in the order in which candidates are named.
        folder: For temporary copies.
        shapes: Files recognised before; one that names exactly the same fields is the same. The file is added.
        inside: The folder that it, or its archive, must lie in; None: anywhere.
    """
    try:
        with (
            extracted(path, folder, inside=inside) as file,
            head_of(con, file, folder, inside=inside if file == path else None) as head,
        ):
            return _recognised(con, head, blueprints, folder, [] if shapes is None else shapes)
    except Unreadable as problem:
        return Recognition(refusal=problem.reason)


def _recognised(
    con: duckdb.DuckDBPyConnection, head: Path, blueprints: Blueprints, folder: Path, shapes: Shapes
) -> Recognition:
    for like, names in shapes:
        again = fit(con, head, like.blueprint, folder)
        if again.lands and (again.known, again.unknown) == (like.known, like.unknown):
            return Recognition(names, "reader")
    exact = _by_structure(con, head, blueprints)
    asked = {key: blueprints[key] for key in exact} or blueprints
    fits = _asked(con, head, asked, folder)
    best = _best([each for each in fits if each.fits or (exact and not each.refusal)])
    named = [each.refusal for each in sorted(fits, key=lambda each: each.misplaced) if each.refused_by_rules]
    if named and not any(each.lands for each in best):
        return Recognition(refusal=named[0])
    if best:
        names = tuple(name for each in best for name in _sharing(each, asked))
        if best[0].lands and not exact:
            shapes[:] = [(best[0], names), *shapes[: MOST_SHAPES - 1]]
        return Recognition(names, "structure" if exact else "reader")
    if refusal := _refusal(fits):
        return Recognition(refusal=refusal)
    has_records = any(each.good or each.wrong for each in fits)
    return Recognition(nearest=nearest_of(fits)) if has_records else Recognition()


def _asked(con: duckdb.DuckDBPyConnection, head: Path, blueprints: Blueprints, folder: Path) -> list[Fit]:
    """The answers of the contracts, in the catalog's order.

    Those with the most words of the file are asked first. Once one fits, a contract with less than half as many of its
    words is not asked: it cannot know more of the file's names.
    """
    words = {word.lower() for word in _WORD.findall(head.read_bytes()[:WORDS_OF])}
    each = _one_of_each(blueprints)
    shared = [len(words & _words_of(blueprint.contract)) for blueprint in each]
    answers: dict[int, Fit] = {}
    enough = 0.0
    for number in sorted(range(len(each)), key=lambda number: -shared[number]):
        if shared[number] < enough:
            break
        answers[number] = found = fit(con, head, each[number], folder)
        if found.lands and found.share >= MIN_SHARE:
            enough = max(enough, shared[number] / 2)
    return [answers[number] for number in sorted(answers)]


@cache
def _words_of(contract: type[Contract]) -> frozenset[bytes]:
    """The words of which the names of a contract's fields are made, in lower case."""
    return frozenset(word.lower() for path in paths_in(shape_of(contract)) for word in _WORD.findall(path.encode()))


def _one_of_each(blueprints: Blueprints) -> list[Blueprint]:
    """The first blueprint of each contract."""
    first: dict[tuple[object, str], Blueprint] = {}
    for blueprint in blueprints.values():
        first.setdefault((blueprint.contract, blueprint.object), blueprint)
    return list(first.values())


def _sharing(chosen: Fit, blueprints: Blueprints) -> list[tuple[str, str]]:
    """The platforms whose object has the contract of a fit."""
    of = chosen.blueprint
    return [key for key, each in blueprints.items() if each.contract is of.contract and each.object == of.object]


def _by_structure(con: duckdb.DuckDBPyConnection, head: Path, blueprints: Blueprints) -> list[tuple[str, str]]:
    """The blueprints whose landing columns a table has, by name and type; columns of loaders do not count."""
    if format_of(head) != "parquet":
        return []
    described = con.sql(f"select * from read_parquet({sql_path(head)})")
    columns = zip(described.columns, map(str, described.types), strict=True)
    own = tuple((name, type_) for name, type_ in columns if not name.startswith("_"))
    found = schema_hash(own)
    return [key for key, blueprint in blueprints.items() if blueprint.source_schema_hash == found]


def _best(fits: Sequence[Fit]) -> list[Fit]:
    """The contracts that know most of the file's names; of one connector, those whose key the file names most of."""
    if not fits:
        return []
    most = max(each.share for each in fits)
    close = [each for each in fits if each.share >= most - CLOSE]
    facts = [each for each in close if each.held]  # a fact that holds its measures is no entity of the same ids
    close = facts or close
    if len({each.blueprint.platform for each in close}) == 1:
        least = min(each.absent_key for each in close)
        close = [each for each in close if each.absent_key == least]
    if (
        len({(each.blueprint.platform) for each in close}) == 1
        and len({each.blueprint.contract.key for each in close}) > 1
    ):
        most = max(each.coverage for each in close)
        close = [each for each in close if each.coverage == most]
    return close


def _refusal(fits: Sequence[Fit]) -> str | None:
    """Why no contract can read the file, or why the one that recognises it refuses its form."""
    refused = [each.refusal for each in fits if each.refusal]
    if len(refused) == len(fits):
        return refused[0] if refused else None
    rare = [reason for reason in dict.fromkeys(refused) if refused.count(reason) * 2 < len(fits)]
    return rare[0] if rare else None


def listed(names: Sequence[tuple[str, str]]) -> str:
    """Objects in words, by platform: `ads and campaigns of facebook_ads, and orders of shopify`."""
    by_platform: dict[str, list[str]] = {}
    for platform, name in names:
        by_platform.setdefault(platform, []).append(name)
    return ", and ".join(f"{_joined(objects)} of {platform}" for platform, objects in by_platform.items())


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
