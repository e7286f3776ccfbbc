"""Lineage over the command line and REST: one answer, of the caller's own tenant."""

from __future__ import annotations

import json

import httpx
import pytest

from pipeline.publish.run_files import MODELS
from pipeline.publish.run_manifest import read_manifest
from tests.server.cli_run import Terminal
from tests.server.hand_models import run_models
from tests.server.published_fixture import PublishedHome
from warehouse.lineage.built_models import STAR_MODELS, BuiltModels, write_models


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


def get(address: str, home: PublishedHome, tenant: str, name: str, *, who: str = "alpha") -> httpx.Response:
    return httpx.get(f"{address}/catalog/{tenant}/lineage", params={"name": name}, headers=home.headers(who))


def test_a_metric_leads_back_to_the_field_of_the_payload(gata: Terminal, home: PublishedHome) -> None:
    with gata.use(home.settings):
        told = gata("lineage", "cpc", "--tenant", "alpha")
    assert told.code == 0, told.err
    lines = [line.strip("│├└─ ") for line in told.out.splitlines()]
    assert lines[:7] == [
        "cpc  metric, spend / clicks",
        "clicks  metric",
        "ad_performance.clicks  measure, _.clicks.sum()",
        "fct_alpha__ad_performance.clicks  star",
        "int_alpha__facebook_ads_facebook_insights.clicks  (build_fct_ad_performance)",
        "platform_mm__facebook_ads_api_v1_facebook_insights[facebook_ads].raw_data_payload.clicks  sink",
        "facebook_ads.facebook_insights.clicks  field, VARCHAR, integer  (generate_staging_pusher)",
    ]
    assert told.out.rstrip().splitlines()[-1].startswith("Made from 2 fields; run ")


def test_a_field_leads_on_to_the_metrics_that_are_made_of_it(gata: Terminal, home: PublishedHome) -> None:
    with gata.use(home.settings):
        told = json.loads(gata("lineage", "facebook_ads.facebook_insights.spend", "--tenant", "alpha", "--json").out)
    assert told["kind"] == "payload_field"
    metrics = {node["name"] for node in told["nodes"] if node["kind"] == "metric"}
    assert {"spend", "cpc", "roas", "cac"} <= metrics
    assert "clicks" not in metrics


@pytest.mark.parametrize("name", ["spend", "ad_performance.spend", "fct_alpha__ad_performance.clicks"])
def test_rest_gives_what_the_command_line_gives(gata: Terminal, home: PublishedHome, address: str, name: str) -> None:
    with gata.use(home.settings):
        told = gata("lineage", name, "--tenant", "alpha", "--json").out
        again = gata("lineage", name, "--tenant", "alpha", "--json").out
    response = get(address, home, "alpha", name)
    assert response.status_code == 200
    assert response.text == told.rstrip("\n") == again.rstrip("\n")
    tag = {"If-None-Match": response.headers["etag"]}
    kept = httpx.get(response.url, headers=home.headers("alpha") | tag)
    assert kept.status_code == 304


def test_the_tenant_of_another_answers_like_one_that_does_not_exist(home: PublishedHome, address: str) -> None:
    foreign, missing = (get(address, home, tenant, "spend") for tenant in ("beta", "nobody"))
    assert foreign.status_code == missing.status_code == 404
    assert {**foreign.json(), "instance": ""} == {**missing.json(), "instance": ""}


def test_a_column_of_another_tenant_is_an_unknown_name(home: PublishedHome, address: str) -> None:
    refused = get(address, home, "alpha", "fct_beta__ad_performance.spend")
    assert refused.status_code == 422
    assert "beta" not in refused.json()["fix"]


def test_a_wrong_name_is_refused_with_the_nearest_ones(gata: Terminal, home: PublishedHome, address: str) -> None:
    with gata.use(home.settings):
        wrong = gata("lineage", "ad_performance.spent", "--tenant", "alpha")
    assert wrong.code == 2
    assert "There is no metric, dimension or column named 'ad_performance.spent'." in wrong.err
    assert "ad_performance.spend" in wrong.err
    fix = get(address, home, "alpha", "ad_performance.spent").json()["fix"]
    assert wrong.err.strip().endswith(fix)


def test_a_tenant_is_named_where_several_are_published_and_not_where_one_is(
    gata: Terminal, home: PublishedHome, fresh_home: PublishedHome
) -> None:
    with gata.use(home.settings):
        several = gata("lineage", "spend")
    assert several.code == 2
    assert "Name one with --tenant" in several.err
    with gata.use(fresh_home.settings):
        one = gata("lineage", "spend")
    assert one.code == 0
    assert one.out.rstrip().endswith("of alpha.")


def test_a_trail_without_a_model_ends_where_it_is_lost(gata: Terminal, home: PublishedHome) -> None:
    with gata.use(home.settings):
        told = gata("lineage", "units_sold", "--tenant", "alpha")
    assert "The trail ends at fct_alpha__order_items, which no model of the build made." in told.out


def test_lineage_is_that_of_the_served_run_and_says_when_the_star_is_newer(
    gata: Terminal, fresh_home: PublishedHome
) -> None:
    star = fresh_home.settings.stars("alpha").with_name(STAR_MODELS)
    built = run_models("alpha").star
    write_models(star, built)
    with gata.use(fresh_home.settings):
        same = gata("lineage", "spend")
        fact, view = built.models
        other = fact.model_copy(update={"sql": fact.sql.replace("cast(spend as", "cast(clicks as")})
        write_models(star, BuiltModels(models=(other, view), contracts=built.contracts))
        newer = gata("lineage", "spend")
    assert "Note:" not in same.out
    note = "Note: The star of alpha has been built with other SQL since: this is the lineage of run "
    assert note in newer.out
    assert "facebook_ads.facebook_insights.spend  field" in newer.out


def test_a_run_without_its_sql_says_which_command_keeps_it(gata: Terminal, fresh_home: PublishedHome) -> None:
    folder = fresh_home.settings.published("alpha")
    (run,) = (path for path in folder.iterdir() if path.is_dir())
    assert MODELS in {file.name for file in read_manifest(run).files or ()}
    (run / MODELS).unlink()
    with gata.use(fresh_home.settings):
        told = gata("lineage", "spend")
        asked = gata("ask", "--tenant", "alpha", "--metrics", "spend")
    assert told.code == 2
    assert told.err.strip().endswith("Run `gata build --tenant alpha --full`: a build keeps the SQL that it runs.")
    assert asked.code == 0
    assert f"{MODELS} cannot be read" in asked.out


def test_a_push_of_an_earlier_release_ends_the_trail_at_the_sink(gata: Terminal, fresh_home: PublishedHome) -> None:
    models = run_models("alpha").model_copy(update={"push": None})
    fresh_home.publish("alpha", models=models)
    with gata.use(fresh_home.settings):
        told = gata("lineage", "spend")
    assert "The trail ends at platform_mm__facebook_ads_api_v1_facebook_insights: an earlier release" in told.out
