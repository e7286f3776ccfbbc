// The official TypeScript clients against a server of ours: what each sees, as one line of JSON on stdout.
//
//     node smoke.mjs sdk|client stdio|sse|http TARGET      TARGET: an address, or a command as a JSON array
//
// `sdk` is @modelcontextprotocol/sdk (protocol 2025-11-25), `client` is @modelcontextprotocol/client (negotiates
// 2026-07-28). Both are looked for in node_modules of the working directory. SMOKE_TOKEN is the bearer token,
// SMOKE_QUESTION the arguments of the tool query.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [which, kind, target] = process.argv.slice(2);
const { SMOKE_TOKEN: token, SMOKE_QUESTION: question } = process.env;
const installed = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(installed.resolve(name)));

const transports = {
  sdk: { stdio: "sdk/client/stdio.js", sse: "sdk/client/sse.js", http: "sdk/client/streamableHttp.js" },
  client: { stdio: "client/stdio", sse: "client", http: "client" },
};
const names = { stdio: "StdioClientTransport", sse: "SSEClientTransport", http: "StreamableHTTPClientTransport" };

const { Client } = await load(`@modelcontextprotocol/${which === "sdk" ? "sdk/client/index.js" : "client"}`);
const { [names[kind]]: Transport } = await load(`@modelcontextprotocol/${transports[which][kind]}`);

function transport() {
  if (kind === "stdio") {
    const [command, ...args] = JSON.parse(target);
    return new Transport({ command, args, env: process.env });
  }
  return new Transport(new URL(target), { requestInit: { headers: { Authorization: `Bearer ${token}` } } });
}

const client = new Client(
  { name: "smoke", version: "1" },
  which === "client" && kind !== "sse" ? { versionNegotiation: { mode: "auto" } } : {},
);
await client.connect(transport());
const { tools } = await client.listTools();
const answer = await client.callTool({ name: "query", arguments: JSON.parse(question) });
const refusal = await client.callTool({ name: "query", arguments: { metrics: ["spnd"] } });
const { prompts } = await client.listPrompts();
const { resourceTemplates } = await client.listResourceTemplates();
const read = await client.readResource({ uri: "metric://spend" });
const completed = await client.complete({
  ref: { type: "ref/resource", uri: "metric://{name}" },
  argument: { name: "name", value: "spe" },
});
const seen = {
  server: client.getServerVersion()?.name,
  tools: tools.map((tool) => tool.name),
  structured: answer.structuredContent,
  text: answer.content[0].text,
  refusal: refusal.isError && refusal.content[0].text,
  prompts: prompts.map((prompt) => prompt.name),
  templates: resourceTemplates.map((template) => template.uriTemplate),
  metric: JSON.parse(read.contents[0].text).name,
  completed: completed.completion.values,
};
await client.close();
process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
