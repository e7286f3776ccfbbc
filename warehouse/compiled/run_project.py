"""Runs a command of a generated project: by the SQL that is kept of it, or by dbt, which is slower by seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.log import log
from pipeline.storage.build_memory import UNLIMITED, DuckDbMemory
from warehouse.compiled.compile_inputs import compile_inputs, foreign_flags
from warehouse.compiled.compiled_project import CompiledProject, compiled_file, read_compiled, write_compiled
from warehouse.run_dbt import Node, run_dbt


def run_project(
    folder: Path,
    command: tuple[str, ...],
    *,
    project: Mapping[str, str],
    files: Mapping[str, Path],
    threads: int = 2,
    memory: DuckDbMemory = UNLIMITED,
    begin_again: Callable[[], None] = lambda: None,
) -> tuple[Node, ...]:
    """Run one dbt command of a project whose files are written; dbt itself runs only where its SQL may differ.

    Args:
        folder: Of the project.
        command: Of dbt: build, run or test, with its options. A `build` makes its database from nothing.
        project: Text of every generated file in the folder.
        files: The GATA_*_FILE variables that its profile and models read.
        threads: Of DuckDB, and of dbt.
        memory: Of DuckDB.
        begin_again: Called before dbt runs what could not be run without it.

    Raises:
        BuildError: dbt could not run.
    """
    if flags := foreign_flags():
        log.info("ran_dbt", project=folder.name, command=command[0], why=f"the environment sets {flags[0]}")
        return run_dbt(folder, command, files=files, threads=threads, memory=memory)
    inputs, kept_at = compile_inputs(project, command, files), compiled_file(folder, command[0])
    kept = read_compiled(kept_at)
    is_first = not kept_at.exists()
    why = _why_dbt(kept, inputs, files)
    if kept is not None and why is None:
        from warehouse.compiled.run_compiled import NotRunWithoutDbtError, run_compiled

        try:
            return run_compiled(kept, command[0], project=project, files=files, threads=threads, memory=memory)
        except NotRunWithoutDbtError as reason:
            why = str(reason)
            begin_again()
    if not is_first:
        log.info("ran_dbt", project=folder.name, command=command[0], why=why)
    if kept is not None and kept.inputs == inputs and kept.why_not:
        return run_dbt(folder, command, files=files, threads=threads, memory=memory)
    from warehouse.compiled.compile_project import run_and_compile

    nodes, compiled = run_and_compile(
        folder, command, project=project, files=files, threads=threads, memory=memory, inputs=inputs
    )
    if compiled is not None:
        try:
            write_compiled(kept_at, compiled)
        except OSError as error:  # the nodes are done: the next build compiles again
            log.warning("sql_not_kept", project=folder.name, command=command[0], what=str(error))
    return nodes


def _why_dbt(kept: CompiledProject | None, inputs: str, files: Mapping[str, Path]) -> str | None:
    """Why kept SQL cannot be run; None where it can."""
    if kept is None:
        return "what is kept of it is damaged"
    if kept.inputs != inputs:
        return "the project, the macros or the packages changed"
    if kept.why_not:
        return kept.why_not
    if any(str(files[name].resolve()) != value for name, value in kept.variables.items()):
        return "a file that its SQL names is elsewhere"
    return None
