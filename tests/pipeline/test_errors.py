"""The tree of errors: every one that a caller can cause is in it, and says the same in another process."""

from __future__ import annotations

import ast
import builtins
import pickle
from pathlib import Path

import pytest

from pipeline import errors
from pipeline.errors import BuildError, DbtFailed, GataError, UnknownName

ROOT = Path(__file__).resolve().parents[2]
INTERNAL = {
    "Unreadable": "a finding about one file: it is quarantined by name, and the others go on",
    "AmbiguousNameError": "between two modules of reading: the file is quarantined by name, as Unreadable",
    "OtherVersion": "between two modules of semantic: the run is refused with its format, by a PublishError",
    "NotAnsi": "within the export to Ossie: what ANSI SQL cannot say goes into a custom extension",
    "NotRunWithoutDbtError": "within the build of a project: dbt runs it, and tells what fails",
    "_ReturnedError": "within one rendering of Jinja: it carries what a macro returns",
    "UnsettledFile": "within the comparison of a build: the tenant goes through its steps",
    "KeysUnreachable": "between two modules of OAuth: the caller is told by a CredentialRefused",
}
"""Exception classes that no caller meets, and why."""


@pytest.mark.parametrize(
    "error",
    [
        *(kind("It is wrong.", "Mend it.") for kind in (GataError, BuildError, errors.GateFailed, errors.LandError)),
        UnknownName("metric", "spned", ["spend"]),
        errors.CredentialRefused(401, "It is wrong.", "Mend it.", {"retry-after": "1"}),
        DbtFailed("It is wrong.", "Mend it."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_says_here_what_it_said_there(error: GataError) -> None:
    told = pickle.loads(pickle.dumps(error))
    assert type(told) is type(error)
    assert (str(told), vars(told)) == (str(error), vars(error))


def test_every_exception_of_the_product_is_in_the_tree_or_met_by_no_caller() -> None:
    builtin = {name for name, value in vars(builtins).items() if isinstance(value, type)}
    known = {name for name in builtin if issubclass(getattr(builtins, name), BaseException)}
    classes = {
        (str(path.relative_to(ROOT)), node.name): {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for folder in ("pipeline", "warehouse", "semantic", "server")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    found: dict[str, str] = {}
    while more := {
        name: path
        for (path, name), bases in classes.items()
        if name not in found and any(base in known or base.endswith(("Error", "Exception")) for base in bases)
    }:
        found |= more
        known |= set(more)
    outside = {name for name, path in found.items() if path != "pipeline/errors.py"}
    assert outside == set(INTERNAL)
    inside = set(found) - outside
    assert all(issubclass(getattr(errors, name), GataError) for name in inside)
    assert [name for name in inside if name not in str(errors.__doc__)] == []
