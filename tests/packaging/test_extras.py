"""gata without the packages of its extras: it serves, and says in one sentence what the rest needs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from pipeline.errors import MissingExtra, QueryError
from pipeline.extras import MODULES, Extra, install_command, require_extra
from tests.server.cli_run import ROOT, environment
from tests.server.published_fixture import PublishedHome

HIDDEN = ("dbt", "dbt_common", "dlt", "numpy", "opentelemetry.exporter", "opentelemetry.sdk", "vl_convert")
PROGRAM = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if any(f"{name}.".startswith(f"{hidden}.") for hidden in hidden_modules):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
hidden_modules = sys.argv.pop(1).split()
sys.meta_path.insert(0, Hidden())
from server.cli.app import main
codes, commands = [], " ".join(sys.argv[1:]).split(" and ")
for command in commands:
    sys.argv[1:] = command.split()
    codes.append(main())
print("codes:", *codes, file=sys.stderr)
print("loaded:", *(name for name in heavy_modules if sys.modules.get(name)), file=sys.stderr)
sys.exit(max(codes))
""".replace("heavy_modules", repr(tuple(name for name in HIDDEN if name != "numpy")))
ASK = ("ask", "--tenant", "alpha", "--metrics", "spend", "--dimensions", "date")


def command(*arguments: str, hidden: tuple[str, ...] = HIDDEN) -> list[str]:
    """`gata` in an installation without these modules; several commands in one process are joined by "and"."""
    return [sys.executable, "-P", "-c", PROGRAM, " ".join(hidden), *arguments]


def gata(
    published_home: PublishedHome, *arguments: str, hidden: tuple[str, ...] = HIDDEN, **variables: str
) -> tuple[int, str, str]:
    done = subprocess.run(
        command(*arguments, hidden=hidden),
        env=environment(published_home.settings, **variables),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@contextmanager
def serving(published_home: PublishedHome) -> Iterator[str]:
    """`gata serve` in an installation without the extras; gives its address."""
    process = subprocess.Popen(
        command("serve", "--port", "0"),
        env=environment(published_home.settings),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process.stderr.readline().split()[2]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.parametrize("extra", MODULES)
def test_an_extra_that_is_installed_is_not_missing(extra: Extra) -> None:
    require_extra(extra, "This")


def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)  # how Python marks a module as absent
    with pytest.raises(MissingExtra) as refused:
        require_extra("build", "Building")
    assert refused.value.what == "Building needs packages that are not installed: numpy."
    assert refused.value.fix == f"Run `pip install 'gata[build]=={version('gata')}'`."


def test_every_build_is_refused_before_anything_is_touched(published_home: PublishedHome) -> None:
    builds = "build and library and onboard alpha and land and transform and validate and publish"
    before = _files(published_home)
    code, out, err = gata(published_home, *f"{builds} and forget --tenant alpha --person ada@example.com".split())
    assert (code, out) == (2, "")
    modules = "dbt.adapters.duckdb, dbt.cli, dbt_common, dlt, numpy"
    refusal = f"Building needs packages that are not installed: {modules}. Run `{install_command('build')}`.\n"
    assert err.startswith(refusal * 8)
    assert _files(published_home) == before


def test_all_that_builds_nothing_works_without_the_extras(published_home: PublishedHome) -> None:
    offline = "--version and status and plan and config show and onboard alpha --dry-run and rollback --tenant alpha"
    asked = "metrics --tenant alpha and values --tenant alpha campaign_name and token list and audit"
    code, _, err = gata(published_home, *f"{offline} and {asked}".split(), "and", *ASK)
    assert "codes: 0 0 0 0 0 0 0 0 0 0 0\n" in err
    assert code == 0


@pytest.mark.parametrize(
    "arguments", [ASK, ("metrics", "--tenant", "alpha"), ("mcp", "--tenant", "alpha")], ids=" ".join
)
def test_asking_and_serving_load_nothing_of_an_extra(published_home: PublishedHome, arguments: tuple[str, ...]) -> None:
    code, _, err = gata(published_home, *arguments, hidden=())
    assert code == 0
    assert err.endswith("loaded:\n")


def test_the_doctor_says_what_a_serving_installation_does_without(published_home: PublishedHome) -> None:
    _, out, _ = gata(published_home, "doctor")
    assert "dlt is not installed; only builds need it." in " ".join(out.split())
    assert "fail" not in [line.split()[0] for line in out.splitlines() if "dbt" in line or "dlt" in line]


def test_a_server_without_the_extras_answers_and_refuses_what_needs_them(published_home: PublishedHome) -> None:
    with serving(published_home) as address, httpx.Client(base_url=address, timeout=60) as client:
        query = {"metrics": ["spend"], "dimensions": ["date"]}
        answer = client.post("/semantic-layer/alpha/query", json=query, headers=published_home.headers("alpha"))
        assert (answer.status_code, answer.json()["row_count"]) == (200, published_home.days)
        for path in ("/connectors", "/readiness/alpha", "/observability/alpha/tests", "/catalog", "/models"):
            assert client.get(path, headers=published_home.headers("admin")).status_code == 200, path
        tenant = {"slug": "acme", "business_name": "Acme", "currency": "EUR", "sources": {"shopify": {"enabled": True}}}
        refused = client.post("/tenants/onboard", json=tenant, headers=published_home.headers("admin"))
        assert refused.status_code == 503
        assert refused.json()["fix"] == f"Run `{install_command('build')}`."
    assert "acme" not in published_home.settings.tenants.read_text(encoding="utf-8")


def test_a_picture_is_refused_with_the_form_that_needs_no_package(
    published_home: PublishedHome, tmp_path: Path
) -> None:
    code, _, err = gata(published_home, *ASK, "--chart", str(tmp_path / "spend.png"))
    assert code == 2
    assert "Ask for Vega-Lite" in err
    assert install_command("charts") in err
    code, _, err = gata(published_home, *ASK, "--chart", str(tmp_path / "spend.json"))
    assert code == 0, err
    assert (tmp_path / "spend.json").exists()


def test_a_refused_picture_is_the_callers_to_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    from server.charts.pictures import picture

    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(QueryError, match="vl-convert is not installed"):
        picture({}, "png")


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("mcp", "--tenant", "alpha")], ids=" ".join)
def test_a_named_collector_without_the_library_that_sends_is_refused_at_the_start(
    published_home: PublishedHome, arguments: tuple[str, ...]
) -> None:
    code, _, err = gata(published_home, *arguments, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert code == 2
    assert err.startswith("OTEL_EXPORTER_OTLP_ENDPOINT is set, and sending traces needs packages")
    assert install_command("otel") in err


def _files(published_home: PublishedHome) -> set[str]:
    """What lies in the state folder, but for the files that every reader opens."""
    home = published_home.settings.home
    return {str(path.relative_to(home)) for path in home.rglob("*") if "ops.sqlite" not in path.name}
