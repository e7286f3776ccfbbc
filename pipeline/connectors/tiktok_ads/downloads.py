"""Files that people download from TikTok Ads Manager.

Source: public readers of its exports (found by `By Day` and `Clicks (destination)`): the cost is in major units of the
account's currency, `By Day` is the day of the account, and `Clicks (destination)` are the API's clicks
(business-api.tiktok.com, report metrics). It exports a custom report by day, or a table of totals.
"""

from __future__ import annotations

from pipeline.contracts.downloads import CURRENCY, Download, Language, NotRead

REPORT = Download(
    name="a TikTok Ads Manager download",
    objects=("ads_reports_daily",),
    languages=(
        Language(
            name="English",
            known_by=(
                ("Cost", "Clicks (destination)"),
                (f"Cost {CURRENCY}", "Impressions"),
                ("By Day", "Cost"),
                ("By Day", "Spend"),
                ("By Day", "Impressions", "Ad group name"),
                ("Clicks (destination)", "Impressions"),
            ),
            titles={
                "dimensions.stat_time_day": ("By Day", "Date", "Day"),
                "dimensions.campaign_id": ("Campaign ID",),
                "metrics.campaign_name": ("Campaign name",),
                "dimensions.adgroup_id": ("Ad group ID", "Ad Group ID"),
                "metrics.adgroup_name": ("Ad group name",),
                "dimensions.ad_id": ("Ad ID",),
                "metrics.ad_name": ("Ad name",),
                "dimensions.country_code": ("Country/Region", "Country"),
                "dimensions.gender": ("Gender",),
                "dimensions.age": ("Age",),
                "dimensions.placement": ("Placement",),
                "metrics.currency": ("Currency",),
                "metrics.spend": (f"Cost {CURRENCY}", "Cost", "Spend", "Total cost"),
                "metrics.impressions": ("Impressions", "Impression"),
                "metrics.clicks": ("Clicks (destination)", "Clicks"),
                "metrics.conversion": ("Conversions", "Total conversions"),
            },
            totals=("total",),
        ),
    ),
    needs=(("dimensions.stat_time_day",), ("metrics.spend",), ("metrics.impressions",), ("metrics.clicks",)),
    bring="in TikTok Ads Manager make a custom report with the dimension By Day and the metrics Cost, Impressions and "
    "Clicks (destination), in English, and export it as CSV",
    currency="metrics.currency",
    day="dimensions.stat_time_day",
    ids_by_name=(
        ("dimensions.campaign_id", "metrics.campaign_name"),
        ("dimensions.adgroup_id", "metrics.adgroup_name"),
        ("dimensions.ad_id", "metrics.ad_name"),
    ),
    breakdowns=("dimensions.country_code", "dimensions.gender", "dimensions.age", "dimensions.placement"),
)

DOWNLOADS = (REPORT,)
NOT_READ = (
    NotRead(
        name="a TikTok Shop or GMV Max download",
        known_by=(("Gross revenue", "Cost", "ROI"), ("SKU orders", "Gross revenue")),
        bring="bring the report of the API, or a custom report by day",
    ),
)
