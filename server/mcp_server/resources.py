"""MCP resources beside the tools: the definition of a metric, and the published runs.

metric://{name}   the meaning of a metric, its unit, its formula, its dimensions, and its SQL
status://runs     the run that answers, the freshness of each source, and the runs that are kept
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from pipeline.errors import GataError, QueryError
from server.serving import tools

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from semantic.answering.semantic_model import SemanticModel
    from semantic.catalog.catalog import Metric
    from server.mcp_server.call_handler import McpCallHandler
    from server.serving.call_context import CallContext
    from server.serving.tools import Payload

METRIC = "metric://{name}"
RUNS = "status://runs"
_JSON = "application/json"


def add_resources(app: MCPServer[Any], handler: McpCallHandler) -> None:  # Any: there is no lifespan state
    """Let clients read the resources above."""

    async def read(work: Callable[[CallContext], Payload], call: str) -> str:
        from semantic.answering.exact_json import to_json

        try:
            return to_json(await handler.ask(work))
        except GataError as error:
            kind = ResourceNotFoundError if isinstance(error, QueryError) else ResourceError
            raise kind(handler.refusal(error, call)) from error
        except Exception as error:  # a bug: the caller gets an event id and no internals
            raise ResourceError(handler.refusal(error, call)) from error

    @app.resource(
        METRIC,
        name="metric",
        title="A metric's definition",
        description="What a metric means: unit, formula, the dimensions it goes with, its SQL. Names: list_metrics.",
        mime_type=_JSON,
    )
    async def metric(name: str) -> str:
        return await read(lambda call: definition(name, call.run.model), METRIC)

    @app.resource(
        RUNS,
        name="runs",
        title="The runs that answer",
        description="Which published run answers, how far the data of each source go, and the runs that are kept.",
        mime_type=_JSON,
    )
    async def runs() -> str:
        return await read(status_resource, RUNS)


def definition(name: str, model: SemanticModel) -> Payload:
    """The definition of a metric, down to the SQL of its base metrics.

    Raises:
        UnknownName: There is no such metric, or it cannot be asked for.
    """
    from semantic.catalog.formula import metric_names, to_text
    from semantic.catalog.suggestions import unknown_metric
    from semantic.planning.currency_rules import catalog_unit
    from semantic.planning.reach import dimensions_for

    catalog = model.catalog
    if name not in catalog.askable_metrics:
        raise unknown_metric(name, catalog)
    metric = catalog.metrics[name]
    facts = catalog.facts_of(name)
    base_metrics = dict.fromkeys(metric_names(metric.formula))
    return {
        "name": name,
        "label": metric.label,
        "description": metric.description,
        "unit": catalog_unit(metric, catalog),
        "type": metric.type,
        "kind": metric.kind or "derived",
        "formula": to_text(metric.formula, str),
        "facts": list(facts),
        "dimensions": dimensions_for(name, catalog),
        "sql": {base: expression(catalog.metrics[base], model) for base in base_metrics},
        "synonyms": list(metric.synonyms),
        "note": metric.note,
        "run_id": model.run_id,
    }


def expression(base: Metric, model: SemanticModel) -> Payload:
    """The SQL of one base metric over the rows of its fact, and the table that holds them."""
    import sqlglot
    from sqlglot import exp

    from semantic.planning.query_shape import Scan

    scan = Scan(fact=base.fact or "", measures=(base.name,))
    statement = sqlglot.parse_one(model.scan(scan), read="duckdb")
    projection = next(alias for alias in statement.find_all(exp.Alias) if alias.alias == base.name)
    for column in projection.find_all(exp.Column):
        column.set("table", None)
    table = next(statement.find_all(exp.Table))
    return {"expression": projection.this.sql(dialect="duckdb"), "table": table.name}


def status_resource(call: CallContext) -> Payload:
    """The answer of get_status, and every run that is kept, the newest first."""
    from pipeline.errors import PublishError
    from pipeline.publish.pointer import run_ids
    from pipeline.publish.run_manifest import read_manifest

    folder, listed = call.settings.published(call.run.slug), []
    for run_id in reversed(run_ids(folder)):
        try:
            manifest = read_manifest(folder / run_id)
        except PublishError:  # it is being removed, or damaged: it cannot be queried
            continue
        listed.append(
            {
                "run_id": run_id,
                "published_at": manifest.published_at.isoformat(),
                "answers": run_id == call.run.run_id,
                "rows": sum(table.rows for table in manifest.tables),
            }
        )
    return {**tools.get_status(call.run), "sources": tools.sources(call.run, call.cursor), "runs": listed}
