"""Numbers of the enums of the Google Ads API, as its typed clients write them.

A message of the Python client becomes a dict with numbers unless `use_integers_for_enums=False` is said
(googleapis.dev/python/proto-plus). Source: googleapis/googleapis, google/ads/googleads/v16/enums/*.proto. In all of
them 0 is UNSPECIFIED: the field was not selected. Enums without a list here keep their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

STATUS = {1: "UNKNOWN", 2: "ENABLED", 3: "PAUSED", 4: "REMOVED"}
"""CampaignStatus, AdGroupStatus, AdGroupAdStatus."""
SERVING_STATUS = {1: "UNKNOWN", 2: "SERVING", 3: "NONE", 4: "ENDED", 5: "PENDING", 6: "SUSPENDED"}
CHANNEL_TYPE = {
    1: "UNKNOWN",
    2: "SEARCH",
    3: "DISPLAY",
    4: "SHOPPING",
    5: "HOTEL",
    6: "VIDEO",
    7: "MULTI_CHANNEL",
    8: "LOCAL",
    9: "SMART",
    10: "PERFORMANCE_MAX",
    11: "LOCAL_SERVICES",
    12: "DISCOVERY",
    13: "TRAVEL",
}
DEVICE = {1: "UNKNOWN", 2: "MOBILE", 3: "TABLET", 4: "DESKTOP", 5: "OTHER", 6: "CONNECTED_TV"}
AD_NETWORK_TYPE = {
    1: "UNKNOWN",
    2: "SEARCH",
    3: "SEARCH_PARTNERS",
    4: "CONTENT",
    7: "MIXED",
    8: "YOUTUBE",
    9: "GOOGLE_TV",
}
SLOT = {
    1: "UNKNOWN",
    2: "SEARCH_SIDE",
    3: "SEARCH_TOP",
    4: "SEARCH_OTHER",
    5: "CONTENT",
    6: "SEARCH_PARTNER_TOP",
    7: "SEARCH_PARTNER_OTHER",
    8: "MIXED",
}
CONVERSION_CATEGORY = {
    1: "UNKNOWN",
    2: "DEFAULT",
    3: "PAGE_VIEW",
    4: "PURCHASE",
    5: "SIGNUP",
    7: "DOWNLOAD",
    8: "ADD_TO_CART",
    9: "BEGIN_CHECKOUT",
    10: "SUBSCRIBE_PAID",
    11: "PHONE_CALL_LEAD",
    12: "IMPORTED_LEAD",
    13: "SUBMIT_LEAD_FORM",
    14: "BOOK_APPOINTMENT",
    15: "REQUEST_QUOTE",
    16: "GET_DIRECTIONS",
    17: "OUTBOUND_CLICK",
    18: "CONTACT",
    19: "ENGAGEMENT",
    20: "STORE_VISIT",
    21: "STORE_SALE",
    22: "QUALIFIED_LEAD",
    23: "CONVERTED_LEAD",
}

ENUM_NUMBERS: Mapping[str, Mapping[int, str]] = {
    "campaign.status": STATUS,
    "campaign.servingStatus": SERVING_STATUS,
    "campaign.advertisingChannelType": CHANNEL_TYPE,
    "campaign.advertisingChannelSubType": {},
    "adGroup.status": STATUS,
    "adGroup.type": {},
    "adGroupAd.status": STATUS,
    "adGroupAd.ad.type": {},
    "segments.device": DEVICE,
    "segments.adNetworkType": AD_NETWORK_TYPE,
    "segments.slot": SLOT,
    "segments.clickType": {},
    "segments.conversionActionCategory": CONVERSION_CATEGORY,
}
