"""The generated projects that write the hub, as reviewed text; and the fingerprints they are routed by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import load_tenants
from pipeline.contracts.connector import Connector
from pipeline.contracts.registry import blueprints, schema_hash
from warehouse.build.hub_library import platform_models
from warehouse.projects.hub_projects import library_project, push_project
from warehouse.projects.properties.hub_properties import platform_properties
from warehouse.projects.reference_tables import reference_files

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
REVIEWED_CONNECTORS = ("facebook_ads", "google_analytics", "shopify")
BLUEPRINTS = blueprints(CATALOG)
DEMO = load_tenants(ROOT / "tenants.yaml", CATALOG).get("tyrell_corp")
TYRELL = DEMO.model_copy(update={"sources": tuple(s for s in DEMO.sources if s.platform in REVIEWED_CONNECTORS)})
COLUMNS = st.lists(
    st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.sampled_from(["VARCHAR", "BIGINT", "JSON"])),
    min_size=1,
    unique_by=lambda column: column[0],
)


REVIEWED = {key: blueprint for key, blueprint in BLUEPRINTS.items() if key[0] in REVIEWED_CONNECTORS}


def library() -> dict[str, str]:
    return library_project(REVIEWED, platform_models(), reference_files())


def kept(project: str) -> set[str]:
    """The golden files there are."""
    folder = ROOT / "tests" / "golden" / project
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_push_of_the_demo_tenant_is_as_reviewed(golden: Callable[[str, str], None]) -> None:
    for path, text in push_project(TYRELL, BLUEPRINTS).items():
        golden(f"push_project/{path}", text)
    assert kept("push_project") == set(push_project(TYRELL, BLUEPRINTS))


def test_the_library_is_as_reviewed(golden: Callable[[str, str], None]) -> None:
    for path, text in library().items():
        is_copy = path.startswith(("models/platform/", "seeds/")) or Path(path).name in platform_properties()
        if not is_copy:  # of a file written by hand
            golden(f"library_project/{path}", text)
    assert kept("library_project") <= set(library())


def test_connectors_that_are_alike_are_listed_with_the_sink_they_share() -> None:
    shared = {**CATALOG["facebook_ads"].__dict__, "name": "meta_ads", "like": "facebook_ads"}
    catalog = {"facebook_ads": CATALOG["facebook_ads"], "meta_ads": Connector(**shared)}
    files = library_project(blueprints(catalog), {}, {})
    registry = files["models/platform_ops__master_model_registry.sql"]
    assert registry.count("['facebook_ads', 'meta_ads']") == len(CATALOG["facebook_ads"].objects)


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


def test_routing_is_literal_and_sinks_hold_no_logic() -> None:
    texts = push_project(TYRELL, BLUEPRINTS) | library_project(BLUEPRINTS, platform_models(), reference_files())
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


def test_equal_structures_of_two_connectors_never_meet_in_one_sink() -> None:
    twin = Connector("twin_shop", "ecommerce", "v1", "twin_shop_api_v1", ("orders", "products"), like="shopify")
    both = blueprints({**CATALOG, "twin_shop": twin})
    original, copy = both["shopify", "orders"], both["twin_shop", "orders"]
    assert original.source_schema_hash == copy.source_schema_hash
    assert original.sink != copy.sink
