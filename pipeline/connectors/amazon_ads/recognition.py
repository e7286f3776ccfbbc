"""Marks of campaign reports: a metric of Sponsored Products has its window in its name, one of the others has none.

Source: advertising.amazon.com/API/docs/en-us/guides/reporting/v3/report-types/campaign. A report that asked for no
conversions and no sales is taken for one of Sponsored Products.
"""

from __future__ import annotations

from pipeline.ingest.recognition.marks import NEVER

_WITHOUT_WINDOW = ("purchases", "purchasesClicks", "sales", "salesClicks")
_WITH_WINDOW = tuple(f"{metric}{days}d" for metric in ("purchases", "sales") for days in (1, 7, 14, 30))

MARKS = {
    "sponsored_products_campaign_report": dict.fromkeys(_WITHOUT_WINDOW, NEVER),
    "sponsored_brands_campaign_report": dict.fromkeys(_WITH_WINDOW, NEVER),
    "sponsored_display_campaign_report": dict.fromkeys(_WITH_WINDOW, NEVER),
}
"""Object -> field -> what its text matches."""
PROOFS = dict.fromkeys(("sponsored_brands_campaign_report", "sponsored_display_campaign_report"), _WITHOUT_WINDOW)
"""Object -> fields of which a record has one."""
