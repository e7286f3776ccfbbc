"""What the property files of a project say of its models, as a macro: builds do not parse these files.

dbt metadata reads the macro, so a definition is the same whether a build runs dbt or a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from warehouse.projects.properties.macro_headers import macro_headers, macro_properties
from warehouse.projects.properties.property_file import GENERATED, Tree, generated_yaml

MACRO_FOLDER = "macros"


def described_nodes(models: Iterable[Mapping[str, object]], *, properties: str) -> dict[str, str]:
    """The macro of a project as `{path: text}`, with its own property file.

    Args:
        models: Entries of property files, under `models`.
        properties: The folder of the property files that builds do without.
    """
    said = json.dumps({str(model["name"]): _described(model) for model in models}, sort_keys=True)
    text = f"""{{#- {GENERATED}
    What the property files say of each model, for dbt metadata: a build does not parse them.
    Gives  a dictionary: name -> description and columns, as `upload_model_definitions` writes them. -#}}
{{% macro described_nodes() -%}}
{{%- do return(fromjson({_jinja_text(said)})) -%}}
{{%- endmacro %}}
"""
    return {
        f"{MACRO_FOLDER}/described_nodes.sql": text,
        f"{properties}/macros.yml": generated_yaml(macro_properties(macro_headers(text))),
    }


def _described(model: Mapping[str, object]) -> Tree:
    columns = model.get("columns") or ()
    assert isinstance(columns, Iterable)  # noqa: S101  # a property file is a tree without types
    return {"description": model.get("description", ""), "columns": [_column(column) for column in columns]}


def _column(column: Mapping[str, object]) -> Tree:
    return {
        "name": column["name"],
        "data_type": column.get("data_type"),
        "description": column.get("description", ""),
        "tags": [],
        "meta": column.get("meta", {}),
    }


def _jinja_text(text: str) -> str:
    """A text as a literal of Jinja, on one line."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
