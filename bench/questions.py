"""Questions of the semantic bench, each with the SQL that a good analyst writes, over days and values of its own.

The SQL adds a fact up by key before it joins a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from bench.big_star import DAYS, FIRST_DAY
from bench.shop import SLUG

ADS, SESSIONS, ORDERS = (f"fct_{SLUG}__{name}" for name in ("ad_performance", "sessions", "orders"))
CAMPAIGNS = f"dim_{SLUG}__campaigns"
PLATFORMS = ("google_ads", "facebook_ads", "tiktok_ads", "linkedin_ads")
COUNTRIES = ("US", "CA", "GB", "DE", "FR", "ES", "IT", "MX", "BR", "JP", "IN", "AU")
DEVICES = ("mobile", "desktop", "tablet")

Query = dict[str, Any]  # Any: JSON values
Asked = tuple[Query, str]
"""A query, and the SQL of the same answer."""


@dataclass(frozen=True)
class Days:
    """Both belong to it."""

    start: date
    end: date

    @property
    def range(self) -> dict[str, str]:
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}

    def sql(self, column: str) -> str:
        return f"{column} between date '{self.start}' and date '{self.end}'"


def days(draw: Random, least: int = 500, most: int = 700) -> Days:
    """Days of the star: so many that most of it is read, and nearly never the same ones."""
    length = draw.randint(least, most)
    start = date.fromisoformat(FIRST_DAY) + timedelta(days=draw.randint(0, DAYS - length))
    return Days(start, start + timedelta(days=length - 1))


def spend_by_day(draw: Random) -> Asked:
    when = days(draw)
    return (
        {"metrics": ["spend"], "dimensions": ["date"], "time_range": when.range, "limit": 1000},
        f"""
        select report_date, sum(spend) from {ADS} where {when.sql("report_date")} group by 1 order by 1 limit 1000""",
    )


def spend_by_platform(draw: Random) -> Asked:
    when = days(draw)
    return (
        {"metrics": ["spend", "clicks", "ctr"], "dimensions": ["ad_platform"], "time_range": when.range},
        f"""
        select source_platform, sum(spend), sum(clicks), sum(clicks) / nullif(sum(impressions), 0)
        from {ADS} where {when.sql("report_date")} group by 1 order by 2 desc nulls last, 1 limit 100""",
    )


def roas_by_campaign(draw: Random) -> Asked:
    when = days(draw)
    query = {"metrics": ["roas", "spend"], "dimensions": ["campaign_name"], "time_range": when.range, "limit": 2000}
    return (
        query,
        f"""
        with ads as (
            select campaign_name, sum(spend) as spend from (
                select campaign_key, sum(spend) as spend from {ADS} where {when.sql("report_date")} group by 1
            ) left join {CAMPAIGNS} using (campaign_key) group by 1
        ), visits as (
            select campaign_name, sum(case when attribution <> 'none' then session_revenue else 0 end) as revenue
            from {SESSIONS} where {when.sql("session_date")} group by 1
        )
        select coalesce(ads.campaign_name, visits.campaign_name) as name,
            coalesce(revenue, 0) / nullif(spend, 0) as roas, coalesce(spend, 0)
        from ads full join visits on ads.campaign_name is not distinct from visits.campaign_name
        order by roas desc nulls last, name nulls last limit 2000""",
    )


def conversion_by_source_and_month(draw: Random) -> Asked:
    when, device = days(draw), draw.choice(DEVICES)
    query = {
        "metrics": ["conversion_rate", "sessions"],
        "dimensions": ["traffic_source", "date"],
        "time_grain": "month",
        "time_range": when.range,
        "filters": [{"name": "device_category", "value": device}],
        "limit": 1000,
    }
    return (
        query,
        f"""
        select traffic_source, date_trunc('month', session_date)::date as month,
            count(*) filter (where is_conversion_session) / count(*) as rate, count(*)
        from {SESSIONS} where {when.sql("session_date")} and device_category = '{device}'
        group by 1, 2 order by month, rate desc nulls last, 1 nulls last limit 1000""",
    )


def top_campaigns_of_a_platform(draw: Random) -> Asked:
    when, platform = days(draw), draw.choice(PLATFORMS)
    query = {
        "metrics": ["spend", "impressions", "cpc"],
        "dimensions": ["campaign_name"],
        "time_range": when.range,
        "filters": [{"name": "ad_platform", "value": platform}],
        "order_by": ["-spend"],
        "limit": 10,
    }
    return (
        query,
        f"""
        select campaign_name, sum(spend) as spend, sum(seen), sum(spend) / nullif(sum(clicks), 0)
        from (
            select campaign_key, sum(spend) as spend, sum(impressions) as seen, sum(clicks) as clicks from {ADS}
            where {when.sql("report_date")} and source_platform = '{platform}' group by 1
        ) left join {CAMPAIGNS} using (campaign_key)
        group by 1 order by spend desc nulls last, 1 nulls last limit 10""",
    )


def users_by_month(draw: Random) -> Asked:
    when, country = days(draw), draw.choice(COUNTRIES)
    query = {
        "metrics": ["session_users"],
        "dimensions": ["date"],
        "time_grain": "month",
        "time_range": when.range,
        "filters": [{"name": "geo_country", "op": "!=", "value": country}],
    }
    return (
        query,
        f"""
        select date_trunc('month', session_date)::date, count(distinct user_key)
        from {SESSIONS} where {when.sql("session_date")} and geo_country <> '{country}'
        group by 1 order by 1 limit 100""",
    )


def cumulative_spend(draw: Random) -> Asked:
    when, platform = days(draw), draw.choice(PLATFORMS)
    query = {
        "metrics": ["spend"],
        "dimensions": ["date"],
        "time_range": when.range,
        "filters": [{"name": "ad_platform", "value": platform}],
        "cumulative": {"metric": "spend", "kind": "running"},
        "limit": 1000,
    }
    return (
        query,
        f"""
        select report_date, sum(spend), sum(sum(spend)) over (order by report_date)
        from {ADS} where {when.sql("report_date")} and source_platform = '{platform}'
        group by 1 order by 1 limit 1000""",
    )


def month_over_month(draw: Random) -> Asked:
    when = Days(date(2025, 12, 1), date(2026, draw.randint(4, 10), draw.randint(10, 28)))
    before = Days(date(2024, 12, 1), date(when.end.year - 1, when.end.month, when.end.day))
    country = draw.choice(COUNTRIES)
    query = {
        "metrics": ["sessions"],
        "dimensions": ["date"],
        "time_grain": "month",
        "time_range": when.range,
        "filters": [{"name": "geo_country", "op": "!=", "value": country}],
        "compare": "previous_year",
    }

    def months(days: Days) -> str:
        return f"""select date_trunc('month', session_date)::date as month, count(*) as visits from {SESSIONS}
            where geo_country <> '{country}' and {days.sql("session_date")} group by 1"""

    return (
        query,
        f"""
        with now as ({months(when)}), before as ({months(before)})
        select now.month, now.visits, before.visits, now.visits - before.visits,
            (now.visits - before.visits) / nullif(before.visits, 0)
        from now join before on before.month = (now.month - interval 1 year)::date order by 1 limit 100""",
    )


def cac_by_platform(draw: Random) -> Asked:
    when = days(draw)
    query = {"metrics": ["cac"], "dimensions": ["ad_platform"], "time_range": when.range}
    return (
        query,
        f"""
        with ads as (
            select source_platform as platform, sum(spend) as spend
            from {ADS} where {when.sql("report_date")} group by 1
        ), visits as (
            select ad_platform as platform, count(*) filter (where is_conversion_session) as buys
            from {SESSIONS} where {when.sql("session_date")} group by 1
        )
        select coalesce(ads.platform, visits.platform) as name, spend / nullif(buys, 0) as cac
        from ads full join visits on ads.platform is not distinct from visits.platform
        order by cac desc nulls last, name nulls last limit 100""",
    )


def share_of_sessions(draw: Random) -> Asked:
    when, device = days(draw), draw.choice(DEVICES)
    query = {
        "metrics": ["sessions", "session_revenue"],
        "dimensions": ["geo_country"],
        "time_range": when.range,
        "filters": [{"name": "device_category", "op": "!=", "value": device}],
        "share_of_total": ["session_revenue"],
    }
    return (
        query,
        f"""
        select geo_country, count(*) as visits, sum(session_revenue),
            sum(session_revenue) / nullif(sum(sum(session_revenue)) over (), 0)
        from {SESSIONS} where {when.sql("session_date")} and device_category <> '{device}'
        group by 1 order by visits desc nulls last, 1 nulls last limit 100""",
    )


def order_value_percentile(draw: Random) -> Asked:
    when = days(draw)
    query = {
        "metrics": ["p90_order_value", "average_order_value"],
        "dimensions": ["traffic_medium"],
        "time_range": when.range,
    }
    return (
        query,
        f"""
        select traffic_medium, quantile_cont(total_price::double, 0.9) filter (where is_valid) as p90,
            sum(total_price) filter (where is_valid) / nullif(count(*) filter (where is_valid), 0)
        from {ORDERS} where {when.sql("order_date")} group by 1 order by p90 desc nulls last, 1 nulls last limit 100""",
    )


def three_facts_by_platform_and_month(draw: Random) -> Asked:
    when = days(draw)
    query = {
        "metrics": ["spend", "sessions", "order_revenue"],
        "dimensions": ["ad_platform", "date"],
        "time_grain": "month",
        "time_range": when.range,
        "limit": 1000,
    }
    return (
        query,
        f"""
        with ads as (
            select source_platform as platform, date_trunc('month', report_date)::date as month, sum(spend) as spend
            from {ADS} where {when.sql("report_date")} group by 1, 2
        ), visits as (
            select ad_platform as platform, date_trunc('month', session_date)::date as month, count(*) as visits
            from {SESSIONS} where {when.sql("session_date")} group by 1, 2
        ), sold as (
            select ad_platform as platform, date_trunc('month', order_date)::date as month,
                sum(total_price) filter (where is_valid) as revenue
            from {ORDERS} where {when.sql("order_date")} group by 1, 2
        ), keys as (select platform, month from ads union select platform, month from visits
            union select platform, month from sold)
        select keys.platform, keys.month, coalesce(spend, 0) as spend, coalesce(visits, 0), coalesce(revenue, 0)
        from keys
        left join ads on ads.platform is not distinct from keys.platform and ads.month = keys.month
        left join visits on visits.platform is not distinct from keys.platform and visits.month = keys.month
        left join sold on sold.platform is not distinct from keys.platform and sold.month = keys.month
        order by keys.month, spend desc nulls last, 1 nulls last limit 1000""",
    )


def roas_and_sales_by_campaign(draw: Random) -> Asked:
    when = days(draw)
    query = {
        "metrics": ["roas", "blended_roas", "cac"],
        "dimensions": ["campaign_name"],
        "time_range": when.range,
        "limit": 2000,
    }
    return (
        query,
        f"""
        with ads as (
            select campaign_name as name, sum(spend) as spend from (
                select campaign_key, sum(spend) as spend from {ADS} where {when.sql("report_date")} group by 1
            ) left join {CAMPAIGNS} using (campaign_key) group by 1
        ), visits as (
            select campaign_name as name, sum(case when attribution <> 'none' then session_revenue else 0 end) as won,
                count(*) filter (where is_conversion_session) as buys
            from {SESSIONS} where {when.sql("session_date")} group by 1
        ), sold as (
            select campaign_name as name, sum(case when is_valid then total_price else 0 end) as revenue
            from {ORDERS} where {when.sql("order_date")} group by 1
        ), keys as (select name from ads union select name from visits union select name from sold)
        select keys.name, coalesce(won, 0) / nullif(spend, 0) as roas, coalesce(revenue, 0) / nullif(spend, 0),
            spend / nullif(buys, 0)
        from keys
        left join ads on ads.name is not distinct from keys.name
        left join visits on visits.name is not distinct from keys.name
        left join sold on sold.name is not distinct from keys.name
        order by roas desc nulls last, keys.name nulls last limit 2000""",
    )


def one_week_of_a_campaign(draw: Random) -> Asked:
    when, campaign = days(draw, 7, 7), draw.randint(0, 999)
    query = {
        "metrics": ["spend", "clicks"],
        "dimensions": ["date"],
        "time_range": when.range,
        "filters": [{"name": "campaign_name", "value": f"Campaign {campaign}"}],
    }
    return (
        query,
        f"""
        select report_date, sum(spend), sum(clicks) from {ADS} join {CAMPAIGNS} using (campaign_key)
        where {when.sql("report_date")} and campaign_name = 'Campaign {campaign}' group by 1 order by 1 limit 100""",
    )


@dataclass(frozen=True)
class Question:
    """`adds_up`: every metric of it can be made from daily sums."""

    ask: Callable[[Random], Asked]
    adds_up: bool = True


QUESTIONS: Mapping[str, Question] = {
    "spend by day": Question(spend_by_day),
    "spend and ctr by platform": Question(spend_by_platform),
    "ROAS by campaign": Question(roas_by_campaign),
    "conversion rate by source and month": Question(conversion_by_source_and_month),
    "top 10 campaigns of a platform": Question(top_campaigns_of_a_platform),
    "distinct users by month": Question(users_by_month, adds_up=False),
    "cumulative spend": Question(cumulative_spend),
    "sessions by month, year before": Question(month_over_month),
    "CAC by platform": Question(cac_by_platform),
    "share of revenue by country": Question(share_of_sessions),
    "90th percentile of orders": Question(order_value_percentile, adds_up=False),
    "three facts by platform and month": Question(three_facts_by_platform_and_month),
    "three facts by campaign": Question(roas_and_sales_by_campaign),
    "one week of one campaign": Question(one_week_of_a_campaign),
}
