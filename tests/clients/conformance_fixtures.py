"""The tools, resources and prompts that the official conformance suite looks for, added to the server that users get.

The suite (npm `@modelcontextprotocol/conformance`) calls things by fixed names: a tool that answers with a picture, one
that asks its user, a prompt with an image. Nothing of gata is replaced: the same factory and middleware stand
around these. What each must do is written in the descriptions of the suite's scenarios.
"""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

Ctx = Context[Any, Any]  # Any: there is no lifespan state
Schema = dict[str, Any]  # Any: JSON Schema

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
WAV = base64.b64encode(
    b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\x02\0\0\0\0\0"
).decode()
PAUSE_SECONDS = 0.05

SCHEMA_2020_12: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
DEFAULTS: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
    "required": [],
}
_TITLED = [{"const": f"value{n}", "title": f"{nth} Option"} for n, nth in enumerate(("First", "Second", "Third"), 1)]
_PLAIN = ["option1", "option2", "option3"]
ENUMS: Schema = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": _PLAIN},
        "titledSingle": {"type": "string", "oneOf": _TITLED},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _PLAIN}},
        "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
    },
    "required": [],
}
PROMPTS = (
    "test_simple_prompt",
    "test_prompt_with_arguments",
    "test_prompt_with_embedded_resource",
    "test_prompt_with_image",
    "test_input_required_result_prompt",
)


def add_fixtures(app: MCPServer[Any]) -> None:  # Any: there is no lifespan state
    """Give the server what the suite calls."""
    _contents(app)
    _conversations(app)
    _questions(app)
    _resources(app)
    _prompts(app)


def _text(said: str) -> TextContent:
    return TextContent(type="text", text=said)


def _image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def _embedded(uri: str, mime: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime, text=text))


def _contents(app: MCPServer[Any]) -> None:
    """Tools by the kind of content that they give."""

    @app.tool(description="Gives text.", structured_output=False)
    def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @app.tool(description="Gives an image.", structured_output=False)
    def test_image_content() -> ImageContent:
        return _image()

    @app.tool(description="Gives a sound.", structured_output=False)
    def test_audio_content() -> AudioContent:
        return AudioContent(type="audio", data=WAV, mime_type="audio/wav")

    @app.tool(description="Gives a resource.", structured_output=False)
    def test_embedded_resource() -> EmbeddedResource:
        return _embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")

    @app.tool(description="Gives text, an image and a resource.", structured_output=False)
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        mixed = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return [_text("Multiple content types test:"), _image(), mixed]

    @app.tool(description="Always fails.", structured_output=False)
    def test_error_handling() -> str:
        raise ToolError("This tool intentionally returns an error for testing")

    @app.tool(
        name="json_schema_2020_12_tool",
        description="Tool with JSON Schema 2020-12 features",
        structured_output=False,
    )
    def json_schema_2020_12(name: str = "") -> str:
        return name

    (tool,) = [tool for tool in app._tool_manager.list_tools() if tool.name == "json_schema_2020_12_tool"]
    tool.parameters = SCHEMA_2020_12

    @app.tool(description="Takes a region that clients repeat in a header.", structured_output=False)
    def test_headers(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        return region


def _conversations(app: MCPServer[Any]) -> None:  # noqa: C901  # as many as the suite has
    """Tools that say something before they answer, or ask over the connection as clients to 2025-11-25 expect."""

    @app.tool(description="Would log, if it had been asked to.", structured_output=False)
    async def test_logging_tool(ctx: Ctx) -> str:
        await ctx.info("Only for those who asked for logs.")
        return "Done."

    @app.tool(description="Reports progress.", structured_output=False)
    async def test_tool_with_progress(ctx: Ctx) -> str:
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100, f"{done} of 100")
            await anyio.sleep(PAUSE_SECONDS)
        return "Tool with progress executed."

    @app.tool(description="Asks the client's model.", structured_output=False)
    async def test_sampling(prompt: str, ctx: Ctx) -> str:
        asked = [SamplingMessage(role="user", content=_text(prompt))]
        given = await ctx.session.create_message(asked, max_tokens=100)
        return f"LLM response: {getattr(given.content, 'text', '')}"

    @app.tool(description="Asks the client's user.", structured_output=False)
    async def test_elicitation(message: str, ctx: Ctx) -> str:
        fields = {"username": "User's response", "email": "User's email address"}
        wanted = {name: {"type": "string", "description": said} for name, said in fields.items()}
        return await _elicited(ctx, message, {"type": "object", "properties": wanted, "required": list(wanted)})

    @app.tool(description="Asks the client's user, with defaults.", structured_output=False)
    async def test_elicitation_sep1034_defaults(ctx: Ctx) -> str:
        return await _elicited(ctx, "Please check these.", DEFAULTS)

    @app.tool(description="Asks the client's user to choose.", structured_output=False)
    async def test_elicitation_sep1330_enums(ctx: Ctx) -> str:
        return await _elicited(ctx, "Please choose.", ENUMS)

    @app.tool(description="Closes its stream, and answers on the next.", structured_output=False)
    async def test_reconnection(ctx: Ctx) -> str:
        await ctx.close_sse_stream()
        await anyio.sleep(PAUSE_SECONDS)
        return "Reconnection test completed."

    @app.tool(description="Needs a client that can sample.", structured_output=False)
    async def test_missing_capability(ctx: Ctx) -> str:
        if ctx.client_capabilities is None or ctx.client_capabilities.sampling is None:
            needed = {"requiredCapabilities": {"sampling": {}}}
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "This needs a client that can sample.", needed)
        return "It can."

    @app.tool(description="Says that the tools have changed.", structured_output=False)
    async def test_trigger_tool_change(ctx: Ctx) -> str:
        await ctx.notify_tools_changed()
        return "Said."

    @app.tool(description="Says that the prompts have changed.", structured_output=False)
    async def test_trigger_prompt_change(ctx: Ctx) -> str:
        await ctx.notify_prompts_changed()
        return "Said."


async def _elicited(ctx: Ctx, message: str, schema: Schema) -> str:
    given = await ctx.session.elicit_form(message, schema, ctx.request_id)
    return f"Elicitation completed: action={given.action}, content={json.dumps(given.content or {})}"


def _form(message: str, **fields: str) -> ElicitRequest:
    wanted = {"type": "object", "properties": {n: {"type": kind} for n, kind in fields.items()}, "required": [*fields]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=wanted))


def _sample(said: str, most: int) -> CreateMessageRequest:
    asked = [SamplingMessage(role="user", content=_text(said))]
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=asked, max_tokens=most))


def _answered(ctx: Ctx, *names: str) -> bool:
    return set(names) <= set(ctx.input_responses or {})


def _name(ctx: Ctx, key: str, field: str) -> str:
    given = (ctx.input_responses or {}).get(key)
    return str((given.content or {}).get(field)) if isinstance(given, ElicitResult) else ""


def _questions(app: MCPServer[Any]) -> None:  # noqa: C901  # as many as the suite has
    """Tools that answer with a question, as protocol 2026-07-28 has it; the server seals the state they hand out."""
    name = {"user_name": _form("What is your name?", name="string")}
    confirm = {"confirm": _form("Please confirm", ok="boolean")}
    capital = {"capital_question": _sample("What is the capital of France?", 100)}
    roots = {"client_roots": ListRootsRequest()}

    @app.tool(description="Asks for a name.", structured_output=False)
    def test_input_required_result_elicitation(ctx: Ctx) -> str | InputRequiredResult:
        if not isinstance((ctx.input_responses or {}).get("user_name"), ElicitResult):
            return InputRequiredResult(input_requests=name)
        return f"Hello, {_name(ctx, 'user_name', 'name')}!"

    @app.tool(description="Asks for a name, where a stream is open.", structured_output=False)
    def test_streaming_elicitation(ctx: Ctx) -> str | InputRequiredResult:
        return InputRequiredResult(input_requests=name) if not _answered(ctx, "user_name") else "Hello."

    @app.tool(description="Asks the client's model.", structured_output=False)
    def test_input_required_result_sampling(ctx: Ctx) -> str | InputRequiredResult:
        return "It said." if _answered(ctx, *capital) else InputRequiredResult(input_requests=capital)

    @app.tool(description="Asks for the client's roots.", structured_output=False)
    def test_input_required_result_list_roots(ctx: Ctx) -> str | InputRequiredResult:
        given = (ctx.input_responses or {}).get("client_roots")
        return f"Roots: {given}" if given else InputRequiredResult(input_requests=roots)

    @app.tool(description="Asks to confirm, and keeps a state.", structured_output=False)
    def test_input_required_result_request_state(ctx: Ctx) -> str | InputRequiredResult:
        if ctx.request_state != "asked" or not _answered(ctx, "confirm"):
            return InputRequiredResult(input_requests=confirm, request_state="asked")
        return "state-ok"

    @app.tool(description="Asks to confirm, and trusts no state but its own.", structured_output=False)
    def test_input_required_result_tampered_state(ctx: Ctx) -> str | InputRequiredResult:
        if ctx.request_state != "asked":
            return InputRequiredResult(input_requests=confirm, request_state="asked")
        return "state-ok"

    @app.tool(description="Asks three things at once.", structured_output=False)
    def test_input_required_result_multiple_inputs(ctx: Ctx) -> str | InputRequiredResult:
        asked = {**name, "greeting": _sample("Generate a greeting", 50), **roots}
        if not _answered(ctx, *asked):
            return InputRequiredResult(input_requests=asked, request_state="asked")
        return "All answered."

    @app.tool(description="Asks twice.", structured_output=False)
    def test_input_required_result_multi_round(ctx: Ctx) -> str | InputRequiredResult:
        if ctx.request_state == "named" and _answered(ctx, "step2"):
            return "Both answered."
        if ctx.request_state == "asked" and _answered(ctx, "step1"):
            color = {"step2": _form("Step 2: What is your favorite color?", color="string")}
            return InputRequiredResult(input_requests=color, request_state="named")
        first = {"step1": _form("Step 1: What is your name?", name="string")}
        return InputRequiredResult(input_requests=first, request_state="asked")

    @app.tool(description="Asks only what the client can answer.", structured_output=False)
    def test_input_required_result_capabilities(ctx: Ctx) -> str | InputRequiredResult:
        able = ctx.client_capabilities
        asked = {
            **(capital if able and able.sampling is not None else {}),
            **(name if able and able.elicitation is not None else {}),
        }
        return InputRequiredResult(input_requests=asked) if asked else "There is nothing that this client can answer."


def _resources(app: MCPServer[Any]) -> None:
    @app.resource("test://static-text", name="static-text", description="A text.", mime_type="text/plain")
    def text() -> str:
        return "This is the content of the static text resource."

    @app.resource("test://static-binary", name="static-binary", description="A picture.", mime_type="image/png")
    def binary() -> bytes:
        return base64.b64decode(PNG)

    @app.resource("test://template/{id}/data", name="template", description="By id.", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002  # the suite's own name
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _prompts(app: MCPServer[Any]) -> None:
    @app.prompt(description="A text.")
    def test_simple_prompt() -> list[UserMessage]:
        return [UserMessage(_text("This is a simple prompt for testing."))]

    @app.prompt(description="A text with arguments.")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        return [UserMessage(_text(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))]

    @app.prompt(description="A resource, and what to do with it.")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
        shown = _embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(shown), UserMessage(_text("Please process the embedded resource above."))]

    @app.prompt(description="An image, and what to do with it.")
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(_image()), UserMessage(_text("Please analyze the image above."))]

    @app.prompt(description="Asks first which context to use.")
    def test_input_required_result_prompt(ctx: Ctx) -> list[UserMessage] | InputRequiredResult:
        if not _answered(ctx, "user_context"):
            asked = {"user_context": _form("What context should the prompt use?", context="string")}
            return InputRequiredResult(input_requests=asked)
        return [UserMessage(_text(f"Use this context: {_name(ctx, 'user_context', 'context')}"))]
