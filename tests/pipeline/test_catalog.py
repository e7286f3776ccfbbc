"""supported_connectors.yaml: what gata knows, and what it says about a catalog that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
ONE = """connectors:
  - name: shop
    domain: ecommerce
    version: v1
    master_model_id: shop_api_v1
    objects: [orders, products]
"""
TWO = """  - name: other
    domain: ecommerce
    version: v1
    master_model_id: shop_api
    objects: [v1_orders]
"""


def refusal(folder: Path, text: str) -> str:
    path = folder / "supported_connectors.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_catalog(path)
    return str(caught.value).removeprefix(f"{folder}/")


def test_the_catalog_has_the_thirteen_connectors_and_stripe() -> None:
    catalog = load_catalog(ROOT / "supported_connectors.yaml")
    assert len(catalog) == 14
    assert {name: connector.name for name, connector in catalog.items()} == {name: name for name in catalog}
    assert [name for name, connector in catalog.items() if connector.domain == "payments"] == ["stripe"]
    assert all(connector.is_built for connector in catalog.values())


def test_the_catalog_needs_forty_four_sinks_and_instagram_shares_those_of_facebook() -> None:
    catalog = load_catalog(ROOT / "supported_connectors.yaml")
    sinks = {(connector.master_model_id, name) for connector in catalog.values() for name in connector.objects}
    assert len(sinks) == 44
    assert catalog["instagram_ads"].objects == catalog["facebook_ads"].objects


def test_a_connector_with_an_object_that_no_contract_describes_is_not_built(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(ONE.replace("name: shop", "name: shopify").replace("products", "wishlists"), encoding="utf-8")
    assert not load_catalog(path)["shopify"].is_built


def test_without_a_file_the_bundled_catalog_is_used(tmp_path: Path) -> None:
    assert load_catalog(tmp_path / "supported_connectors.yaml") == load_catalog(ROOT / "supported_connectors.yaml")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(
            ONE + ONE.removeprefix("connectors:\n"),
            "supported_connectors.yaml:7: The connector shop is already on line 2. Remove one of the two.",
            id="a name twice",
        ),
        pytest.param(
            ONE.replace("domain", "domian"),
            "supported_connectors.yaml:3: connector has no key named 'domian'. Did you mean domain?",
            id="a misspelt key",
        ),
        pytest.param(
            ONE.replace("ecommerce", "ecomerce"),
            "supported_connectors.yaml:3: domain is 'ecomerce', which is no domain. Did you mean ecommerce?",
            id="a misspelt domain",
        ),
        pytest.param(
            ONE.replace("[orders, products]", "[]"),
            "supported_connectors.yaml:6: objects is an empty list. Give it at least one item.",
            id="no objects",
        ),
        pytest.param(
            ONE.replace("products", "orders"),
            "supported_connectors.yaml:6: The object orders is listed twice. Remove one of the two.",
            id="an object twice",
        ),
        pytest.param(
            ONE.replace("name: shop", "name: Shop-1"),
            "supported_connectors.yaml:2: name 'Shop-1' is not a safe name. "
            "Use lower-case letters, digits and _, a letter first, at most 40 of them.",
            id="a name that is no identifier",
        ),
        pytest.param(
            ONE.replace("products", "'x; drop table y'"),
            "supported_connectors.yaml:6: object 'x; drop table y' is not a safe name. "
            "Use lower-case letters, digits and _, a letter first, at most 60 of them.",
            id="an object that is SQL",
        ),
        pytest.param(
            ONE.replace("    version: v1\n", ""),
            "supported_connectors.yaml:2: connector has no version. Add a line version: with its value.",
            id="a missing key",
        ),
        pytest.param(
            ONE.replace("version: v1", "version: 3"),
            "supported_connectors.yaml:4: version is 3, not text. Put it in quotes.",
            id="a version that is a number",
        ),
        pytest.param(
            ONE + TWO,
            "supported_connectors.yaml:7: shop_api_v1 + orders and shop_api + v1_orders name the same sink. "
            "Rename one master_model_id.",
            id="two objects of one sink name",
        ),
        pytest.param(
            "connector: []\n",
            "supported_connectors.yaml:1: supported_connectors.yaml has no key named 'connector'. "
            "Did you mean connectors?",
            id="a misspelt list",
        ),
    ],
)
def test_a_wrong_catalog_is_refused_with_the_line_and_what_was_meant(tmp_path: Path, text: str, error: str) -> None:
    assert refusal(tmp_path, text) == error


def test_a_connector_may_be_like_another_of_its_domain_that_has_contracts_of_its_own(tmp_path: Path) -> None:
    def like(other: str) -> str:
        return ONE + TWO.replace("    objects", f"    like: {other}\n    objects").replace("v1_orders", "orders")

    (tmp_path / "catalog.yaml").write_text(like("shop"))
    catalog = load_catalog(tmp_path / "catalog.yaml")
    assert catalog["other"].reads_as == "shop"
    assert "other is like" in refusal(
        tmp_path, like("shop").replace("- name: shop\n    domain: ecommerce", "- name: shop\n    domain: ads")
    )
    assert "connector" in refusal(tmp_path, like("nobody"))
    assert "connector" in refusal(tmp_path, like("other"))
