// Reads openapi.json and lets a person try each operation. Every text goes in as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, text, more = {}) {
  const element = Object.assign(document.createElement(name), more);
  if (text) element.textContent = text;
  return element;
}

function resolved(document, schema) {
  let found = schema || {};
  for (let n = 0; n < 20 && found.$ref; n += 1) {
    found = found.$ref.slice(2).split("/").reduce((at, key) => at[key.replaceAll("~1", "/")], document);
  }
  return found;
}

function sample(document, content) {
  const [type, media] = Object.entries(content)[0] || ["application/json", {}];
  const first = media.examples && Object.values(media.examples)[0];
  const schema = resolved(document, media.schema);
  const example = media.example ?? (first && first.value) ?? (schema.examples && schema.examples[0]) ?? schema.example ?? {};
  return { type, text: typeof example === "string" ? example : JSON.stringify(example, null, 2) };
}

function field(parameter) {
  const label = element("label", `${parameter.name}${parameter.required ? " *" : ""} (${parameter.in}) `);
  const known = (parameter.schema && parameter.schema.examples) || [];
  const input = element("input", "", { name: parameter.name, placeholder: String(parameter.example ?? known[0] ?? "") });
  label.append(input, ` ${parameter.description || ""}`);
  return { parameter, label, input };
}

async function send(path, method, fields, body, output) {
  let address = path;
  const query = new URLSearchParams();
  const headers = {};
  for (const { parameter, input } of fields) {
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.append(parameter.name, input.value);
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
  }
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = body.type;
  const request = { method: method.toUpperCase(), headers, body: body && body.area.value };
  output.textContent = "…";
  try {
    const answer = await fetch(address + (query.size ? `?${query}` : ""), request);
    const text = await answer.text();
    const headerNames = ["content-type", "etag", "link", "retry-after", "www-authenticate"];
    const sent = headerNames.filter((name) => answer.headers.get(name));
    const headerLines = sent.map((name) => `${name}: ${answer.headers.get(name)}`);
    output.textContent = [`${answer.status} ${answer.statusText}`, ...headerLines, "", text.slice(0, 200000)].join("\n");
  } catch (error) {
    output.textContent = String(error);
  }
}

function operation(document, path, method, described) {
  const box = element("details");
  const head = element("summary");
  head.append(element("b", method.toUpperCase()), element("code", path), ` ${described.summary || ""}`);
  const form = element("form");
  const fields = (described.parameters || []).map((each) => field(resolved(document, each)));
  const output = element("pre", "");
  let body = null;
  const content = described.requestBody && resolved(document, described.requestBody).content;
  if (content) {
    const { type, text } = sample(document, content);
    body = { type, area: element("textarea", "", { value: text, spellcheck: false }) };
  }
  form.append(...fields.map((each) => each.label), ...(body ? [body.area] : []), element("button", "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(path, method, fields, body, output);
  });
  box.append(head, element("p", described.description || "", { className: "what" }), form, output);
  return box;
}

async function show() {
  const page = document.getElementById("operations");
  const api = await (await fetch("/openapi.json")).json();
  document.getElementById("about").textContent = `${api.info.version}. ${api.info.description || ""}`;
  const sections = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => methods[name])) {
      const tag = (methods[method].tags || ["other"])[0];
      if (!sections.has(tag)) sections.set(tag, [element("h2", tag)]);
      sections.get(tag).push(operation(api, path, method, methods[method]));
    }
  }
  page.replaceChildren(...[...sections.values()].flat());
}

show();
