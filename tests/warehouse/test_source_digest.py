"""The digest of our code: other for whatever changes a result, the same for what people only read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.build import source_digest
from warehouse.build.source_digest import LEFT_OUT, PACKAGES, digest_of, folders_of

CODE = '''"""A module."""

from __future__ import annotations

RATE = 2  # per day


class Shape:
    """A shape."""

    size: int = 1
    """In metres."""

    def area(self) -> int:
        """Its area."""
        return self.size * RATE
'''
MACRO = """{#- Orders, one row each.
    Note   it's text. -#}
{% macro orders(tenant) -%}
select
    id as order_id, -- the tenant's own
    '--' || name as name, /* shown */
    'it''s {# no comment #}' as said
-- depends_on: {{ ref('rates') }}
from {{ ref('int_' ~ tenant) }}
{%- endmacro %}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "macros").mkdir(parents=True)
    (folder / "synthetic").mkdir()
    (folder / "vendor").mkdir()
    (folder / "shape.py").write_text(CODE)
    (folder / "macros" / "orders.sql").write_text(MACRO)
    (folder / "seed.csv").write_text("code,factor\nEUR,1\n")
    (folder / "synthetic" / "people.py").write_text("PEOPLE = 3\n")
    (folder / "vendor" / "synthetic.py").write_text("ROWS = 3\n")
    return folder


def digest_with(package: Path, name: str, old: str, new: str) -> str:
    """The digest of the package after one edit."""
    path = package / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return digest_of([package])


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("shape.py", "  # per day", "  # per week"),
        ("shape.py", '"""A module."""\n', '# Elsewhere.\n\n"""A longer text\nabout it."""\n'),
        ("shape.py", '    """A shape."""\n', ""),
        ("shape.py", '"""In metres."""', '"""In feet."""'),
        ("shape.py", '"""Its area."""', '"""How much it covers."""'),
        ("shape.py", "self.size * RATE", "(\n            self.size * RATE\n        )"),
        ("macros/orders.sql", "one row each", "a row for each"),
        ("macros/orders.sql", "it's text", 'a "text'),
        ("macros/orders.sql", " -- the tenant's own", ""),
        ("macros/orders.sql", "/* shown */", "/* don't */"),
        ("synthetic/people.py", "3", "4"),
        ("vendor/synthetic.py", "3", "4"),
    ],
)
def test_comments_docstrings_and_simulated_records_rebuild_nobody(package: Path, name: str, old: str, new: str) -> None:
    before = digest_of([package])
    assert digest_with(package, name, old, new) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("shape.py", "RATE = 2", "RATE = 3"),
        ("shape.py", "self.size * RATE", "self.size + RATE"),
        ("shape.py", "size: int = 1", "size: float = 1"),
        ("macros/orders.sql", "'--' ||", "'-- ' ||"),
        ("macros/orders.sql", "id as order_id", "name as order_id"),
        ("macros/orders.sql", "{# no comment #}", "{# none #}"),
        ("macros/orders.sql", "-- depends_on: {{ ref('rates') }}", "-- depends_on: {{ ref('orders') }}"),
        ("seed.csv", "EUR,1", "EUR,2"),
    ],
)
def test_what_changes_a_result_rebuilds(package: Path, name: str, old: str, new: str) -> None:
    before = digest_of([package])
    assert digest_with(package, name, old, new) != before


def test_a_file_that_moves_comes_or_goes_rebuilds(package: Path) -> None:
    found = [digest_of([package])]
    (package / "shape.py").rename(package / "form.py")
    found.append(digest_of([package]))
    (package / "form.py").unlink()
    found.append(digest_of([package]))
    (package / "more.sql").write_text("select 1")
    found.append(digest_of([package]))
    assert len({*found}) == 4


def test_a_comment_in_any_file_of_ours_rebuilds_nobody(tmp_path: Path) -> None:
    folders = []
    for package in PACKAGES:
        (source,) = folders_of(package)
        folders.append(tmp_path / package)
        shutil.copytree(source, folders[-1], ignore=shutil.ignore_patterns("__pycache__"))
    before = digest_of(folders)
    for folder in folders:
        for path in folder.rglob("*.py"):
            path.write_text(path.read_text(encoding="utf-8") + "\n# A comment.\n", encoding="utf-8")
        for path in folder.rglob("*.sql"):
            path.write_text("{#- A comment. -#}\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert digest_of(folders) == before


def test_what_is_left_out_is_there_and_nobody_reads_docstrings() -> None:
    roots = [folder for package in PACKAGES for folder in folders_of(package)]
    names = {part for root in roots for path in root.rglob("*.py") for part in (*path.parts, path.stem)}
    assert names & LEFT_OUT.keys()
    read = re.compile(r"__doc__|getdoc|use_attribute_docstrings|getsource")
    assert [path for root in roots for path in root.rglob("*.py") if read.search(path.read_text("utf-8"))] == []


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Where each computing of the digest is noted."""
    calls: list[object] = []
    monkeypatch.setattr(source_digest, "digest_of", lambda folders: calls.append(list(folders)) or "0" * 64)
    source_digest.source_digest.cache_clear()
    yield calls
    source_digest.source_digest.cache_clear()


def test_it_is_computed_once_per_process_and_kept_for_the_next(computed: list[object], tmp_path: Path) -> None:
    kept = tmp_path / "code.json"
    found = [source_digest.source_digest(kept), source_digest.source_digest(kept)]
    source_digest.source_digest.cache_clear()
    found.append(source_digest.source_digest(kept))
    assert (set(found), len(computed)) == ({"0" * 64}, 1)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"stamps": "of other code", "digest": "1"}'])
def test_a_kept_one_of_other_code_or_a_damaged_one_is_not_taken(
    content: str, computed: list[object], tmp_path: Path
) -> None:
    (tmp_path / "code.json").write_text(content)
    assert source_digest.source_digest(tmp_path / "code.json") == "0" * 64
    assert len(computed) == 1


def test_without_a_state_folder_it_is_computed(computed: list[object], tmp_path: Path) -> None:
    assert source_digest.source_digest(tmp_path / "none" / "code.json") == "0" * 64
    assert len(computed) == 1


def test_a_file_that_is_touched_has_another_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "package" / "module.py"
    file.parent.mkdir()
    file.write_text("a = 1")
    monkeypatch.setattr(source_digest, "folders_of", lambda _: (file.parent,))
    before = list(source_digest.code_stamps(["package"]))
    file.write_text("a = 2")
    assert list(source_digest.code_stamps(["package"])) != before
