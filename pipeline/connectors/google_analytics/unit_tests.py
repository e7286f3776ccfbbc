"""Google Analytics' records and the expected results of its engine."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, main_currency

VISIT: Row = {
    "event_date": "20260105",
    "event_timestamp": 1767607200123456,
    "event_name": "page_view",
    "user_pseudo_id": "1026454.4272",
    "user_id": "bob",
    "stream_id": "2100450278",
    "platform": "WEB",
    "device": {"category": "mobile", "mobile_brand_name": "Apple", "mobile_model_name": "iPhone", "language": "de"},
    "geo": {"continent": "Europe", "sub_continent": "Western Europe", "country": "Germany", "region": "Berlin"},
    "traffic_source": {"name": "First", "medium": "organic", "source": "google"},
}
BING: Row = {"manual_source": "bing", "manual_medium": "email", "manual_campaign_name": "Autumn"}
PAGE = "https://shop.example/?utm_source=google&utm_id=c3&hl=de#top"
GOOGLE = {"source": " google", "medium": "cpc ", "campaign": "Spring", "campaign_id": "c1", "page_location": PAGE}
UNSET = "(not set)"

EXPECTED: Row = {
    "source_platform": "google_analytics",
    "source_account": "main",
    "event_name": "page_view",
    "occurred_at": "2026-01-05 10:00:00.123456",
    "tie_break": 2,
    "exported_at": "2026-03-01 00:00:00",
    "user_pseudo_id": "1026454.4272",
    "user_id": "bob",
    "is_purchase": False,
    "transaction_id": None,
    "order_total": None,
    "currency": None,
    "traffic_source": None,
    "traffic_medium": None,
    "traffic_campaign": None,
    "traffic_campaign_id": None,
    "user_source": "google",
    "user_medium": "organic",
    "user_campaign": "First",
    "user_campaign_id": None,
    "geo_country": "Germany",
    "device_category": "mobile",
}
FROM_GOOGLE: Row = {"traffic_source": "google", "traffic_medium": "cpc", "traffic_campaign": "Spring"}
FROM_BING: Row = {"traffic_source": "bing", "traffic_medium": "email", "traffic_campaign": "Autumn"}
BOUGHT: Row = {"event_name": "purchase", "is_purchase": True}
PAID: Row = {"tax_value": 1.9, "shipping_value": 4.9, "refund_value": 2.9}


def _purchase(ecommerce: Row, **values: str) -> Row:
    return {"event_name": "purchase", "ecommerce": PAID | ecommerce} | _params(**values)


def _worth(slot: str, value: object) -> Row:
    """A purchase whose value is the parameter of that name, in one of its slots."""
    return {"event_name": "purchase", "event_params": [{"key": "value", "value": {slot: value}}]}


LINKED: Row = {"customer_id": "777", "campaign_id": "200", "campaign_name": "Spring", "ad_group_id": "9"}
CROSS: Row = {"campaign_id": "200", "campaign_name": "Spring", "source": "google", "medium": "cpc"}
BY_HAND: Row = {"campaign_id": "c4", "campaign_name": "Mail", "source": "newsletter", "medium": "email"}
OF_LAST_CLICK: Row = {
    "user_source": "google",
    "user_medium": "cpc",
    "user_campaign": "Spring",
    "user_campaign_id": "200",
}
CLICKED: Row = {"traffic_source": "google", "traffic_medium": "cpc"}
SPRING: Row = FROM_GOOGLE | {"traffic_campaign_id": "200"} | OF_LAST_CLICK
ORGANIC: Row = {"source": "google", "medium": "organic", "campaign": "(organic)"}


def _params(**values: str) -> Row:
    """Event parameters that are text."""
    return {"event_params": [{"key": key, "value": {"string_value": value}} for key, value in values.items()]}


def _last_click(**campaigns: Row) -> Row:
    return {"session_traffic_source_last_click": campaigns}


def _page(query: str, **params: str) -> Row:
    return _params(page_location=f"https://shop.example/?{query}#top", **params)


Example = tuple[Row, Row]
"""An example: the differences of an event from VISIT, and of its result from EXPECTED."""
TRAFFIC: tuple[Example, ...] = (
    (
        {"collected_traffic_source": BING | {"manual_campaign_id": "c2"}} | _params(**GOOGLE),
        FROM_GOOGLE | {"traffic_campaign_id": "c1"},
    ),
    (
        {"collected_traffic_source": BING | {"manual_campaign_id": "c2"}} | _params(source=UNSET, page_location=PAGE),
        FROM_BING | {"traffic_campaign_id": "c2"},
    ),
    (_params(**GOOGLE | {"campaign_id": UNSET}), FROM_GOOGLE | {"traffic_campaign_id": "c3"}),
    (_params(**GOOGLE | {"source": UNSET}), {}),
    ({"collected_traffic_source": BING | {"manual_source": UNSET, "manual_campaign_id": "c2"}}, {}),
    (
        {"collected_traffic_source": {"manual_campaign_id": UNSET}}
        | _params(source="google", medium=UNSET, campaign=UNSET, page_location="https://shop.example/"),
        {"traffic_source": "google"},
    ),
    (
        {"collected_traffic_source": {"manual_source": "bing", "manual_medium": UNSET, "manual_campaign_name": UNSET}},
        {"traffic_source": "bing"},
    ),
    # Source, medium, campaign and its id are each taken where present, whatever else is left out.
    (_params(source="google", campaign_id="c1"), {"traffic_source": "google", "traffic_campaign_id": "c1"}),
    (
        {"collected_traffic_source": {"manual_source": "bing", "manual_campaign_name": "Autumn"}},
        {"traffic_source": "bing", "traffic_campaign": "Autumn"},
    ),
    (
        {"collected_traffic_source": {"manual_source": "bing", "manual_campaign_id": "c2"}},
        {"traffic_source": "bing", "traffic_campaign_id": "c2"},
    ),
    (
        {"event_params": [*_params(source="first")["event_params"], *_params(source="second")["event_params"]]},
        {"traffic_source": "first"},
    ),
    ({"event_name": "session_start", "user_id": ""}, {"event_name": "session_start", "tie_break": 0, "user_id": None}),
    ({"event_name": "first_visit"}, {"event_name": "first_visit", "tie_break": 1}),
    (
        {"traffic_source": dict.fromkeys(("name", "medium", "source"), UNSET), "user_pseudo_id": None}
        | {"geo": {"country": UNSET}, "device": {"category": UNSET}},
        {"user_source": None, "user_medium": None, "user_campaign": None, "user_pseudo_id": None}
        | {"geo_country": None, "device_category": None},
    ),
)
CLICKS: tuple[Example, ...] = (
    # A click id says the platform, where no medium says that the link was paid for by another.
    ({"collected_traffic_source": {"gclid": "g1"}}, CLICKED),
    (_params(gclid="g1"), CLICKED),
    *((_page(f"{name}=1"), CLICKED) for name in ("gclid", "hl=de&gbraid", "wbraid")),
    ({"collected_traffic_source": {"gclid": UNSET}} | _page("gclid="), {}),
    (_page("gclid=1", **ORGANIC), CLICKED),
    (_page("gclid=1", source="t.co", medium="referral", campaign="(referral)"), CLICKED),
    (_page("gclid=1", source="google", medium="organic", campaign="Mine"), CLICKED | {"traffic_campaign": "Mine"}),
    (_page("gclid=1&gad_source=1&gad_campaignid=200"), CLICKED | {"traffic_campaign_id": "200"}),
    (_page("gclid=1&gad_campaignid=200&utm_id=7"), CLICKED | {"traffic_campaign_id": "7"}),
    (
        _page("gad_campaignid=200", source="Google", medium="cpc"),
        {"traffic_source": "Google", "traffic_medium": "cpc", "traffic_campaign_id": "200"},
    ),
    (
        _page("gclid=1&gad_campaignid=200", source="bing", medium="cpc"),
        {"traffic_source": "bing", "traffic_medium": "cpc"},
    ),
    (_page("gclid=1&gclsrc=3p.ds"), {}),
    (
        _page("gclid=1", gclsrc="ds", **ORGANIC),
        {"traffic_source": "google", "traffic_medium": "organic", "traffic_campaign": "(organic)"},
    ),
    (_page("gclid=1&gclsrc=aw.ds"), CLICKED),
    (_page("msclkid=1&gad_campaignid=2"), {"traffic_source": "bing", "traffic_medium": "cpc"}),
    (_page("ttclid=1"), {"traffic_source": "tiktok", "traffic_medium": "cpc"}),
    (_page("msclkid="), {}),
    (_page("ttclid="), {}),
    ({"collected_traffic_source": {"dclid": "d1"}}, {"traffic_source": "dv360", "traffic_medium": "cpm"}),
    (_params(dclid="d1"), {"traffic_source": "dv360", "traffic_medium": "cpm"}),
    (_page("dclid=1"), {"traffic_source": "dv360", "traffic_medium": "cpm"}),
    (_page("dclid="), {}),
    # What Google Analytics says of the session names the click's campaign, and stands in where no event says a source.
    (_page("gclid=1") | _last_click(cross_channel_campaign=CROSS, google_ads_campaign=LINKED), SPRING),
    (_page("gclid=1", **ORGANIC) | _last_click(google_ads_campaign=LINKED), SPRING),
    (_params(**ORGANIC) | _last_click(cross_channel_campaign=CROSS), SPRING),
    (
        _page("gclid=1")
        | _last_click(cross_channel_campaign={"source": "google", "medium": "cpc"}, google_ads_campaign=LINKED),
        SPRING,
    ),
    (_last_click(cross_channel_campaign=CROSS), OF_LAST_CLICK),
    (
        _page("gclid=1&gad_campaignid=3") | _last_click(cross_channel_campaign={"source": "google", "medium": "cpc"}),
        CLICKED | {"traffic_campaign_id": "3", "user_source": "google", "user_medium": "cpc", "user_campaign": None},
    ),
    (
        _page("gclid=1")
        | _last_click(
            cross_channel_campaign={"source": "google", "medium": "organic"} | {"campaign_name": "(organic)"}
        ),
        CLICKED | {"user_campaign": "(organic)"},
    ),
    (
        _page("gclid=1") | _last_click(manual_campaign=BY_HAND),
        CLICKED
        | {"user_source": "newsletter", "user_medium": "email", "user_campaign": "Mail", "user_campaign_id": "c4"},
    ),
    (
        _params(source="newsletter", medium="email") | _last_click(cross_channel_campaign=CROSS),
        {"traffic_source": "newsletter", "traffic_medium": "email"} | OF_LAST_CLICK,
    ),
    (
        _page("dclid=1") | _last_click(cross_channel_campaign=CROSS | {"source": "site.example", "medium": "cpm"}),
        {"traffic_source": "site.example", "traffic_medium": "cpm", "traffic_campaign": "Spring"}
        | {"traffic_campaign_id": "200"}
        | OF_LAST_CLICK
        | {"user_source": "site.example", "user_medium": "cpm"},
    ),
    (_last_click(cross_channel_campaign=dict.fromkeys(CROSS, UNSET)), {}),
)
NAMELESS: Row = {"source": "google", "medium": "cpc", "campaign_name": "Spring"}
UNNUMBERED: Row = OF_LAST_CLICK | {"user_campaign_id": None}
OTHER_LINK: Row = LINKED | {"campaign_id": "300", "campaign_name": "Other"}
LAST_CLICKS: tuple[Example, ...] = (
    # The last click gives its values all together; its campaign's id, where it has none, is the event's own.
    (_page("gclid=1") | _last_click(cross_channel_campaign=CROSS, google_ads_campaign=OTHER_LINK), SPRING),
    (_page("gclid=1&utm_id=7") | _last_click(cross_channel_campaign=CROSS), SPRING),
    (
        _page("gclid=1&gad_campaignid=3&utm_id=7") | _last_click(cross_channel_campaign=NAMELESS),
        FROM_GOOGLE | {"traffic_campaign_id": "7"} | UNNUMBERED,
    ),
    (_page("gclid=1", source="t.co", medium="referral") | _last_click(cross_channel_campaign=CROSS), SPRING),
    (
        _params(source="Google", medium="Organic") | _last_click(cross_channel_campaign=CROSS | {"source": "Google"}),
        SPRING | {"traffic_source": "Google", "user_source": "Google"},
    ),
    # A click of another platform, or of a source that is no search of Google, keeps its own values.
    (
        _page("msclkid=1&utm_id=7") | _last_click(cross_channel_campaign=CROSS),
        {"traffic_source": "bing", "traffic_medium": "cpc", "traffic_campaign_id": "7"} | OF_LAST_CLICK,
    ),
    (
        _params(source="google", medium="cpm") | _last_click(cross_channel_campaign=CROSS),
        {"traffic_source": "google", "traffic_medium": "cpm"} | OF_LAST_CLICK,
    ),
    (
        _params(source="bing", medium="organic")
        | _last_click(cross_channel_campaign=CROSS | {"source": "bing", "medium": "cpc"}),
        {"traffic_source": "bing", "traffic_medium": "organic"} | OF_LAST_CLICK | {"user_source": "bing"},
    ),
    (
        _page("gad_campaignid=200&utm_id=7", source="google", medium="cpc"),
        CLICKED | {"traffic_campaign_id": "7"},
    ),
    # Media are named in any case, and None is one that says nothing.
    *(
        (_page("gclid=1", source="t.co", medium=medium, campaign="Mine"), CLICKED | {"traffic_campaign": "Mine"})
        for medium in ("None", "none", "Referral")
    ),
)
PLACE: Row = {"batch_page_id": 1, "batch_ordering_id": 2, "batch_event_index": 3}
YESTERDAY, TODAY = "2026-02-01", "2026-02-02"
SECOND: Row = {"occurred_at": "2026-01-05 10:00:01.123456"}
OF_YESTERDAY: Row = {"exported_at": f"{YESTERDAY} 00:00:00"}
SENT_AGAIN: tuple[tuple[Row, Row | None], ...] = (
    # An event that a later export has too counts once; one that differs in its place is another.
    (PLACE | {"_exported_at": YESTERDAY}, None),
    (PLACE | {"_exported_at": TODAY}, {"exported_at": f"{TODAY} 00:00:00"}),
    (PLACE | {"_exported_at": TODAY}, {"exported_at": f"{TODAY} 00:00:00"}),
    *(
        (PLACE | {"_exported_at": YESTERDAY} | sent, OF_YESTERDAY | changes)
        for sent, changes in (
            ({"_account": "eu"}, {"source_account": "eu"}),
            ({"stream_id": "1"}, {}),
            ({"user_pseudo_id": "2.2"}, {"user_pseudo_id": "2.2"}),
            ({"event_timestamp": 1767607201123456}, SECOND),
            ({"event_name": "scroll"}, {"event_name": "scroll"}),
            ({"batch_page_id": 4}, {}),
            ({"batch_ordering_id": 4}, {}),
            ({"batch_event_index": 4}, {}),
            ({"batch_event_index": None}, {}),
        )
    ),
)
DOLLARS, BOTH = {"purchase_revenue_in_usd": 7.5}, {"purchase_revenue_in_usd": 7.5, "purchase_revenue": 6.25}
PURCHASES: tuple[Example, ...] = (
    (_purchase(DOLLARS | {"transaction_id": UNSET}), {"order_total": 7.5, "currency": "USD"}),
    (_purchase(DOLLARS, currency="eur"), {"order_total": 7.5, "currency": "USD"}),
    (_purchase(BOTH), {"order_total": 7.5, "currency": "USD"}),
    (_purchase(BOTH, currency=UNSET), {"order_total": 7.5, "currency": "USD"}),
    (_purchase(BOTH, currency="eur", value="20"), {"order_total": 6.25, "currency": "EUR"}),
    (_purchase({"purchase_revenue": 6.25}), {"order_total": 6.25, "currency": main_currency}),
    (
        _purchase({"purchase_revenue": 6.25, "transaction_id": "T1"}),
        {"order_total": 6.25, "currency": main_currency, "transaction_id": "T1"},
    ),
    (_purchase({}), {"currency": main_currency}),
    (
        _purchase({}, currency="eur")
        | {"items": [{"item_revenue": 4.5, "item_revenue_in_usd": 5.0}, {"item_revenue": 2.0}]},
        {"order_total": 6.5, "currency": "EUR"},
    ),
    (
        _purchase({}) | {"items": [{"item_revenue": 4.5, "item_revenue_in_usd": 5.0}]},
        {"order_total": 5.0, "currency": "USD"},
    ),
    (
        _purchase({"purchase_revenue": 6.25}) | {"items": [{"item_revenue": 4.5}]},
        {"order_total": 6.25, "currency": main_currency},
    ),
    (
        _purchase(DOLLARS) | {"items": [{"item_revenue_in_usd": 5.0}]},
        {"order_total": 7.5, "currency": "USD"},
    ),
    (
        _purchase({}) | {"items": [{"item_revenue_in_usd": 5.0}, {"item_revenue_in_usd": 1.5}]},
        {"order_total": 6.5, "currency": "USD"},
    ),
    (_purchase({}, value="3") | {"items": [{"item_revenue": 4.5}]}, {"order_total": 3, "currency": main_currency}),
    (_worth("string_value", "12.50"), {"order_total": 12.5, "currency": main_currency}),
    (_worth("string_value", "free"), {"currency": main_currency}),
    (_worth("int_value", 20), {"order_total": 20, "currency": main_currency}),
    (_worth("double_value", 20.5), {"order_total": 20.5, "currency": main_currency}),
    (_worth("float_value", 4.25), {"order_total": 4.25, "currency": main_currency}),
    (
        _purchase(DOLLARS | {"transaction_id": "T1"}, transaction_id="T2"),
        {"order_total": 7.5, "currency": "USD", "transaction_id": "T1"},
    ),
    *(
        (
            _purchase(DOLLARS | {"transaction_id": nothing}, transaction_id="T2"),
            {"order_total": 7.5, "currency": "USD", "transaction_id": "T2"},
        )
        for nothing in ("N/A", "n/a", "(none)")
    ),
    (_purchase(DOLLARS, transaction_id="N/A"), {"order_total": 7.5, "currency": "USD"}),
    (_purchase(DOLLARS, transaction_id=UNSET), {"order_total": 7.5, "currency": "USD"}),
    (
        _purchase(BOTH | {"transaction_id": "T1"}, currency="eur", value="20") | {"event_name": "refund"},
        {"event_name": "refund", "is_purchase": False},
    ),
)


def _ga4_events(_pattern: str | None) -> Case:
    bought = ((sent, BOUGHT | changes) for sent, changes in PURCHASES)
    examples = [*TRAFFIC, *CLICKS, *LAST_CLICKS, *bought, *SENT_AGAIN]
    return Case(
        "an event's own source beats the collected one, a purchase has one value, (not set) is no transaction",
        {"events": [VISIT | sent for sent, _ in examples]},
        [EXPECTED | changes for _, changes in examples if changes is not None],
    )


CASES: Cases = {
    "engine_google_analytics_events": _ga4_events,
}
