"""Cheap clients, one per interface of the server: raw HTTP/1.1, event streams and pipes, for `bench/serving.py`.

Each opens once and then answers `ask(arguments)` with the bytes of one answer to the tool query, or to REST's.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from bench.measured import ROOT

LEGACY, MODERN = "2025-11-25", "2026-07-28"
CLIENT = {"name": "bench", "version": "1"}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}
MODERN_HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": MODERN,
    "Mcp-Method": "tools/call",
    "Mcp-Name": "query",
}
GREETING = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT}
Arguments = dict[str, Any]  # Any: JSON values
LONGEST_LINE = 64 * 1024 * 1024


class Client(ABC):
    """One client; `ask` raises when the answer is an error."""

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def ask(self, arguments: Arguments) -> bytes: ...

    @abstractmethod
    async def close(self) -> None: ...


class Http:
    """One kept connection."""

    def __init__(self, port: int, token: str, slug: str = "alpha") -> None:
        self.port, self.token, self.slug = port, token, slug

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=LONGEST_LINE)

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Authorization: Bearer {self.token}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in lines[1:] if line)
        return int(lines[0].split(" ")[1]), {name.lower(): value for name, _, value in pairs}

    async def chunk(self) -> bytes:
        """The next chunk of a body without a length; empty at its end."""
        size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def request(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        self.send(method, path, headers, body)
        status, answered = await self.head()
        if "content-length" in answered:
            return status, answered, await self.reader.readexactly(int(answered["content-length"]))
        parts = []
        while part := await self.chunk():
            parts.append(part)
        return status, answered, b"".join(parts)

    def close(self) -> None:
        self.writer.close()


def call(number: int, arguments: Arguments, **more: object) -> bytes:
    params = {"name": "query", "arguments": arguments, **more}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()


def checked(status: int, body: bytes) -> bytes:
    if status != 200 or b'"isError":true' in body or b'"error":' in body[:200]:
        raise RuntimeError(f"{status}: {body[:300]!r}")
    return body


class Rest(Client):
    def __init__(self, port: int, token: str, slug: str = "alpha") -> None:
        self.http = Http(port, token, slug)

    async def open(self) -> None:
        await self.http.connect()

    async def ask(self, arguments: Arguments) -> bytes:
        path = f"/semantic-layer/{self.http.slug}/query"
        status, _, body = await self.http.request("POST", path, {}, json.dumps(arguments).encode())
        return checked(status, body)

    async def close(self) -> None:
        self.http.close()


class Modern(Rest):
    """Streamable HTTP, 2026-07-28: every request stands alone."""

    async def ask(self, arguments: Arguments) -> bytes:
        status, _, body = await self.http.request("POST", "/mcp", MODERN_HEADERS, call(1, arguments, _meta=META))
        return checked(status, body)


class Legacy(Rest):
    """Streamable HTTP, 2025-11-25: a session, answers as events."""

    async def open(self) -> None:
        await super().open()
        self._headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": LEGACY}
        greeting = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": GREETING}).encode()
        _, answered, _ = await self.http.request("POST", "/mcp", self._headers, greeting)
        self._headers["Mcp-Session-Id"] = answered["mcp-session-id"]
        ready = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
        await self.http.request("POST", "/mcp", self._headers, ready)

    async def ask(self, arguments: Arguments) -> bytes:
        status, _, body = await self.http.request("POST", "/mcp", self._headers, call(1, arguments))
        return checked(status, body)


class Sse(Rest):
    """HTTP+SSE: one stream of answers, and a connection for what is asked."""

    async def open(self) -> None:
        await super().open()
        self._stream = Http(self.http.port, self.http.token)
        await self._stream.connect()
        self._stream.send("GET", "/sse", {"Accept": "text/event-stream"})
        await self._stream.head()
        self._rest, self._number = b"", 0
        self._path = (await self._event()).decode()
        await self._post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": GREETING})
        await self._event()
        await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def _event(self) -> bytes:
        """The data of the next event; comments that keep the stream alive are left out."""
        while True:
            while b"\r\n\r\n" not in self._rest:
                self._rest += await self._stream.chunk()
            event, _, self._rest = self._rest.partition(b"\r\n\r\n")
            for line in event.split(b"\r\n"):
                if line.startswith(b"data: "):
                    return line[6:]

    async def _post(self, message: Arguments) -> None:
        await self.http.request("POST", self._path, {}, json.dumps(message).encode())

    async def ask(self, arguments: Arguments) -> bytes:
        self._number += 1
        await self.http.request("POST", self._path, {}, call(self._number, arguments))
        return checked(200, await self._event())

    async def close(self) -> None:
        self._stream.close()
        await super().close()


class Stdio(Client):
    """A server of its own over pipes; as many as like may ask at once."""

    def __init__(self, home: Path, era: str, slug: str = "alpha") -> None:
        self._home, self._era, self._slug = home, era, slug
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0

    async def open(self) -> None:
        gata = Path(sys.executable).with_name("gata")
        settings = {"GATA_HOME": str(self._home / "state"), "GATA_TENANTS": str(self._home / "tenants.yaml")}
        self._process = await asyncio.create_subprocess_exec(
            gata,
            *("mcp", "--tenant", self._slug),
            cwd=ROOT,
            env={**os.environ, **settings},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LONGEST_LINE,
        )
        self._reading = asyncio.create_task(self._read())
        if self._era == LEGACY:
            self._number += 1
            greeting = {"jsonrpc": "2.0", "id": self._number, "method": "initialize", "params": GREETING}
            await self._answered(json.dumps(greeting).encode())
            self._write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())

    def pid(self) -> int:
        return self._process.pid

    async def _read(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            number = int(line.partition(b'"id":')[2].partition(b",")[0])
            self._waiting.pop(number).set_result(line)

    def _write(self, message: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(message + b"\n")

    async def _answered(self, message: bytes) -> bytes:
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = waiting
        self._write(message)
        return await waiting

    async def ask(self, arguments: Arguments) -> bytes:
        self._number += 1
        more = {"_meta": META} if self._era == MODERN else {}
        return checked(200, await self._answered(call(self._number, arguments, **more)))

    async def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()
        await self._reading
