"""Everything the MCP server offers a client, from the server itself."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp import Client

from pipeline.settings import Settings
from server.mcp_server.app import INSTRUCTIONS
from server.mcp_server.guided.analyses import ANALYSES
from server.mcp_server.tool_specs import PAGE_TOOLS, TOOLS, ToolSpec
from server.stdio import stdio_app
from tests.docs.markdown import code, table


def instructions() -> str:
    return f"```text\n{INSTRUCTIONS}\n```"


def tools() -> str:
    return "\n\n".join(_tool(spec) for spec in (*TOOLS, *PAGE_TOOLS))


def _tool(spec: ToolSpec) -> str:
    required = spec.input_schema.get("required", ())
    rows = [
        (code(name), _type(schema), "yes" if name in required else "", schema.get("description", ""), _example(schema))
        for name, schema in spec.input_schema.get("properties", {}).items()
    ]
    heads = ("argument", "type", "required", "meaning", "example")
    gives = ", ".join(code(name) for name in spec.output_schema.get("properties", ()))
    parts = [
        f"### {spec.name}",
        spec.description,
        table(heads, rows) if rows else "It takes no arguments.",
        f"Gives {gives}." if gives else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _type(schema: dict[str, Any]) -> str:  # Any: JSON Schema
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kinds = [_type(each) for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    kind = schema.get("type", "")
    named = kind if isinstance(kind, str) else " or ".join(kind)
    if named == "array" and isinstance(schema.get("items"), dict):
        named = f"list of {_type(schema['items'])}"
    return named or " or ".join(dict.fromkeys(each for each in kinds if each)) or "object"


def _example(schema: dict[str, Any]) -> str:  # Any: as above
    import json

    return code(json.dumps(schema["examples"][0])) if schema.get("examples") else ""


def prompts() -> str:
    rows = [(code(each.name), each.description, _arguments(each.arguments)) for each in ANALYSES]
    return table(("prompt", "what it does", "arguments"), rows)


def _arguments(takes: Any) -> str:  # Any: a mapping of names to sentences
    return "; ".join(f"{code(name)}: {said}" for name, said in takes.items())


def resources() -> str:
    return table(("address", "what it says"), anyio.run(_resources))


async def _resources() -> list[tuple[str, str]]:
    with TemporaryDirectory() as folder:
        async with Client(stdio_app(Settings(home=Path(folder)), "nobody")) as client:
            listed = (await client.list_resources()).resources
            templates = (await client.list_resource_templates()).resource_templates
    found = [(str(each.uri), each.description or "") for each in listed]
    found += [(each.uri_template, each.description or "") for each in templates]
    return [(code(address), said) for address, said in sorted(found)]
