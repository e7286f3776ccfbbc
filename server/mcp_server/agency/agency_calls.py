"""Calls of an agency: each is run for the tenant that it names, or `query` for several, each by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from pipeline.errors import AccessError, PublishError, QueryError
from server.mcp_server.agency.tenant_arguments import take_tenants
from server.serving.access import tenant_of
from server.serving.audit.call_recorder import part_of_call

if TYPE_CHECKING:
    from mcp.server.mcpserver.context import Context

    from pipeline.config.slug import Slug
    from server.mcp_server.call_handler import McpCallHandler
    from server.mcp_server.chart_arguments import ChartedQuery
    from server.mcp_server.token_budget import Reply
    from server.mcp_server.tool_specs import ToolSpec
    from server.serving.agency_answers import TenantAnswer
    from server.serving.tools import Payload

T = TypeVar("T")
Read = Callable[[Mapping[str, Any], "Slug"], Awaitable[Any]]  # Any: arguments as sent, and as the tool takes them


async def agency_reply(
    spec: ToolSpec,
    arguments: Mapping[str, Any],  # Any: whatever a caller sent
    read: Read,
    handler: McpCallHandler,
    context: Context[Any, Any],  # Any: there is no lifespan state
) -> Reply:
    """The reply to a call of an agency.

    Raises:
        QueryError: The arguments are wrong.
        AccessError: It names no tenant, or none of its own.
    """
    tenant, tenants, rest = take_tenants(arguments, spec)
    if tenants is not None:
        slugs = [handler.tenant_of_agency(name) for name in tenants]
        cursor = rest.pop("cursor", None)
        return await _reply_of_several(await read(rest, slugs[0]), slugs, cursor, handler, context)
    if tenant is None and spec.lists_tenants:
        spec.read(rest)
        return await anyio.to_thread.run_sync(_list_of_tenants, handler)
    if tenant is None:
        tenant_of(handler.caller())  # says that one is to be named
    slug = handler.tenant_of_agency(tenant)
    checked = await read(rest, slug)
    return await handler.ask(lambda call: spec.work(call, checked), context, slug=slug)


def _list_of_tenants(handler: McpCallHandler) -> Reply:
    """The tenants of the caller, each with its newest run, from the published folders: no run is opened."""
    from pipeline.publish.pointer import served_run
    from pipeline.publish.run_manifest import read_manifest
    from server.mcp_server.token_budget import reply

    listed: list[Payload] = []
    for slug in handler.served_tenants():
        folder = handler.settings.published(slug)
        try:
            served = served_run(folder)
            published_at = read_manifest(folder / served.run_id).published_at.isoformat() if served else None
        except PublishError:
            served = published_at = None
        listed.append({"tenant": slug, "run_id": served.run_id if served else None, "published_at": published_at})
    notes = ["Name one as tenant in a call, or several as tenants of query; with a tenant, get_status says more of it."]
    return reply({"tenants": listed, "notes": notes})


async def _reply_of_several(
    request: ChartedQuery,
    slugs: Sequence[Slug],
    cursor: object,
    handler: McpCallHandler,
    context: Context[Any, Any],  # Any: there is no lifespan state
) -> Reply:
    from server.mcp_server.answer_reply import merged_reply
    from server.serving.agency_answers import answer_of_tenant, read_tenant_cursors

    if request.chart is not None:
        raise QueryError("A chart is of one tenant.", f'Write "tenant": "{slugs[0]}" in place of tenants.')
    cursors = read_tenant_cursors(cursor, slugs)
    asked = {slug: request.query.model_copy(update={"cursor": cursors[slug]}) for slug in slugs}

    async def ask(slug: Slug) -> TenantAnswer:
        with part_of_call(slug, is_first=slug == slugs[0]) as record:
            answer = await handler.ask(
                lambda call: answer_of_tenant(call, asked[slug]), context if slug == slugs[0] else None, slug=slug
            )
            if record is not None:
                record.rows = answer.answer.row_count
            return answer

    answers = await _each(slugs, ask)
    return await anyio.to_thread.run_sync(merged_reply, answers, request.query)


async def _each(slugs: Sequence[Slug], work: Callable[[Slug], Awaitable[T]]) -> list[T]:
    """The results of work for each tenant at the same time; the error of the first that has one, under its name.

    Raises:
        QueryError, AccessError: Of a tenant; names it.
    """
    results: dict[Slug, T] = {}
    failed: dict[Slug, Exception] = {}

    async def one(slug: Slug) -> None:
        try:
            results[slug] = await work(slug)
        except Exception as error:  # noqa: BLE001  # raised again below: a task group would wrap it
            failed[slug] = error

    async with anyio.create_task_group() as group:
        for slug in slugs:
            group.start_soon(one, slug)
    for slug in slugs:
        if slug in failed:
            raise _of_tenant(slug, failed[slug])
    return [results[slug] for slug in slugs]


def _of_tenant(slug: Slug, error: Exception) -> Exception:
    """The error with the name of the tenant that it is about, where its caller can act on it."""
    if isinstance(error, QueryError | AccessError):
        kind = QueryError if isinstance(error, QueryError) else AccessError
        named = kind(f"{slug}: {error.what}", error.fix)
        named.args = (f"{slug}: {error}",)
        named.__cause__ = error
        return named
    return error
