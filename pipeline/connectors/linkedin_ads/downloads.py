"""Files that people download from LinkedIn Campaign Manager.

Source: public readers of its performance reports (found by `Start Date (in UTC)` and `Total Spent,Impressions`):
lines of metadata before the header, UTF-16 with tabs or UTF-8, days written m/d/yyyy, a row `Total` at the end. A row
says the first day that it covers and, of its last one, nothing; so a report of months cannot be told from one of
days, and none is read unless it has an end date as well.
"""

from __future__ import annotations

from pipeline.contracts.downloads import CURRENCY, Download, Language

KNOWN_BY = (
    ("Start Date (in UTC)", "Total Spent"),
    ("Start Date (in UTC)", "Campaign Name"),
    ("Total Spent", "Impressions", "Campaign Group Name"),
)
TITLES = {
    "dateRange.start": ("Start Date (in UTC)", "Day", "Date"),
    "dateRange.end": ("End Date (in UTC)", "End Date", "Day", "Date"),
    "costInLocalCurrency": ("Total Spent", f"Total Spent {CURRENCY}"),
    "impressions": ("Impressions",),
    "clicks": ("Clicks",),
    "externalWebsiteConversions": ("Conversions",),
    "oneClickLeads": ("Leads", "Lead Form Submissions"),
}
BRING = (
    "bring ad analytics of the Marketing API by day, or a loader's table; a report of Campaign Manager is read only "
    "with an end date beside the start date and the time breakdown Daily"
)

BY_CAMPAIGN = Download(
    name="a LinkedIn Campaign Manager report",
    objects=("ad_analytics_by_campaign",),
    languages=(
        Language(
            name="English",
            known_by=KNOWN_BY,
            titles=TITLES | {"pivotValue": ("Campaign ID",), "campaign": ("Campaign Name",)},
            totals=("total",),
        ),
    ),
    needs=(
        ("dateRange.start",),
        ("dateRange.end",),
        ("costInLocalCurrency",),
        ("impressions",),
        ("clicks",),
        ("pivotValue", "campaign"),
    ),
    bring=BRING,
    day="dateRange.start",
    last_day="dateRange.end",
    ids_by_name=(("pivotValue", "campaign"),),
)

DOWNLOADS = (BY_CAMPAIGN,)
NOT_READ = ()
