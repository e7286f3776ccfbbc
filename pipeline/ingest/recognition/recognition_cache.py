"""Cache of recognised files by content, so that a build reads only what is new: a file per tenant, without values."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.ingest.drift import fingerprint
from pipeline.ingest.recognition.marks import marks_of
from pipeline.ingest.recognition.recognise import Blueprints, Recognition, Shapes
from pipeline.storage.disk import replace_text

RULES = 1
"""Version of the rules of recognition: another one recognises every file anew."""


class RecognitionCache:
    """What files are, by the SHA-256 of their content and their ending; only those that were asked for are kept."""

    def __init__(self, path: Path, blueprints: Blueprints) -> None:
        self._path, self._rules = path, _rules(blueprints)
        self._known = _read(path, self._rules)
        self._asked: dict[str, Recognition] = {}
        self.shapes: Shapes = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None and self._asked != self._known:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            files = {key: _entry(found) for key, found in sorted(self._asked.items())}
            replace_text(self._path, json.dumps({"rules": self._rules, "files": files}))

    def get(self, digest: str, name: str) -> Recognition | None:
        found = self._known.get(_key(digest, name))
        if found is not None:
            self._asked[_key(digest, name)] = found
        return found

    def put(self, digest: str, name: str, found: Recognition) -> None:
        """Keep what a file is; of an unknown one the sentence alone, without the differences."""
        self._asked[_key(digest, name)] = _of(_entry(found))


def _key(digest: str, name: str) -> str:
    return f"{digest} {''.join(Path(name.lower()).suffixes[-2:])}"


def _rules(blueprints: Blueprints) -> str:
    contracts = (
        (*key, fingerprint(each.contract, each.downloads), sorted(marks_of(each).items()))
        for key, each in blueprints.items()
    )
    return hashlib.md5(repr((RULES, *contracts)).encode(), usedforsecurity=False).hexdigest()


def _entry(found: Recognition) -> dict[str, Any]:  # Any: JSON values
    why = None if found.candidates or found.refusal else found.reason()
    return {"candidates": found.candidates, "by": found.by, "refusal": found.refusal, "why": why}


def _of(entry: dict[str, Any]) -> Recognition:  # Any: as _entry
    candidates = tuple((str(platform), str(name)) for platform, name in entry["candidates"])
    return Recognition(candidates, entry["by"], refusal=entry["refusal"], why=entry["why"])


def _read(path: Path, rules: str) -> dict[str, Recognition]:
    """What an earlier build kept; nothing where the rules or the contracts are others, or the file is damaged."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {key: _of(entry) for key, entry in kept["files"].items()} if kept["rules"] == rules else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
