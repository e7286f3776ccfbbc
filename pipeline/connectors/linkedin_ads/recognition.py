"""Marks of the records of two reports that have the same fields: the pivot of the one is campaigns.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/ads-reporting (pivot, pivotValues).
"""

from __future__ import annotations

_OTHERS, _CAMPAIGNS = "^(?!.*(sponsoredCampaign:|^CAMPAIGN$))", "sponsoredCampaign:|^CAMPAIGN$"

MARKS = {
    "ad_analytics": dict.fromkeys(("pivot", "pivotValue", "pivotValues"), _OTHERS),
    "ad_analytics_by_campaign": dict.fromkeys(("pivot", "pivotValue", "pivotValues"), _CAMPAIGNS),
}
"""Object -> field -> what its text matches."""
