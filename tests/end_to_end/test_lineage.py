"""Lineage of stores with every connector between them: each metric leads back to what the vendors sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from pipeline.config.slug import Slug
from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_files import DEFINITIONS, MODELS
from semantic.catalog.catalog import read_catalog
from semantic.catalog.expression import columns_in
from semantic.catalog.formula import metric_names, parse
from semantic.catalog.run_definitions import RunDefinitions, read_definitions
from semantic.lineage.run_lineage import RunLineage, run_lineage
from server.cli.origins.lineage_tree import lineage_text
from tests.end_to_end.three_stores import ROOT, STORES, Stores
from warehouse.lineage.built_models import BuiltModel, RunModels, read_run_models
from warehouse.lineage.column_trail import ColumnTrail
from warehouse.lineage.graph import Graph

FLAGS = {"is_valid", "is_first_order", "is_conversion_session", "attribution"}
"""Columns that say which rows a measure adds up."""
PAYMENTS = {"net_paid_amount": {"stripe"}}
"""Columns of the orders that another source than their shop says."""
ENGINE = "int_north_store__ad_performance"
INSIGHTS = "int_north_store__facebook_ads_facebook_insights"


class Lineages:
    """The lineage of each store's run, followed once."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.of = cache(self._of)
        self.definitions = cache(self._definitions)
        self.feeding = cache(self._feeding)
        self._platforms = cache(self._read_platforms)

    def _run(self, slug: str) -> Path:
        folder = self.stores.project.settings.published(Slug(slug))
        return folder / str(latest_run_id(folder))

    def _definitions(self, slug: str) -> RunDefinitions:
        return read_definitions((self._run(slug) / DEFINITIONS).read_bytes())

    def models(self, slug: str) -> RunModels:
        models = read_run_models(self._run(slug) / MODELS)
        assert models is not None
        return models

    def _of(self, slug: str) -> RunLineage:
        definitions = self.definitions(slug)
        return run_lineage(definitions, read_catalog(definitions, expose=frozenset()), self.models(slug), "RUN")

    def connectors(self, slug: str, name: str) -> set[str]:
        """The connectors whose payloads a name is made from."""
        return {field.partition(".")[0] for field in self.of(slug).of(name)["fields"]}

    def _feeding(self, slug: str, metric: str) -> set[str]:
        """The connectors whose rows say a value of a metric, by the published tables."""
        definitions = self.definitions(slug)
        entry = definitions.metrics[metric]
        if entry.expression is not None:
            return set().union(*(self.feeding(slug, each) for each in metric_names(parse(entry.expression, metric))))
        model = definitions.models[str(entry.fact)]
        values = [each for each in columns_in(model.measures[metric]) if each not in FLAGS]
        if paid := [PAYMENTS[each] for each in values if each in PAYMENTS]:
            return set().union(*paid)
        return self._platforms(slug, model.table, tuple(values))

    def _read_platforms(self, slug: str, table: str, columns: tuple[str, ...]) -> set[str]:
        """The connectors whose rows of a table have all of the columns."""
        said = " and ".join(f"{each} is not null" for each in columns) or "true"
        rows = self.stores.star(slug, f"select distinct source_platform from {table} where {said}")
        return {platform for (platform,) in rows}


@pytest.fixture(scope="module")
def lineages(stores: Stores) -> Lineages:
    return Lineages(stores)


@pytest.mark.parametrize("slug", STORES)
def test_every_metric_leads_to_fields_of_each_connector_that_feeds_it(lineages: Lineages, slug: str) -> None:
    lost = {
        metric: lineages.feeding(slug, metric) - found
        for metric in lineages.of(slug).catalog.askable_metrics
        if not (found := lineages.connectors(slug, metric)) or not lineages.feeding(slug, metric) <= found
    }
    assert lost == {}


@pytest.mark.parametrize("slug", STORES)
def test_no_trail_of_a_metric_or_dimension_ends_before_a_payload(lineages: Lineages, slug: str) -> None:
    lineage = lineages.of(slug)
    names = (*lineage.catalog.askable_metrics, *lineage.catalog.askable_dimensions)
    assert {name: ends for name in names if (ends := lineage.of(name)["ends"])} == {}


def test_every_connector_is_the_origin_of_a_metric_of_the_store_that_it_feeds(lineages: Lineages) -> None:
    catalog = yaml.safe_load((ROOT / "supported_connectors.yaml").read_text(encoding="utf-8"))["connectors"]
    for connector in (each["name"] for each in catalog):
        slug = "north_store" if connector == "stripe" else lineages.stores.store_of(connector)
        assert any(connector in lineages.connectors(slug, each) for each in lineages.of(slug).catalog.askable_metrics)
    east = lineages.of("east_store")  # Mixpanel feeds its sessions, and Google Analytics nothing
    made_of = set().union(*(lineages.connectors("east_store", each) for each in east.catalog.askable_metrics))
    assert "google_analytics" not in made_of


def test_a_field_has_the_wire_type_and_the_meaning_of_its_contract(lineages: Lineages) -> None:
    nodes = {node["name"]: node for node in lineages.of("north_store").of("spend")["nodes"]}
    cost = nodes["google_ads.ad_performance.metrics.costMicros"]
    assert (cost["connector"], cost["object"], cost["field"]) == ("google_ads", "ad_performance", "metrics.costMicros")
    assert (cost["wire_type"], cost["meaning"]) == ("VARCHAR", "micros")


def test_connectors_of_one_vendor_share_a_sink_and_no_field(lineages: Lineages) -> None:
    told = lineages.of("north_store").of("instagram_ads.facebook_insights.spend")
    sinks = [node["name"] for node in told["nodes"] if node["kind"] == "sink_field"]
    assert sinks == ["platform_mm__facebook_ads_api_v1_facebook_insights[instagram_ads].raw_data_payload.spend"]


def test_every_edge_names_the_engine_or_factory_that_it_goes_through(lineages: Lineages) -> None:
    told = lineages.of("north_store").of("spend")
    via = {(edge["from"], edge["to"]): edge["via"] for edge in told["edges"]}
    shared = f"column:{ENGINE}.spend"
    assert via[shared, "column:fct_north_store__ad_performance.spend"] == ["build_fct_ad_performance"]
    google = "column:int_north_store__google_ads_ad_performance.metrics.costMicros"
    assert via[google, shared] == ["engine_google_ads_ad_performance"]
    assert via[f"column:{INSIGHTS}.spend", shared] == ["engine_facebook_ads_ad_performance"]


@pytest.mark.parametrize("name", ["spend", "roas", "order_revenue"])
def test_lineage_of_a_metric_as_people_read_it(
    lineages: Lineages, golden: Callable[[str, str], None], name: str
) -> None:
    told = {**lineages.of("north_store").of(name), "notes": []}
    golden(f"lineage/{name}.txt", lineage_text(told) + "\n")


def test_an_engine_that_reads_another_column_changes_the_lineage(lineages: Lineages) -> None:
    models = lineages.models("north_store")
    renamed = _with_engine(models, "cast(spend as varchar)", "cast(reach as varchar)")
    before, after = (_origins_of_spend(each)["payload_field"] for each in (models, renamed))
    assert before - after == {f"{each}.facebook_insights.spend" for each in ("facebook_ads", "instagram_ads")}
    assert after - before == {f"{each}.facebook_insights.reach" for each in ("facebook_ads", "instagram_ads")}


def test_a_column_that_an_engine_names_and_no_view_has_ends_the_trail_there(lineages: Lineages) -> None:
    broken = _with_engine(lineages.models("north_store"), "cast(spend as varchar)", "cast(outlay as varchar)")
    assert _origins_of_spend(broken)["trail_end"] == {f"the name outlay, which no input has, in {ENGINE}"}


def _origins_of_spend(models: RunModels) -> dict[str, set[str]]:
    """By kind, the names of what the spend of ads is made from."""
    graph = Graph()
    ColumnTrail(models, graph).column("fct_north_store__ad_performance", "spend")
    kinds: dict[str, set[str]] = {}
    for node in graph.nodes.values():
        kinds.setdefault(node.kind, set()).add(node.name)
    return kinds


def _with_engine(models: RunModels, old: str, new: str) -> RunModels:
    """The models with another text in the SQL of one."""

    def changed(model: BuiltModel) -> BuiltModel:
        if model.name != ENGINE:
            return model
        assert old in model.sql
        return model.model_copy(update={"sql": model.sql.replace(old, new)})

    star = models.star.model_copy(update={"models": tuple(changed(each) for each in models.star.models)})
    return models.model_copy(update={"star": star})
