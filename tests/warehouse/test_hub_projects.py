"""The generated projects that write the hub, as reviewed text; and the fingerprints they are routed by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.connectors import Connector, load_catalog
from pipeline.contracts import CONTRACTS
from pipeline.registry import blueprints, schema_hash
from pipeline.tenants import Tenant, load_tenants
from warehouse.hub_projects import library_project, push_project

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
BLUEPRINTS = blueprints(CATALOG)
TYRELL = load_tenants(ROOT / "tenants.yaml", CATALOG).get("tyrell_corp")
COLUMNS = st.lists(
    st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.sampled_from(["VARCHAR", "BIGINT", "JSON"])),
    min_size=1,
    unique_by=lambda column: column[0],
)


@pytest.fixture
def platform_models() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "warehouse/models/platform").glob("*.sql")}


def test_the_push_of_the_demo_tenant_is_as_reviewed(golden: Callable[[str, str], None]) -> None:
    for path, text in push_project(TYRELL, BLUEPRINTS).items():
        golden(f"push_project/{path}", text)


def test_the_library_is_as_reviewed(golden: Callable[[str, str], None], platform_models: dict[str, str]) -> None:
    for path, text in library_project(BLUEPRINTS, platform_models).items():
        if not path.startswith("models/platform/"):  # those are copies of files written by hand
            golden(f"library_project/{path}", text)


def test_generating_twice_gives_the_same_bytes_whatever_order_the_blueprints_stand_in() -> None:
    backwards = dict(reversed(BLUEPRINTS.items()))
    assert push_project(TYRELL, BLUEPRINTS) == push_project(TYRELL, backwards)


def test_no_file_of_one_tenant_ever_names_another(tmp_path: Path) -> None:
    def project(slug: str) -> dict[str, str]:
        other: Tenant = TYRELL.model_copy(update={"slug": slug})
        return push_project(other, BLUEPRINTS)

    first, second = project("acme"), project("globex")
    assert all("globex" not in path + text for path, text in first.items())
    assert {path.replace("acme", "globex"): text.replace("acme", "globex") for path, text in first.items()} == second


def test_routing_is_literal_and_sinks_hold_no_logic(platform_models: dict[str, str]) -> None:
    texts = push_project(TYRELL, BLUEPRINTS) | library_project(BLUEPRINTS, platform_models)
    for path, text in texts.items():
        assert "graph.nodes" not in text
        assert "load_relation" not in text
        if path.startswith("models/sinks/"):
            assert "ref(" not in text
            assert "union" not in text.lower()
            assert "where 1 = 0" in text


@given(COLUMNS, st.randoms())
def test_the_fingerprint_ignores_the_order_of_columns_and_nothing_else(
    columns: list[tuple[str, str]], random: Random
) -> None:
    shuffled = list(columns)
    random.shuffle(shuffled)
    assert schema_hash(tuple(shuffled)) == schema_hash(tuple(columns))
    (name, type_), *rest = columns
    assert schema_hash(((name + "_x", type_), *rest)) != schema_hash(tuple(columns))
    assert schema_hash(((name, "DOUBLE"), *rest)) != schema_hash(tuple(columns))


def test_equal_structures_of_two_connectors_never_meet_in_one_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = Connector("twin_shop", "ecommerce", "v1", "twin_shop_api_v1", ("orders", "products"))
    monkeypatch.setitem(CONTRACTS, "twin_shop", CONTRACTS["shopify"])
    both = blueprints({**CATALOG, "twin_shop": twin})
    original, copy = both["shopify", "orders"], both["twin_shop", "orders"]
    assert original.source_schema_hash == copy.source_schema_hash
    assert original.sink != copy.sink
