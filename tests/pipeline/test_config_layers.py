"""The layers of the configuration: which wins, what a file may say, and which place is named when one is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.layers.configuration import Configuration, read_configuration, read_settings
from pipeline.config.layers.layer import lay_over, layer_of, nested
from pipeline.config.layers.tenant_values import tenant_values
from pipeline.config.tenants_file import load_tenants
from pipeline.environments import ENVIRONMENTS, EnvironmentDefaults
from pipeline.errors import ConfigError
from pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CELLS = {
    "local": {"gate_mode": "warn", "publish": True, "rest_docs": "open", "retries": 1, "retry_delay": 60.0}
    | {"retry_backoff": False, "retry_max_delay": 60.0},
    "dev": {"gate_mode": "strict", "publish": True, "rest_docs": "open", "retries": 2, "retry_delay": 120.0}
    | {"retry_backoff": True, "retry_max_delay": 600.0},
    "prod": {"gate_mode": "strict", "publish": True, "rest_docs": "token", "retries": 3, "retry_delay": 300.0}
    | {"retry_backoff": True, "retry_max_delay": 1800.0},
}
OTHERWISE = {"gate_mode": ("strict", "warn"), "publish": (False, True), "rest_docs": ("token", "open")}
OTHERWISE |= {
    "retries": (7, 8),
    "retry_delay": (7.0, 8.0),
    "retry_backoff": (True, False),
    "retry_max_delay": (9.0, 8.0),
}

Write = Callable[..., Configuration]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write files beside tenants.yaml, set variables, and read the configuration."""
    for name in [name for name in os.environ if name.startswith("GATA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def read(files: Mapping[str, str], variables: Mapping[str, str] | None = None, **options: object) -> Configuration:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        for name, value in (variables or {}).items():
            monkeypatch.setenv(name, value)
        return read_configuration(options)

    return read


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as refused:
        read()
    return str(refused.value)


@pytest.mark.parametrize("cell", [field.name for field in fields(EnvironmentDefaults)])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_cell_of_an_environment_is_the_default_and_every_layer_wins_over_it(
    write: Write, environment: str, cell: str
) -> None:
    plain = write({}, {"GATA_ENV": environment})
    assert asdict(ENVIRONMENTS[plain.settings.env]) == CELLS[environment]
    assert getattr(plain.settings, cell) == CELLS[environment][cell]
    assert plain.origin(cell).where == f"default of {environment}"
    low, high = OTHERWISE[cell]
    write({"gata.yaml": f"{cell}: {str(low).lower()}\n"})
    assert getattr(read_settings(), cell) == low
    write({f"gata.{environment}.yaml": f"{cell}: {str(high).lower()}\n"})
    assert getattr(read_settings(), cell) == high
    assert getattr(read_settings(**{cell: low}), cell) == low
    assert getattr(Settings(env=environment, **{cell: low}), cell) == low


def test_the_environments_differ_in_all_but_publishing() -> None:
    differing = {name for name in CELLS["local"] if len({str(cells[name]) for cells in CELLS.values()}) > 1}
    assert differing == set(CELLS["local"]) - {"publish"}


LAYERS = (
    ("gata.yaml", "gata.yaml:1"),
    ("GATA_THREADS", "GATA_THREADS"),
    ("specs/a.yml", "specs/a.yml:1"),
    ("gata.local.yaml", "gata.local.yaml:1"),
    ("option", "--set threads"),
)


@pytest.mark.parametrize("highest", range(len(LAYERS)))
def test_the_highest_layer_holds_and_the_others_are_named(write: Write, highest: int) -> None:
    files, variables, options = {}, {}, {}
    for number, (layer, _) in enumerate(LAYERS[: highest + 1], start=11):
        if layer == "option":
            options["threads"] = number
        elif layer.startswith("GATA"):
            variables[layer] = str(number)
        else:
            files[layer] = f"threads: {number}\n"
    read = write(files, variables, **options)
    origin = read.origin("threads")
    assert read.settings.threads == 11 + highest
    assert (origin.where, origin.instead_of) == (
        LAYERS[highest][1],
        tuple(place for _, place in reversed(LAYERS[:highest])),
    )


def test_a_variable_that_an_overlay_overrules_is_named_with_the_overlay(write: Write) -> None:
    read = write({"gata.local.yaml": "threads: 4\n"}, {"GATA_THREADS": "8", "GATA_WORKERS": "2"})
    assert list(read.overruled_variables()) == [("GATA_THREADS", "gata.local.yaml:1")]


def test_an_overlay_that_takes_a_variable_lets_it_win(write: Write) -> None:
    overlay = {"gata.local.yaml": "threads: ${GATA_THREADS:-4}\n"}
    assert write(overlay).settings.threads == 4
    assert write(overlay, {"GATA_THREADS": "8"}).settings.threads == 8


@pytest.mark.parametrize(
    ("variables", "options", "expected"),
    [({}, {}, "dev"), ({"GATA_ENV": "prod"}, {}, "prod"), ({"GATA_ENV": "prod"}, {"env": "local"}, "local")],
)
def test_the_environment_comes_from_the_base_a_variable_or_an_option(
    write: Write, variables: dict[str, str], options: dict[str, str], expected: str
) -> None:
    threads = {"local": 3, "dev": 4, "prod": 5}
    overlays = {f"gata.{name}.yaml": f"threads: {count}\n" for name, count in threads.items()}
    read = write({"gata.yaml": "env: dev\n", **overlays}, variables, **options)
    assert (read.settings.env, read.settings.threads) == (expected, threads[expected])


def test_files_lie_beside_tenants_yaml_and_their_paths_start_from_them(write: Write, tmp_path: Path) -> None:
    read = write({"house/gata.yaml": "home: ./data\n"}, {"GATA_TENANTS": str(tmp_path / "house" / "tenants.yaml")})
    assert read.settings.home == tmp_path / "house" / "data"
    assert read_settings(tenants=Path("tenants.yaml")).home == Path(".gata")


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("${A}", {"A": "x"}, "x"),
        ("${A:-y}", {}, "y"),
        ("${A:-y}", {"A": ""}, "y"),
        ("${A:-}", {}, ""),
        ("${A}", {"A": ""}, ""),
        ("a-${A:-b}-${B:-c}", {"B": "d"}, "a-b-d"),
        ("$${A}", {}, "${A}"),
        ("$A {A} $", {}, "$A {A} $"),
        ("${A}", {"A": "${B}"}, "${B}"),
    ],
)
def test_a_variable_in_a_value_is_replaced_once(
    write: Write, text: str, variables: dict[str, str], expected: str
) -> None:
    assert write({"gata.yaml": f"tenant: '{text}'\n"}, variables).settings.tenant == expected


def test_what_a_variable_brings_is_a_value_and_never_yaml(write: Write) -> None:
    brought = {"A": "x\nthreads: 9", "B": "{threads: 9}"}
    read = write({"gata.yaml": "tenant: ${A}\noauth_scope: ${B}\n"}, brought)
    assert (read.settings.tenant, read.settings.oauth_scope, read.settings.threads) == (*brought.values(), 2)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"gata.yaml": "thread: 3\n"}, "gata.yaml:1: gata.yaml has no key named 'thread'. Did you mean threads"),
        ({"gata.yaml": "threads: ${NOWHERE}\n"}, "gata.yaml:1: threads takes the variable NOWHERE, which is not set."),
        ({"gata.yaml": "tenant: '${1}'\n"}, "gata.yaml:1: tenant is '${1}': its ${ begins no variable."),
        ({"gata.yaml": "threads: 0\n"}, "gata.yaml:1: threads is 0: input should be greater than or equal to 1."),
        ({"gata.yaml": "threads: true\n"}, "gata.yaml:1: threads is 'true': input should be a valid integer"),
        ({"gata.yaml": "\nthreads: {a: 1}\n"}, "gata.yaml:2: threads is {'a': 1}: input should be a valid integer"),
        ({"gata.yaml": "threads: 1\nthreads: 2\n"}, "gata.yaml:2: gata.yaml has the key 'threads' twice"),
        ({"gata.yaml": "tenants: x.yaml\n"}, "gata.yaml:1: tenants cannot be set here. "),
        ({"gata.yaml": "env: production\n"}, "gata.yaml:1: env is 'production'"),
        ({"gata.local.yaml": "env: dev\n"}, "gata.local.yaml:1: env cannot be set here. "),
        ({"specs/a.yml": "env: dev\n"}, "specs/a.yml:1: env cannot be set here. "),
        ({"specs/a.yml": "dims: []\n"}, "specs/a.yml:1: dims describes tables, which this release does not read"),
        ({"specs/a.yml": "threads: 3\n", "specs/b.yaml": "threads: 3\n"}, "specs/b.yaml:1: threads is set already at "),
        ({"gata.yaml": "- 1\n"}, "gata.yaml:1: gata.yaml is a list, not a mapping"),
        ({"gata.yaml": ""}, "gata.yaml is empty."),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_a_step_that_works(
    write: Write, files: dict[str, str], expected: str
) -> None:
    assert refusal(lambda: write(files)).startswith(expected)


def test_a_key_takes_no_variable(write: Write) -> None:
    assert refusal(lambda: write({"gata.yaml": "${B}: 2\n"}, {"B": "threads"})).startswith(
        "gata.yaml:1: The key '${B}' has a variable."
    )


def test_a_pipe_or_a_file_of_any_size_is_refused_unread(write: Write, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gata.yaml")
    assert refusal(read_settings).startswith("gata.yaml is no regular file.")
    (tmp_path / "gata.yaml").unlink()
    with (tmp_path / "gata.yaml").open("wb") as file:
        file.truncate(10**12)
    assert "has 1,000,000,000,000 bytes" in refusal(read_settings)


def test_a_wrong_variable_or_option_is_named(write: Write) -> None:
    assert refusal(lambda: write({}, {"GATA_THREADS": "x"})).startswith("GATA_THREADS is 'x': ")
    assert refusal(lambda: write({}, {"GATA_THREADS": "2"}, threads="0")).startswith("--set threads: threads is '0': ")
    assert refusal(lambda: write({}, thread="0")).startswith("There is no setting named 'thread'. Did you mean threads")


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [("API_TOKEN", True), ("secret_key", True), ("DB_PASSWORD", True), ("keyword", False), ("tokens", False)],
)
def test_a_value_from_a_variable_that_is_named_as_a_secret_is_one(write: Write, name: str, is_secret: bool) -> None:
    read = write({"gata.yaml": f"tenant: ${{{name}}}\n"}, {name: "hush"})
    assert read.origin("tenant").is_secret is is_secret
    told = refusal(lambda: write({"gata.yaml": f"threads: ${{{name}}}\n"}))
    assert ("hush" not in told) is is_secret


def test_parts_of_a_setting_are_laid_over_each_other_one_by_one() -> None:
    places = {"gates": "x:1"}
    under = layer_of({"gates": {"rows": {"least": 1, "most": 2}, "null": 3}}, places)
    over = layer_of({"gates": {"rows": {"most": 5}, "null": {"share": 1}}}, places)
    assert nested(lay_over(under, over)) == {"gates": {"rows": {"least": 1, "most": 5}, "null": {"share": 1}}}
    assert nested(lay_over(under, layer_of({"gates": 7}, places))) == {"gates": 7}


def test_where_there_is_no_file_no_reader_of_yaml_is_loaded(tmp_path: Path) -> None:
    script = (
        "import sys; from pipeline.config.layers.configuration import read_settings; read_settings();"
        "sys.exit('yaml' in sys.modules)"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)


TENANTS = """
defaults:
  timezone: Europe/Berlin
  sources: {shopify: {enabled: true, generation: {product_count: 7}}}
  sessions: {gap_minutes: 20}
tenants:
  - slug: acme
    business_name: Acme
    domains: [ecommerce]
    sources:
      shopify: {generation: {daily_orders_mean: 3}}
"""


def test_each_value_of_a_tenant_is_named_with_its_entry_the_defaults_or_as_built_in(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    settings = Settings(tenants=tmp_path / "tenants.yaml")
    acme = load_tenants(settings.tenants, load_catalog(ROOT / "supported_connectors.yaml")).get("acme")
    found = {each.name: (each.value, each.where.replace(f"{tmp_path}/", "")) for each in tenant_values(acme, settings)}
    assert found["business_name"] == ("Acme", "tenants.yaml:8")
    assert found["timezone"] == ("Europe/Berlin", "defaults, tenants.yaml:3")
    assert found["sources.shopify.generation.product_count"] == (7, "defaults, tenants.yaml:4")
    assert found["sources.shopify.generation.daily_orders_mean"] == (3, "tenants.yaml:11")
    assert found["sessions.gap_minutes"] == (20, "defaults, tenants.yaml:5")
    assert found["currency"] == ("USD", "built-in")
    assert list(found)[:3] == ["slug", "business_name", "status"]


def test_the_example_files_of_the_documentation_are_read(write: Write) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.DOTALL)
    assert {name for name, _ in examples} == {"gata.yaml", "gata.dev.yaml", "gata.prod.yaml", "specs/limits.yml"}
    for environment, expected in {"dev": ("warn", 4), "prod": ("strict", 8)}.items():
        settings = write(dict(examples), env=environment).settings
        assert (settings.gate_mode, settings.threads, settings.rate_per_minute) == (*expected, 600)
