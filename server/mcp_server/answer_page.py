"""MCP Apps page that shows a chart inside a client: static, without third-party scripts, for one picture.

The picture comes with the result of `show_chart`, in `_meta`; as the source of an image nothing in it can run. The page
asks for no domain and no permission. Source: the ext-apps specification of 2026-01-26.
"""

from __future__ import annotations

from mcp.server.apps import Apps

from server.mcp_server.tool_specs import ANSWER_PAGE

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light">
<title>Chart</title>
<style>
  body { margin: 0; padding: 8px; background: #fff; color: #222; font: 14px system-ui, sans-serif }
  img { display: block; max-width: 100%; height: auto }
  p { margin: 8px 0 0 }
</style>
<img id="chart" alt="" hidden>
<p id="caption" role="status">The chart comes with the answer.</p>
<script>
"use strict";
const host = window.parent;
const send = (message) => host.postMessage({ jsonrpc: "2.0", ...message }, "*");
const chart = document.getElementById("chart");
const caption = document.getElementById("caption");
const fit = () => send({
  method: "ui/notifications/size-changed",
  params: { width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight },
});
const show = (result) => {
  const svg = result && result._meta && result._meta["gata/svg"];
  const about = result && result.structuredContent;
  if (!svg) {
    const text = result && result.content && result.content.find((part) => part.type === "text");
    caption.textContent = result && result.isError && text ? text.text : "There is no chart in this answer.";
    return fit();
  }
  chart.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  chart.alt = (about && about.chart && about.chart.title) || "Chart";
  chart.hidden = false;
  chart.onload = fit;
  caption.textContent = ((about && about.notes) || []).join(" ");
  fit();
};
window.addEventListener("message", (event) => {
  const message = event.data;
  if (event.source !== host || !message || message.jsonrpc !== "2.0") return;
  if (message.id === 1 && message.result) {
    send({ method: "ui/notifications/initialized" });
    fit();
  } else if (message.method === "ui/notifications/tool-result") {
    show(message.params);
  } else if (message.id !== undefined && message.method) {
    send({ id: message.id, result: {} });
  }
});
send({
  id: 1,
  method: "ui/initialize",
  params: { protocolVersion: "2026-01-26", appInfo: { name: "gata", version: "1" }, appCapabilities: {} },
});
</script>
</html>
"""


def answer_page() -> Apps:
    """The MCP extension that serves the page; the tools shown in it carry its address themselves."""
    apps = Apps()
    apps.add_html_resource(
        ANSWER_PAGE, _PAGE, name="answer", title="The chart of an answer", description="Shows what show_chart draws."
    )
    return apps
