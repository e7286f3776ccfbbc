from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import yaml

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import blueprints
from warehouse.projects.properties.property_file import GENERATED
from warehouse.projects.reference_tables import reference_rows
from warehouse.projects.star_project import star_project, star_tables
from warehouse.projects.unit_tests import unit_test_files

BLUEPRINTS = blueprints(load_catalog(Path("no such file")))
IG_IS_META = {"platforms": [{"source": "Instagram", "medium": "Paid", "ad_platform": "facebook_ads"}]}


def test_the_generated_project_is_as_reviewed(
    tyrell: Callable[..., Tenant], golden: Callable[[str, str], None]
) -> None:
    files = star_project(tyrell(), BLUEPRINTS) | unit_test_files(tyrell(), BLUEPRINTS)
    for path, text in files.items():
        golden(f"star_project/{path}", text)
    kept = Path(__file__).resolve().parents[1] / "golden" / "star_project"
    assert {str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()} == set(files)


def test_generating_twice_gives_the_same_bytes(tyrell: Callable[..., Tenant]) -> None:
    assert star_project(tyrell(), BLUEPRINTS) == star_project(tyrell(), dict(reversed(BLUEPRINTS.items())))


def test_every_file_opens_with_who_wrote_it(tyrell: Callable[..., Tenant]) -> None:
    for path, text in star_project(tyrell(), BLUEPRINTS).items():
        assert GENERATED in text.splitlines()[0], path


def test_no_file_of_one_tenant_names_another_or_a_machine(tyrell: Callable[..., Tenant]) -> None:
    for text in star_project(tyrell(slug="wayne"), BLUEPRINTS).values():
        assert "tyrell" not in text
        assert str(Path.home()) not in text
        assert "/work" not in text


def test_a_star_table_is_a_single_factory_call(tyrell: Callable[..., Tenant]) -> None:
    files = star_project(tyrell(), BLUEPRINTS)
    for table in star_tables(tyrell()):
        lines = files[f"models/stars/{table.table_name('tyrell_corp')}.sql"].splitlines()
        assert len(lines) == 2
        assert lines[1].startswith("{{ build_")


def test_every_promised_column_is_under_contract_with_its_type(tyrell: Callable[..., Tenant]) -> None:
    tenant = tyrell(analytics={"funnel_steps": {"visit": ["session_start"], "buy": ["purchase", "sign_up"]}})
    models = {
        model["name"]: model for model in yaml.safe_load(star_project(tenant, BLUEPRINTS)["models/stars.yml"])["models"]
    }
    for table in star_tables(tenant):
        model = models[table.table_name("tyrell_corp")]
        assert model["config"]["contract"] == {"enforced": True}
        assert [(c["name"], c["data_type"]) for c in model["columns"]] == [(c.name, c.type) for c in table.columns]
        (key,) = table.grain
        assert "unique" in next(c for c in model["columns"] if c["name"] == key)["data_tests"]


def test_a_tenant_without_a_domain_still_has_every_table(tyrell: Callable[..., Tenant]) -> None:
    shop_only = tyrell(sources=tuple(s for s in tyrell().sources if s.platform == "shopify"))
    files = star_project(shop_only, BLUEPRINTS)
    assert "where false" in files["models/intermediate/int_tyrell_corp__events.sql"]
    assert "google_analytics" not in "".join(files.values())


def traffic(tenant: Tenant) -> dict[tuple[str, str], str]:
    """Who stands behind a source and medium, as the tenant's view says."""
    model = star_project(tenant, BLUEPRINTS)["models/intermediate/int_tyrell_corp__traffic_platforms.sql"]
    seed = "{{ source('hub', 'platform_ref__traffic_platforms') }}"
    assert seed in model
    query = model[model.index("-#}") + 3 :].replace(seed, f"({reference_rows('platform_ref__traffic_platforms')})")
    rows = duckdb.sql(query).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(source, medium): platform for source, medium, platform in rows}


def test_a_tenants_own_traffic_row_replaces_the_built_in_one(tyrell: Callable[..., Tenant]) -> None:
    builtin, own = traffic(tyrell()), traffic(tyrell(attribution=IG_IS_META))
    assert builtin["instagram", "paid"] == "instagram_ads"
    assert own == builtin | {("instagram", "paid"): "facebook_ads"}


@pytest.mark.parametrize(
    ("pattern", "resembles"),
    [
        ("purchase", "contains(action.action_type, 'purchase')"),
        ("it's", "contains(action.action_type, 'it''s')"),
        (
            "purchase|lead",
            "contains(action.action_type, 'purchase|lead') or regexp_matches(action.action_type, 'purchase|lead')",
        ),
        ("purch(ase", "contains(action.action_type, 'purch(ase')"),
    ],
)
def test_a_pattern_resembles_what_contains_it_or_what_it_matches(
    tyrell: Callable[..., Tenant], pattern: str, resembles: str
) -> None:
    path = "models/intermediate/int_tyrell_corp__ad_performance.sql"
    assert f'resembles="{resembles}"' in star_project(tyrell(pattern=pattern), BLUEPRINTS)[path]


def test_text_of_tenants_yaml_is_never_a_template(tyrell: Callable[..., Tenant]) -> None:
    text = "{{ env_var('HOME') }}"
    rows = {"platforms": [{"source": text, "medium": "cpc", "ad_platform": "facebook_ads"}]}
    files = star_project(tyrell(attribution=rows, pattern=text), BLUEPRINTS)
    for path, content in files.items():
        if not path.endswith("ad_performance.sql"):  # there it is an argument: a Jinja string
            assert "{{ env_var('HOME')" not in content, path
            assert "{{ env_var(''HOME" not in content, path
