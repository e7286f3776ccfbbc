"""The conformance suite and the official clients: `python -P -m bench.conformance [--folder FOLDER] [--json]`.

Needs npm; Node 22.19 or newer is installed with the rest when there is none. The npm packages, pinned below, come from
wherever npm is told to look, into FOLDER or into one that is removed afterwards. The server is the one that users get
(`server.app.http_app`); for the suite a module of the tests adds the tools, resources and prompts that it calls.
Ends with 1 when a scenario that applies fails, or when a client sees another answer than the SQL of the test data.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import ROOT
from tests.clients.not_applicable import NOT_APPLICABLE
from tests.server.published_fixture import DAYS, PublishedHome, new_published_home

PACKAGES = {
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",  # 0.1.16, the latest tag, knows no 2026-07-28
    "@modelcontextprotocol/inspector": "2.12.0",
    "@modelcontextprotocol/sdk": "1.32.2",
    "@modelcontextprotocol/client": "2.4.0",
}
NODE, NODE_PACKAGE = (22, 19), "22.23.3"
QUESTION = {"metrics": ["spend"], "dimensions": ["campaign_name"], "order_by": ["campaign_name"]}
TOOLS = ["list_metrics", "get_dimension_values", "query", "explain_change", "get_status"]
CLIENTS = [(which, transport) for which in ("sdk", "client") for transport in ("stdio", "sse", "http")]
PATHS = {"sse": "/sse", "http": "/mcp"}
Json = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True)
class Verdict:
    """How often each scenario's checks ended how, and whether that is as it should be."""

    scenario: str
    checks: Counter[str]
    needs: str | None
    """The capability it needs that gata has not; None where it applies."""

    @property
    def is_right(self) -> bool:
        """A scenario that applies has no failed check; one that does not has one, or the table is out of date."""
        return bool(self.checks["FAILURE"]) == (self.needs is not None)


@dataclass(frozen=True)
class Npm:
    """A folder with the packages installed, and the environment in which they run."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def tool(self, name: str) -> str:
        return str(self.folder / "node_modules" / ".bin" / name)


def install(folder: Path) -> Npm:
    """Install the packages, those that are not there yet."""
    if shutil.which("npm") is None:
        sys.exit("There is no npm. Install Node.js; the tests of `make test` do without.")
    wanted = PACKAGES if _node_version() >= NODE else {**PACKAGES, "node": NODE_PACKAGE}
    described = json.dumps({"private": True, "dependencies": wanted}, indent=2)
    package = folder / "package.json"
    environment = {**os.environ, "PATH": f"{folder / 'node_modules' / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    if not package.exists() or package.read_text() != described or not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        package.write_text(described)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    return Npm(folder, environment)


def _node_version() -> tuple[int, ...]:
    try:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return (0, 0)
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


@contextmanager
def serving_fixtures() -> Iterator[str]:
    """The server with the fixtures, as a process; gives the address of its MCP endpoint."""
    command = [sys.executable, "-P", "-m", "tests.clients.conformance_server"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout
        address = server.stdout.readline().strip()
        if not address:
            sys.exit(f"The server does not start: {' '.join(command)}")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def conform(npm: Npm, address: str, revision: str) -> list[Verdict]:
    """What the suite says about every scenario of one revision, those that it does not score included."""
    out = npm.folder / f"out_{revision}"
    shutil.rmtree(out, ignore_errors=True)
    npm.run(npm.tool("conformance"), *f"server --url {address} --requirements {revision} --output-dir {out}".split())
    found = []
    for path in sorted(out.glob("server-*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", path.parent.name)
        checks = Counter(check["status"] for check in json.loads(path.read_text()))
        found.append(Verdict(scenario, checks, NOT_APPLICABLE[revision].get(scenario)))
    missing = NOT_APPLICABLE[revision].keys() - {verdict.scenario for verdict in found}
    if len(found) < 30 or missing:
        sys.exit(f"The suite ran {len(found)} scenarios of {revision}; not among them: {sorted(missing)}.")
    return found


def expected_rows() -> list[list[object]]:
    """The answer to QUESTION: campaign n of alpha spends 10 n and a millionth a day."""
    return [[f"ALPHAXCANARY campaign {n}", round(DAYS * (10 * n + 0.000001), 6)] for n in (1, 2)]


def smoke(npm: Npm, home: PublishedHome, address: str) -> dict[str, str]:
    """The result of every official client, over every transport: `ok`, or what is wrong."""
    found = {}
    for which, transport in CLIENTS:
        found[f"TypeScript {which}, {transport}"] = _judged(partial(_typescript, npm, home, address, which, transport))
    for transport in ("stdio", "sse", "http"):
        found[f"Inspector CLI, {transport}"] = _judged(partial(_inspector, npm, home, address, transport))
    found["mcp dev server/mcp_entry.py"] = _judged(partial(_mcp_dev, npm, home))
    return found


def _judged(look: Callable[[], None]) -> str:
    try:
        look()
    except (AssertionError, ValueError, LookupError, OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    return "ok"


def _see(condition: object, what: object) -> None:
    if not condition:
        raise AssertionError(str(what))


def _child(home: PublishedHome) -> dict[str, str]:
    settings = home.settings
    own = {"GATA_HOME": str(settings.home), "GATA_TENANTS": str(settings.tenants), "GATA_TENANT": "alpha"}
    return {**own, "GATA_TODAY": "2026-03-01"}


def _command() -> list[str]:
    return [str(Path(sys.executable).with_name("gata")), "mcp", "--tenant", "alpha"]


def _typescript(npm: Npm, home: PublishedHome, address: str, which: str, transport: str) -> None:
    target = json.dumps(_command()) if transport == "stdio" else address + PATHS[transport]
    script = str(ROOT / "tests" / "clients" / "smoke.mjs")
    more = {"SMOKE_TOKEN": home.tokens["alpha"], "SMOKE_QUESTION": json.dumps(QUESTION), **_child(home)}
    ended = npm.run("node", script, which, transport, target, **more)
    _see(ended.returncode == 0, ended.stderr[-300:])
    seen = json.loads(ended.stdout)
    _see(seen["structured"]["rows"] == expected_rows(), seen["structured"])
    _see(json.loads(seen["text"])["rows"] == expected_rows(), seen["text"])
    _see(seen["tools"] == TOOLS, seen["tools"])
    _see("Did you mean spend?" in seen["refusal"], seen["refusal"])
    _see(seen["server"] == "gata" and seen["metric"] == "spend" and "spend" in seen["completed"], seen)
    _see(2 <= len(seen["prompts"]) <= 4 and seen["templates"] == ["metric://{name}"], seen)


def _inspector(npm: Npm, home: PublishedHome, address: str, transport: str) -> None:
    token = f"Authorization: Bearer {home.tokens['alpha']}"
    target = (
        _command()
        if transport == "stdio"
        else [address + PATHS[transport], "--transport", transport, "--header", token]
    )
    settings = [word for name, value in _child(home).items() for word in ("-e", f"{name}={value}")]

    def ask(*arguments: str) -> Json:
        ended = npm.run(npm.tool("mcp-inspector"), "--cli", *target, *settings, *arguments, HOME=str(npm.folder))
        _see(ended.returncode == 0, f"{arguments}: {ended.stderr[-300:]} {ended.stdout[-300:]}")
        found: Json = json.loads(ended.stdout)
        return found

    listed = ask("--method", "tools/list", "--strict")
    _see([tool["name"] for tool in listed["tools"]] == TOOLS, listed)
    pairs = [f"{name}={json.dumps(value)}" for name, value in QUESTION.items()]
    answer = ask("--method", "tools/call", "--tool-name", "query", "--tool-arg", *pairs)
    _see(answer["structuredContent"]["rows"] == expected_rows(), answer)


def _mcp_dev(npm: Npm, home: PublishedHome) -> None:
    """`mcp dev` starts the Inspector, whose page is served, and which can start our server."""
    port = 16274
    environment = {
        **npm.environment,
        **_child(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{npm.environment['PATH']}",
        "VIRTUAL_ENV": sys.prefix,
        "npm_config_yes": "true",
        "MCP_AUTO_OPEN_ENABLED": "false",
        "CLIENT_PORT": str(port),
        "HOME": str(npm.folder),
    }
    command = [str(Path(sys.executable).with_name("mcp")), "dev", "server/mcp_entry.py"]
    log = npm.folder / "mcp_dev.log"
    with log.open("w+") as said:
        started = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 90
            while time.monotonic() < deadline and started.poll() is None:
                text = log.read_text()
                if re.search(r"(is|up and) running", text, re.IGNORECASE) or f":{port}" in text:
                    return
                time.sleep(0.3)
            raise AssertionError(log.read_text()[-300:])
        finally:
            if started.poll() is None:
                os.killpg(started.pid, 15)
            started.wait(20)


def measure(folder: Path) -> Json:
    npm = install(folder)
    figures: Json = {"suite": {}}
    with serving_fixtures() as address:
        for revision in NOT_APPLICABLE:
            verdicts = conform(npm, address, revision)
            figures["suite"][revision] = [
                {"scenario": v.scenario, "checks": dict(v.checks), "needs": v.needs, "is_right": v.is_right}
                for v in verdicts
            ]
    home = new_published_home(folder / f"home_{os.getpid()}", "alpha", "beta")
    with home.serving() as address:
        figures["clients"] = smoke(npm, home, address)
    shutil.rmtree(folder / f"home_{os.getpid()}")
    return figures


def report(figures: Json) -> None:
    console = Console(width=120)
    table = Table("revision", box=SIMPLE)
    for name in ("scenarios that apply", "checks passed", "warnings", "failed", "not applicable"):
        table.add_column(name, justify="right")
    for revision, verdicts in figures["suite"].items():
        applies = [verdict for verdict in verdicts if not verdict["needs"] and verdict["checks"].get("SUCCESS")]
        sums: Counter[str] = Counter()
        for verdict in applies:
            sums.update(verdict["checks"])
        counts = (len(applies), sums["SUCCESS"], sums["WARNING"], sums["FAILURE"], len(verdicts) - len(applies))
        table.add_row(revision, *map(str, counts))
    console.print(table)
    clients = Table("client", "sees", box=SIMPLE)
    for name, said in figures["clients"].items():
        clients.add_row(name, said)
    console.print(clients)
    for revision, verdicts in figures["suite"].items():
        for verdict in verdicts:
            if not verdict["is_right"]:
                console.print(f"WRONG in {revision}: {verdict}")
            elif verdict["checks"].get("WARNING"):
                console.print(f"warning in {revision}: {verdict['scenario']} {verdict['checks']}")


def is_right(figures: Json) -> bool:
    suite = all(verdict["is_right"] for verdicts in figures["suite"].values() for verdict in verdicts)
    return suite and set(figures["clients"].values()) == {"ok"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the npm packages are, or are installed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_conformance_") as folder:
        figures = measure((arguments.folder or Path(folder)).resolve())
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)
    sys.exit(0 if is_right(figures) else 1)


if __name__ == "__main__":
    main()
