"""Lines of tenants.yaml that bring checked files: a whole tenant, which loads and builds as it stands."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from glob import escape
from pathlib import Path

from pipeline.config.blocks.domains import BELONGS_TO, DOMAINS
from pipeline.config.starter import SLUG
from pipeline.contracts.connector import Connector
from pipeline.ingest.formats.zip_file import archive_of
from pipeline.ingest.recognition.checked_file import CheckedFile

_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./-]*")
_SOURCE = """\
      {platform}:
        enabled: true
        read:
          kind: files
{read}"""
_TEXT = """\
tenants:
  - slug: {slug}
    business_name: My Shop
    timezone: UTC              # where its days begin, such as Europe/Berlin
    currency: {currency:<17}# what it reports in{guessed}
    domains: [{domains}]
{analytics}    sources:
{sources}"""


def tenants_lines(files: Iterable[CheckedFile], catalog: Mapping[str, Connector], base: Path) -> str | None:
    """The text of a tenants.yaml in the folder `base` that reads the files that would land; None where none would."""
    landing = [file for file in files if file.reason is None]
    if not landing:
        return None
    by_platform: dict[str, list[CheckedFile]] = {}
    for file in landing:
        by_platform.setdefault(file.recognition.candidates[0][0], []).append(file)
    currencies = Counter(code for file in landing if file.check for code in sorted(file.check.contents.currencies))
    domains = {BELONGS_TO.get(catalog[name].domain, catalog[name].domain) for name in by_platform}
    analytics = [name for name in sorted(by_platform) if catalog[name].domain == "analytics"]
    return _TEXT.format(
        slug=SLUG,
        currency=(currencies.most_common(1) or [("USD", 0)])[0][0],
        guessed="" if currencies else "; the records name none",
        domains=", ".join(domain for domain in DOMAINS if domain in domains),
        analytics=f"    analytics: {analytics[0]}\n" if len(analytics) > 1 else "",
        sources="".join(_source(name, of_it, base) for name, of_it in sorted(by_platform.items())),
    )


def _source(platform: str, files: Sequence[CheckedFile], base: Path) -> str:
    objects: dict[str, dict[str, None]] = {}
    for file in files:
        path = archive_of(file.path) or file.path
        objects.setdefault(file.recognition.candidates[0][1], {})[_pattern(path, base)] = None
    shared = {pattern for patterns in objects.values() for pattern in patterns if _count(objects, pattern) > 1}
    if shared:  # an archive of several objects: a folder is routed file by file
        folder = (archive_of(files[0].path) or files[0].path).parent
        read = f"          folder: {_scalar(_relative(folder, base))}\n"
    else:
        listed = (f"            {name}: {_list(patterns)}\n" for name, patterns in objects.items())
        read = "          objects:\n" + "".join(listed)
    return _SOURCE.format(platform=platform, read=read) + _comments(platform, files)


def _comments(platform: str, files: Sequence[CheckedFile]) -> str:
    """What the records do not say, as comments below a source."""
    others = sorted({name for file in files for name, _ in file.recognition.candidates} - {platform})
    lines = [
        f"      # Write {name} in place of {platform} where the ads ran there: the records are the same."
        for name in others
    ]
    if any(file.check and file.check.contents.sums and not file.check.contents.currencies for file in files):
        lines.append(f"      # {platform} can have `currency: EUR`: that of its amounts, where the records name none.")
    return "".join(f"{line}\n" for line in lines)


def _count(objects: Mapping[str, Mapping[str, None]], pattern: str) -> int:
    return sum(pattern in patterns for patterns in objects.values())


def _pattern(path: Path, base: Path) -> str:
    """A glob pattern of exactly one file."""
    return escape(_relative(path, base))


def _relative(path: Path, base: Path) -> str:
    absolute, root = path.absolute(), base.absolute()
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(absolute)


def _list(patterns: Iterable[str]) -> str:
    return f"[{', '.join(_scalar(pattern) for pattern in patterns)}]"


def _scalar(text: str) -> str:
    """A YAML scalar: plain where that is safe, else quoted as JSON, which YAML reads alike."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
