"""Models behind a hand-made star: one fact, from a sink that a pusher fills with insights of Facebook Ads."""

from __future__ import annotations

from warehouse.lineage.built_models import BuiltModel, BuiltModels, ContractField, RunModels, SourceContract

SINK, LANDING = "platform_mm__facebook_ads_api_v1_facebook_insights", "facebook_ads__facebook_insights"
CONTRACT = SourceContract(
    platform="facebook_ads",
    object="facebook_insights",
    version="v1",
    landing_table=LANDING,
    sink=SINK,
    fields={
        "spend": ContractField(wire="VARCHAR", meaning="decimal"),
        "clicks": ContractField(wire="VARCHAR", meaning="integer"),
    },
)


def run_models(slug: str) -> RunModels:
    view, fact = f"int_{slug}__facebook_ads_facebook_insights", f"fct_{slug}__ad_performance"
    parsed = """from_json(raw_data_payload, '{"spend":"VARCHAR","clicks":"VARCHAR"}') as record"""
    return RunModels(
        star=BuiltModels(
            models=(
                BuiltModel(
                    name=fact,
                    sql=f"select cast(spend as decimal(18, 6)) as spend, cast(clicks as bigint) as clicks from {view}",
                    reads=(view,),
                    macros=("build_fct_ad_performance",),
                ),
                BuiltModel(
                    name=view,
                    sql=f"with parsed as (select {parsed} from {SINK} where source_platform = 'facebook_ads')"
                    " select record.spend as spend, record.clicks as clicks from parsed",
                    reads=(SINK,),
                ),
            ),
            contracts=(CONTRACT,),
        ),
        push=BuiltModels(
            models=(
                BuiltModel(
                    name=f"stg_{slug}__facebook_ads_facebook_insights",
                    sql="select 'facebook_ads' as source_platform, concat('{', concat_ws(',', '\"spend\":' ||"
                    " to_json(spend)::varchar, '\"clicks\":' || to_json(clicks)::varchar), '}') as raw_data_payload"
                    f" from {LANDING}",
                    reads=(LANDING, SINK),
                    macros=("generate_staging_pusher",),
                ),
            )
        ),
    )
