"""The catalog as JSON keeps the schema beside it, is the same each time, and names nobody's personal data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from semantic.answering.export import catalog_json_schema, export_catalog
from semantic.answering.semantic_model import load_model
from tests.semantic.hand_star import HandStar, hand_shop


def test_the_export_keeps_the_schema_and_the_schema_refuses_what_does_not(shop: HandStar) -> None:
    said, rule = json.loads(export_catalog(shop.model, run_id="r")), json.loads(catalog_json_schema())
    jsonschema.Draft202012Validator.check_schema(rule)
    jsonschema.validate(said, rule)
    for broken in ({**said, "metrics": [{"name": "spend"}]}, {**said, "more": 1}, {**said, "version": 2}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, rule)


def test_the_schema_is_the_reviewed_one(golden: Callable[[str, str], None]) -> None:
    golden("semantic/semantic.schema.json", catalog_json_schema())


def test_everything_that_can_be_asked_for_is_in_the_export_and_nothing_else(shop: HandStar) -> None:
    said = json.loads(export_catalog(shop.model, run_id="r"))
    metrics = {metric["name"]: metric for metric in said["metrics"]}
    dimensions = {dimension["name"]: dimension for dimension in said["dimensions"]}
    assert set(metrics) == set(shop.model.catalog.askable_metrics)
    assert set(dimensions) == set(shop.model.catalog.askable_dimensions)
    assert (metrics["roas"]["kind"], metrics["roas"]["adds_up"], metrics["roas"]["unit"]) == ("ratio", "none", "ratio")
    assert metrics["roas"]["facts"] == ["sessions", "ad_performance"]
    assert dimensions["ad_platform"]["values"] == ["facebook_ads", "google_ads"]
    assert {name: dimensions[name]["role"] for name in ("date", "ad_id", "ad_name", "is_customer", "geo_country")} == {
        "date": "time",
        "ad_id": "identifier",
        "ad_name": "name",
        "is_customer": "flag",
        "geo_country": "category",
    }
    assert len(said["relationships"]) == 11


def test_personal_data_are_in_no_export_whatever_is_exposed(folder: Path) -> None:
    star = hand_shop(folder, semantic={"expose": ["customer_email"]})
    star.rows["orders"][0]["customer_email"] = "ann@example.com"
    run_dir = star.write()
    model = load_model(run_dir, expose=frozenset({"customer_email"}))
    assert "customer_email" in model.catalog.askable_dimensions
    assert "customer_email" not in export_catalog(model, run_id="r")
    assert "ann@example.com" not in (run_dir / "semantic.yml").read_text(encoding="utf-8")


def test_the_same_run_gives_the_same_bytes(folder: Path) -> None:
    texts = {export_catalog(load_model(hand_shop(folder / name).write()), run_id="r") for name in ("a", "b")}
    assert len(texts) == 1
