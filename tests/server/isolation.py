"""Tenants whose every text holds a canary, asked the same at the same time at every interface: what crosses?

Every draw is sent three times at once: by a caller of each of two tenants, word for word alike but for the tenant's own
name where a path needs one, and by an agency of both, which names one of them, or in a query both. No caller of a
tenant may receive anything of another: no text of its star, no name, label or description of its own, no path, handle
or cursor of it; and a word of another's must be answered exactly like a word that nobody has. The agency receives of
the tenant that it names what that tenant's own caller receives, byte for byte, each row of both under the tenant whose
it is, and of a third tenant nothing.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow as pa
from mcp import Client
from mcp.client.sse import sse_client
from pyarrow import parquet

from tests.server.published_fixture import CANARY, PublishedHome

Json = dict[str, Any]  # Any: JSON values

SLUGS = ("alpha", "beta")
OTHER = {"alpha": "beta", "beta": "alpha"}
AGENCY, OUTSIDE = "agency", "gamma"
"""The caller of both tenants, and the tenant that it is not of."""
OWN_METRIC = {slug: f"{mark.lower()}_profit" for slug, mark in CANARY.items()}
ALMOST = tuple(name.replace("canary", "canar") for name in OWN_METRIC.values())
"""Own metrics of both, misspelt: only their owner may receive the right name."""
MODERN, LEGACY = "2026-07-28", "2025-11-25"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "isolation", "version": "1"},
}
ACCEPT = "application/json, text/event-stream"
IN_FLIGHT = 8

METRICS = ("spend", "roas", "order_revenue", "sessions", "conversion_rate", "orders", "clicks", "ctr")
DIMENSIONS = (
    *("campaign_name", "traffic_source", "date", "geo_country", "ad_name", "customer_email", "product_name"),
    *("source_account", "campaign_status", "device_category", "traffic_medium", "source_platform"),
)
WORDS = ("campaign", "main", "canary", "x", "land", "ALPHAXCANAR", "BETAYCANAR", "1", "")
"""The canaries that are searched for. Complete canaries are never sent: one that comes back has crossed."""
FORMS = (
    *("application/json", "application/json", "text/csv"),
    *("application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"),
)
CUT: Json = {"metrics": ["spend"], "dimensions": ["date", "campaign_name"], "limit": 1}
PROMPTS = ("weekly_review", "why_did_it_change", "channel_comparison")


def tenants_yaml() -> str:
    """Tenants whose every free text in tenants.yaml holds their canary."""
    entries = "".join(
        f"""
  - slug: {slug}
    business_name: {mark} incorporated
    status: pending
    currency: {currency}
    semantic:
      expose: [customer_email]
      metrics:
        spend: {{label: {mark} outlay, description: What {mark} paid, synonyms: [{mark} cost]}}
        {OWN_METRIC[slug]}: {{expression: order_revenue - spend, description: Profit of {mark}}}
      dimensions:
        campaign_name: {{label: {mark} campaign, description: The campaigns of {mark}}}
"""
        for (slug, mark), currency in zip(CANARY.items(), ("EUR", "USD", "EUR"), strict=True)
    )
    return f"tenants:{entries}"


def publish_marked(home: PublishedHome) -> None:
    """Describe and publish the tenants, marked."""
    home.settings.tenants.write_text(tenants_yaml(), encoding="utf-8")
    for slug in (*SLUGS, OUTSIDE):
        home.publish(slug, marked=True)


@dataclass(frozen=True)
class Request:
    """One request, before it is known who sends it: `{own}` and `{other}` in it stand for the tenants' slugs."""

    interface: str
    what: str
    path: str = "/mcp"
    method: str = "POST"
    body: Json | None = None
    accept: str = ACCEPT


@dataclass(frozen=True)
class Response:
    """What came back: status, headers and body as one text."""

    status: int
    text: str


@dataclass
class Caller:
    """One client: its connections, and the handles and cursors it was given. The slug is that of its token."""

    slug: str
    http: httpx.AsyncClient
    session: str
    sse: Client
    handles: list[str] = field(default_factory=list)
    cursors: list[tuple[Json, str]] = field(default_factory=list)

    async def send(self, ask: Request) -> Response:
        if ask.interface == "sse":
            return await self._over_sse(ask)
        own, other = (self.slug, OTHER[self.slug]) if self.slug in OTHER else ("{own}", OUTSIDE)
        path = ask.path.replace("{own}", own).replace("{other}", other)
        text = json.dumps(ask.body).replace("{own}", own).replace("{other}", other)
        headers = {"accept": ask.accept, "content-type": "application/json"}
        if ask.path == "/mcp" and ask.body is not None:
            headers |= self._mcp_headers(ask)
        answer = await self.http.request(
            ask.method, path, headers=headers, content=text if ask.body is not None else None
        )
        return Response(answer.status_code, f"{dict(answer.headers)}\n{readable(answer)}")

    def _mcp_headers(self, ask: Request) -> dict[str, str]:
        if ask.interface == LEGACY:
            return {"mcp-protocol-version": LEGACY, "mcp-session-id": self.session}
        assert ask.body is not None
        params = ask.body.get("params", {})
        name = params.get("name") or params.get("uri")
        named = {"mcp-name": str(name)} if name else {}
        return {"mcp-protocol-version": MODERN, "mcp-method": str(ask.body["method"]), **named}

    async def _over_sse(self, ask: Request) -> Response:
        assert ask.body is not None
        given = await self.sse.call_tool(ask.body["params"]["name"], ask.body["params"]["arguments"])
        return Response(200, given.model_dump_json())


def readable(answer: httpx.Response) -> str:
    """A body as text, whatever its format."""
    kind = answer.headers.get("content-type", "")
    if answer.status_code == 200 and "parquet" in kind:
        file = parquet.ParquetFile(io.BytesIO(answer.content))
        return f"{file.schema_arrow} {file.metadata.metadata} {file.read().to_pylist()}"
    if answer.status_code == 200 and "arrow" in kind:
        with pa.ipc.open_stream(answer.content) as stream:
            return f"{stream.schema} {stream.read_all().to_pylist()}"
    return answer.text


@asynccontextmanager
async def callers(home: PublishedHome, address: str) -> AsyncIterator[dict[str, Caller]]:
    """A caller of each tenant, with a session of the `initialize` era and an SSE stream open."""
    async with AsyncExitStack() as stack:
        found = {}
        for slug in (*SLUGS, AGENCY):
            limits = httpx.Limits(max_connections=2 * IN_FLIGHT, max_keepalive_connections=2 * IN_FLIGHT)
            client = httpx.AsyncClient(base_url=address, headers=home.headers(slug), timeout=120, limits=limits)
            http = await stack.enter_async_context(client)
            session = await begin_session(http)
            sse = Client(sse_client(f"{address}/sse", headers=home.headers(slug)), mode="legacy")
            found[slug] = Caller(slug, http, session, await stack.enter_async_context(sse))
        yield found


async def begin_session(http: httpx.AsyncClient) -> str:
    greeting = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "isolation", "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": greeting}
    begun = await http.post("/mcp", json=body, headers={"accept": ACCEPT})
    session: str = begun.headers["mcp-session-id"]
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await http.post("/mcp", json=ready, headers={"accept": ACCEPT, "mcp-session-id": session})
    return session


class Draw:
    """Seeded requests: sound ones, misspelt ones, and some about the other tenant."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._number = 0

    def ask(self, callers_by_slug: Mapping[str, Caller]) -> Request:
        random = self._random
        kind = random.choice((self._tool, self._tool, self._rest_query, self._rest, self._mcp, self._taken))
        return kind(callers_by_slug)

    def _one(self, of: Sequence[str]) -> str:
        return self._random.choice(of)

    def _some(self, of: Sequence[str], most: int) -> list[str]:
        return self._random.sample(of, self._random.randint(0, min(most, len(of))))

    def _misspelt(self, word: str) -> str:
        place = self._random.randrange(len(word))
        return word[:place] + word[place + 1 :]

    def _question(self) -> Json:
        random = self._random
        metrics = self._some(METRICS, 2) or ["spend"]
        found: Json = {"metrics": metrics, "dimensions": self._some(DIMENSIONS, 2)}
        if random.random() < 0.2:
            found["metrics"] = [self._misspelt(metrics[0])]
        if random.random() < 0.1:
            found["metrics"] = [self._one(ALMOST)]
        if random.random() < 0.4:
            value: object = f"{self._one(WORDS)} campaign {random.randint(1, 3)}"
            op = self._one(("=", "contains", "starts_with", "!="))
            found["filters"] = [{"name": self._one(DIMENSIONS), "op": op, "value": value}]
        if random.random() < 0.3:
            found["limit"] = random.randint(1, 3)
        if random.random() < 0.3:
            found["include_sql"] = True
        if random.random() < 0.3:
            found["time_range"] = {"start": f"2026-01-{random.randint(1, 28):02}", "end": "2026-02-20"}
        if random.random() < 0.1:
            found["totals"] = True
        return found

    def _rpc(self, what: str, method: str, params: Json) -> Request:
        interface = self._one((MODERN, MODERN, LEGACY))
        self._number += 1
        body: Json = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        if interface == MODERN:
            body["params"] = {**params, "_meta": META}
        return Request(interface, what, body=body)

    def _call(self, name: str, arguments: Json) -> Request:
        if self._random.random() < 0.25:
            return Request("sse", name, body={"params": {"name": name, "arguments": arguments}})
        return self._rpc(name, "tools/call", {"name": name, "arguments": arguments})

    def _tool(self, _: Mapping[str, Caller]) -> Request:
        random = self._random
        chosen = random.randrange(7)
        if chosen == 6:
            question = self._question()
            change = {"metric": question["metrics"][0], "time_range": {"start": "2026-02-01", "end": "2026-02-20"}}
            return self._call("explain_change", {**change, "dimensions": question["dimensions"]})
        if chosen < 3:
            chart = {"chart": self._one(("vega-lite", "svg"))} if random.random() < 0.02 else {}
            return self._call("query", {**self._question(), **chart})
        if chosen == 3:
            dimension = self._one(DIMENSIONS) if random.random() < 0.8 else self._misspelt(self._one(DIMENSIONS))
            search = {"search": self._one(WORDS)} if random.random() < 0.6 else {}
            return self._call("get_dimension_values", {"dimension_name": dimension, **search})
        if chosen == 4:
            return self._call("list_metrics", {"search": self._one(WORDS)} if random.random() < 0.5 else {})
        wrong = {"tenant": "{other}"} if random.random() < 0.3 else {}
        return self._call("get_status", wrong)

    def _rest_query(self, _: Mapping[str, Caller]) -> Request:
        accept = self._one(FORMS)
        whose = "{own}" if self._random.random() < 0.9 else "{other}"
        path = f"/semantic-layer/{whose}/query"
        return Request("rest", f"POST {path} {accept}", path, body=self._question(), accept=accept)

    def _rest(self, _: Mapping[str, Caller]) -> Request:
        whose = "{own}" if self._random.random() < 0.7 else self._one(("{other}", "gamma", "nobody"))
        path = self._one(
            (
                f"/semantic-layer/{whose}",
                f"/semantic-layer/{whose}/dimensions",
                f"/semantic-layer/{whose}/measures",
                f"/semantic-layer/{whose}/relationships",
                f"/semantic-layer/{whose}/values/{self._one(DIMENSIONS)}?search={self._one(WORDS)}",
                f"/semantic-layer/{whose}/values/{self._misspelt(self._one(DIMENSIONS))}",
                "/models",
                f"/models/fct_{whose}__orders",
                f"/models/dim_{whose}__campaigns",
                "/catalog",
                f"/readiness/{whose}",
                f"/observability/{whose}/runs",
                "/connectors",
                "/jobs",
                "/metrics",
                "/health",
                f"/{whose}",
            )
        )
        return Request("rest", f"GET {path.partition('?')[0]}", path, "GET", accept="application/json")

    def _mcp(self, _: Mapping[str, Caller]) -> Request:
        metric = self._one((*METRICS, *ALMOST, "spnd"))
        chosen = self._random.randrange(7)
        if chosen == 0:
            listed = self._one(("tools", "resources", "resources/templates", "prompts"))
            return self._rpc(f"{listed}/list", f"{listed}/list", {})
        if chosen in {1, 2}:
            uri = self._one((f"metric://{metric}", "status://runs", "metric://../{other}", "status://{other}"))
            return self._rpc("resources/read", "resources/read", {"uri": uri})
        if chosen == 3:
            given = {"metric": metric} if self._random.random() < 0.5 else {}
            return self._rpc("prompts/get", "prompts/get", {"name": self._one(PROMPTS), "arguments": given})
        argument = self._one(("metric", "dimension", "value", "name"))
        ref = {"type": "ref/resource", "uri": "metric://{name}"}
        if argument != "name":
            ref = {"type": "ref/prompt", "name": self._one(PROMPTS)}
        known = {"context": {"arguments": {"dimension": self._one(DIMENSIONS)}}} if argument == "value" else {}
        typed = {"name": argument, "value": self._one(WORDS)}
        return self._rpc("completion/complete", "completion/complete", {"ref": ref, "argument": typed, **known})

    def _taken(self, callers_by_slug: Mapping[str, Caller]) -> Request:
        """A handle, a cursor or a session that one of the two was given: both send it."""
        owner = callers_by_slug[self._one(SLUGS)]
        if owner.handles and self._random.random() < 0.6:
            form = self._one(("csv", "json", "parquet", "arrow"))
            return Request("rest", "GET a handle", f"{self._one(owner.handles)}?format={form}", "GET", accept="*/*")
        if owner.cursors:
            question, cursor = self._random.choice(owner.cursors)
            if self._random.random() < 0.5:
                return self._call("query", {**question, "cursor": cursor})
            body = {**question, "cursor": cursor}
            return Request("rest", "POST a cursor", "/semantic-layer/{own}/query", body=body, accept="application/json")
        return self._rest_query(callers_by_slug)


@dataclass
class Crossings:
    """What was asked, and what crossed."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    """Answers that held their own tenant's canary, by interface: what was asked did reach the data."""
    taken: Counter[str] = field(default_factory=Counter)
    """Handles that were sent, by whose they were, and how they were answered."""
    crossed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def crossing(slug: str, text: str, *, others: Sequence[str] | None = None) -> str | None:
    """The first text of another tenant in a response to one; None when there is none."""
    for other in others or [other for other in CANARY if other != slug]:
        found = re.search(rf"{CANARY[other]}|_{other}__|published/{other}|\b{other}_\d{{8}}", text, re.IGNORECASE)
        if found:
            return text[max(0, found.start() - 100) : found.end() + 100]
    return None


def as_agency(ask: Request, tenant: str, *, both: bool) -> Request:
    """A draw as the agency sends it: for one of its tenants, or a question for both."""
    path = ask.path.replace("{own}", tenant)
    body = json.loads(json.dumps(ask.body).replace("{own}", tenant)) if ask.body else None
    params = body.get("params", {}) if body else {}
    if body and ("arguments" in params or body.get("method") == "tools/call"):
        named: Json = {"tenants": list(SLUGS)} if both else {"tenant": tenant}
        params["arguments"] = {**params.get("arguments", {}), **named}
    elif body and body.get("method") == "completion/complete":
        given = params.setdefault("context", {}).setdefault("arguments", {})
        params["context"]["arguments"] = {**given, "tenant": tenant}
    return Request(ask.interface, ask.what, path, ask.method, body, ask.accept)


def with_rows(ask: Request) -> Request:
    """The same call with a question that every tenant has rows for."""
    body = json.loads(json.dumps(ask.body))
    body["params"]["arguments"] = {"metrics": ["clicks"], "dimensions": ["campaign_name"], "limit": 4}
    return replace(ask, body=body)


def said(response: Response) -> str:
    """What a tool answers, without what changes from call to call."""
    return re.sub(
        r"/results/[\w-]{22}|\d{4}-\d\d-\d\dT[\d:.+]+|'date': '[^']*'|'mcp-[^']*': '[^']*'", "_", response.text
    )


def note_agency(found: Crossings, ask: Request, tenant: str, responses: Mapping[str, Response], *, both: bool) -> None:
    """Count an answer to the agency, and look for what crossed: into it, or between the tenants in it."""
    response = responses[AGENCY]
    found.calls[AGENCY] += 1
    found.statuses[response.status] += 1
    if response.status >= 500:
        found.failed.append(f"agency of {tenant}: {ask}: {response.text[:300]}")
    if text := crossing(AGENCY, response.text, others=(OUTSIDE,)):
        found.crossed.append(f"agency {ask}: {text}")
    is_of_all = ask.path in {"/models", "/catalog"} or ask.what == "GET a handle"
    if both:
        for row in rows_of(response):
            if row[0] not in SLUGS or (text := crossing(row[0], json.dumps(row))):
                found.crossed.append(f"agency of both: {ask}: {row}")
            found.own["agency of both"] += CANARY[row[0]] in json.dumps(row)
    elif not is_of_all:
        if text := crossing(tenant, response.text):
            found.crossed.append(f"agency of {tenant}: {ask}: {text}")
        found.own[AGENCY] += CANARY[tenant].lower() in response.text.lower()
        is_tool = ask.body is not None and "arguments" in ask.body.get("params", {}) and ask.what != "prompts/get"
        if is_tool and "tenant" not in ask.body["params"]["arguments"] and said(response) != said(responses[tenant]):
            found.crossed.append(f"agency of {tenant}: {ask}: other than its own: {said(response)[:600]}")


def rows_of(response: Response) -> list[list[Any]]:
    """The rows of a tool's answer, over any transport."""
    found = re.search(r"\{.*\}", response.text.partition("\n")[2] or response.text, re.DOTALL)
    answer = json.loads(found[0]) if found else {}
    answer = answer.get("result", answer)
    rows: list[list[Any]] = (answer.get("structuredContent") or answer.get("structured_content") or {}).get("rows", [])
    return rows


async def cross(home: PublishedHome, address: str, pairs: int, seed: int) -> Crossings:
    """Send so many draws as both tenants and their agency at once, several in flight, and look for what crosses."""
    found = Crossings()
    draw = Draw(seed)
    async with callers(home, address) as both:
        for slug, caller in ((slug, both[slug]) for slug in SLUGS):  # each has a handle and a cursor from the start
            cut = Request(
                "rest", "POST {own}/query", "/semantic-layer/{own}/query", body=CUT, accept="application/json"
            )
            note(found, both, slug, cut, await caller.send(cut))
        room = asyncio.Semaphore(IN_FLIGHT)

        chosen = Random(seed)

        async def pair(ask: Request) -> None:
            tenant = chosen.choice(SLUGS)
            together = ask.what == "query" and "cursor" not in json.dumps(ask.body) and chosen.random() < 0.5
            if together and chosen.random() < 0.5:  # few random questions have rows of both
                ask = with_rows(ask)
            asked = dict.fromkeys(SLUGS, ask) | {AGENCY: as_agency(ask, tenant, both=together)}
            async with room:
                answers = await asyncio.gather(*(both[slug].send(each) for slug, each in asked.items()))
            responses = dict(zip(asked, answers, strict=True))
            for slug in SLUGS:
                note(found, both, slug, ask, responses[slug])
            note_agency(found, ask, tenant, responses, both=together)

        waiting = set()
        for _ in range(pairs):
            while room.locked():
                await asyncio.sleep(0)
                if waiting:
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    [task.result() for task in done]
            waiting.add(asyncio.create_task(pair(draw.ask(both))))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
    return found


def note(found: Crossings, both: Mapping[str, Caller], slug: str, ask: Request, response: Response) -> None:
    """Count an answer, keep the handle and cursor it gives, and look for what crossed."""
    found.calls[ask.interface] += 1
    found.statuses[response.status] += 1
    if response.status >= 500:
        found.failed.append(f"{slug} {ask}: {response.text[:300]}")
    if text := crossing(slug, response.text):
        found.crossed.append(f"{slug} {ask}: {text}")
    if CANARY[slug].lower() in response.text.lower():
        found.own[ask.interface] += 1
    caller = both[slug]
    if ask.what == "GET a handle":
        owner = slug if ask.path.partition("?")[0] in caller.handles else OTHER[slug]
        found.taken[f"{'own' if owner == slug else 'foreign'} {response.status}"] += 1
    for path in re.findall(r"/results/[\w-]{22}", response.text):
        if path not in caller.handles and ask.what != "GET a handle":
            caller.handles.append(path)
    is_question = ask.what == "query" or ask.what.startswith("POST {own}") or "/query" in ask.what
    if is_question and (given := re.search(r'\\?"cursor\\?": ?\\?"([^"\\]+)', response.text)):
        body = ask.body or {}
        question = body.get("params", {}).get("arguments", body)
        caller.cursors.append(({key: value for key, value in question.items() if key != "chart"}, given[1]))


def probes() -> Sequence[tuple[Request, str, str]]:
    """Requests by alpha with a word of beta's in place of `{word}`, the word, and one as long that nobody has."""
    theirs, nobodys = CANARY["beta"], CANARY["beta"].replace("BETA", "ZETA")  # as far from alpha's own words
    question = {"metrics": ["spend"], "filters": [{"name": "campaign_name", "value": "{word} campaign 1"}]}
    change = {"metric": "spend", "time_range": "last_week"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}

    def tool(name: str, arguments: Json) -> Request:
        return Request(MODERN, name, body={**call, "params": {"name": name, "arguments": arguments, "_meta": META}})

    values = {"dimension_name": "campaign_name", "search": "{word}"}
    read = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "metric://{word}", "_meta": META}}
    metric, no_metric = OWN_METRIC["beta"], OWN_METRIC["beta"].replace("beta", "zeta")
    paths = ("/semantic-layer/{word}", "/semantic-layer/{word}/values/campaign_name", "/readiness/{word}")
    paths += ("/models/fct_{word}__orders", "/semantic-layer/{word}/nonsense", "/observability/{word}/runs")
    return [
        (tool("query", question), theirs, nobodys),
        (tool("query", {**question, "filters": [{**question["filters"][0], "op": "contains"}]}), theirs, nobodys),
        (tool("query", {"metrics": ["{word}"]}), metric, no_metric),
        (tool("query", {"metrics": ["spend"], "dimensions": ["{word}"]}), metric, no_metric),
        (tool("get_dimension_values", values), theirs, nobodys),
        (tool("list_metrics", {"search": "{word}"}), theirs, nobodys),
        (tool("explain_change", {**change, "filters": question["filters"]}), theirs, nobodys),
        (tool("explain_change", {**change, "dimensions": ["{word}"]}), metric, no_metric),
        (Request(MODERN, "resources/read", body=read), metric, no_metric),
        (
            Request("rest", "query", "/semantic-layer/alpha/query", body=question, accept="application/json"),
            theirs,
            nobodys,
        ),
        (Request("rest", "query", "/semantic-layer/{word}/query", body={"metrics": ["spend"]}), "beta", "zeta"),
        *((Request("rest", path, path, "GET", accept="application/json"), "beta", "zeta") for path in paths),
    ]


def outside_probes() -> Sequence[Request]:
    """Requests by the agency with the name of a tenant in place of `{word}`."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}

    def rpc(method: str, params: Json) -> Request:
        body = {**call, "method": method, "params": {**params, "_meta": META}}
        return Request(MODERN, method, body=body)

    def tool(name: str, **arguments: Any) -> Request:
        return rpc("tools/call", {"name": name, "arguments": arguments})

    paths = ("/semantic-layer/{word}", "/semantic-layer/{word}/values/campaign_name", "/readiness/{word}")
    paths += ("/models/fct_{word}__orders", "/observability/{word}", "/observability/{word}/runs")
    typed = {"ref": {"type": "ref/prompt", "name": "weekly_review"}, "argument": {"name": "dimension", "value": ""}}
    return [
        tool("query", metrics=["spend"], tenant="{word}"),
        tool("query", metrics=["clicks"], tenants=["alpha", "{word}"]),
        tool("list_metrics", tenant="{word}"),
        tool("get_dimension_values", dimension_name="campaign_name", tenant="{word}"),
        tool("get_status", tenant="{word}"),
        rpc("prompts/get", {"name": "weekly_review", "arguments": {"tenant": "{word}"}}),
        rpc("completion/complete", {**typed, "context": {"arguments": {"tenant": "{word}"}}}),
        Request("rest", "query", "/semantic-layer/{word}/query", body={"metrics": ["spend"]}),
        *(Request("rest", path, path, "GET", accept="application/json") for path in paths),
    ]


async def answered_with(caller: Caller, ask: Request, word: str) -> Response:
    """What a probe is answered with this word, the word itself and what changes from call to call taken out."""
    body = json.loads(json.dumps(ask.body).replace("{word}", word)) if ask.body else None
    path = ask.path.replace("{word}", quote(word))
    response = await caller.send(Request(ask.interface, ask.what, path, ask.method, body, ask.accept))
    text = re.sub(r"/results/[\w-]{22}|'etag': '[^']*'|\d{4}-\d\d-\d\dT[\d:.+]+|'date': '[^']*'", "_", response.text)
    return Response(response.status, re.sub(word, "{word}", text, flags=re.IGNORECASE))
