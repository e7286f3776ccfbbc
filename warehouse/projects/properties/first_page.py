"""The first page of dbt's documentation site for a generated project."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.projects.properties.property_file import GENERATED


def first_page(project: str, sentence: str, tables: Mapping[str, str]) -> str:
    """The page as a file of Markdown.

    Args:
        tables: By name of a model to begin with: its sentence.
    """
    rows = "\n".join(
        f"| [{name}](#!/model/model.{project}.{name}) | {sentence} |" for name, sentence in sorted(tables.items())
    )
    return f"""<!-- {GENERATED} -->
{{% docs __overview__ %}}
# {project}

{sentence}

| table | holds |
|---|---|
{rows}

On the left, *Project* lists the models by folder, *Database* by schema. The macros that models call lie under `..`,
as all projects share them; each says what it takes and gives. A description that is cut off in a list of columns is
whole behind the arrow of its line. The button at the bottom right draws the graph.
{{% enddocs %}}
"""
