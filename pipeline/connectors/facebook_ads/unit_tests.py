"""Meta's records and the expected results of its engines."""

from __future__ import annotations

from pipeline.config.engine_cases import Case, Cases, Row, delivering_platform, main_currency

ACCOUNT: Row = {"account_id": "150", "account_name": "Nexus", "account_currency": "EUR"}
CAMPAIGN: Row = ACCOUNT | {"campaign_id": "c1", "campaign_name": "Spring"}
AD_SET: Row = CAMPAIGN | {"adset_id": "s1", "adset_name": "Set then"}
AD: Row = AD_SET | {"ad_id": "a1", "ad_name": "Ad then"}
SUMS: Row = {"spend": "11.97", "impressions": "3613", "clicks": "21", "inline_link_clicks": "7", "reach": "3000"}
WOMEN: Row = {"gender": "female"}
BREAKDOWNS: tuple[Row, ...] = (
    {"platform_position": "feed"},
    {"impression_device": "iphone"},
    {"device_platform": "mobile_app"},
    {"country": "DE"},
    {"region": "Berlin"},
    {"age": "25-34"},
    WOMEN,
    {"hourly_stats_aggregated_by_advertiser_time_zone": "00:00:00 - 00:59:59"},
)

EXPECTED: Row = {
    "source_platform": delivering_platform,
    "source_account": "main",
    "report_date": None,
    "last_date": None,
    "campaign_id": None,
    "campaign_name": None,
    "ad_group_id": None,
    "ad_group_name": None,
    "ad_id": None,
    "ad_name": None,
    "spend": None,
    "currency": "EUR",
    "impressions": None,
    "clicks": None,
    "conversions": None,
    "conversion_value": None,
    "conversion_types": None,
    "is_counted": True,
}
SPENT: Row = {"spend": 11.97, "impressions": 3613, "clicks": 21}
SPENT_NOTHING: Row = {"spend": 0, "impressions": 0, "clicks": 0}
UNSAID: Row = {"impressions": None, "clicks": None}
OF_EU: Row = {"source_account": "eu", "ad_group_name": "EU set", "ad_name": "EU ad"}
OF_US: Row = {"source_account": "us", "ad_group_name": "Set then", "ad_name": "Ad then"}
ONLY_VALUES: Row = {"_exported_at": "2026-04-03"}
LISTED: Row = {"ad_name": "Ad of no known set"}
NOT_COUNTED: Row = {"is_counted": False}
OF_CAMPAIGN: Row = {"campaign_id": "c1", "campaign_name": "Spring"}
OF_AD_SET: Row = OF_CAMPAIGN | {"ad_group_id": "s1", "ad_group_name": "Set now"}
OF_AD: Row = OF_AD_SET | {"ad_id": "a1", "ad_name": "Ad now"}

Example = tuple[Row, Row]
"""An example: a row as sent, and the differences of its result from EXPECTED."""


def _days(pattern: str | None) -> tuple[tuple[Example, ...], ...]:
    conversion = pattern or "purchase"
    omni: Row = {"action_type": f"omni_{conversion}", "value": "9"}
    reactions: list[Row] = [
        {"action_type": conversion, "action_reaction": "like", "value": "1.5"},
        {"action_type": conversion, "action_reaction": "love", "value": "1"},
    ]
    like: Row = {"action_type": "like", "value": "4"}
    actions: Row = {
        "actions": [*reactions, {"action_type": conversion, "value": "3"}, like, omni],
        "action_values": [*reactions, {"action_type": conversion, "value": "99.50"}, like],
    }
    worth = [reaction | {"value": "4.50"} for reaction in reactions]
    types = f"[{conversion}, {conversion}, {conversion}, omni_{conversion}]"
    return (
        ((AD | SUMS | actions, OF_AD | SPENT | _converted(pattern, 3.0, types, 99.5)),),
        ((AD | {"actions": reactions}, OF_AD | _converted(pattern, 2.5, f"[{conversion}, {conversion}]", None)),),
        (
            (
                AD | {"actions": reactions, "action_values": worth},
                OF_AD | _converted(pattern, 2.5, f"[{conversion}, {conversion}]", 9),
            ),
        ),
        (
            (
                AD | {"action_values": [{"action_type": conversion, "value": "5"}, {"action_type": conversion}]},
                OF_AD | _converted(pattern, 0.0, None, None),
            ),
        ),
        ((AD | {"actions": [omni]}, OF_AD | _converted(pattern, 0.0, f"[omni_{conversion}]")),),
        # A row that names its platform counts for it, before the total of the platforms.
        (
            (AD, OF_AD | NOT_COUNTED),
            (AD | {"publisher_platform": "instagram"}, OF_AD | {"source_platform": "instagram_ads"}),
            (AD | {"publisher_platform": "INSTAGRAM"}, OF_AD | {"source_platform": "instagram_ads"}),
            (
                AD | {"publisher_platform": "audience_network"} | SUMS,
                OF_AD | SPENT | {"source_platform": "facebook_ads"},
            ),
        ),
        ((CAMPAIGN | {"publisher_platform": "instagram"}, OF_CAMPAIGN | {"source_platform": "instagram_ads"}),),
        # Plain rows count before breakdowns, which count where the same entity has no plain row.
        *(((AD, OF_AD), (AD | breakdown | SUMS, OF_AD | SPENT | NOT_COUNTED)) for breakdown in BREAKDOWNS),
        (
            (AD, OF_AD),
            (AD | WOMEN | {"ad_id": "a2"}, OF_AD | {"ad_id": "a2", "ad_name": "Ad then"}),
            (
                AD | WOMEN | {"_account": "eu"},
                OF_AD | {"source_account": "eu", "ad_group_name": "EU set", "ad_name": "EU ad"},
            ),
        ),
        (
            (AD_SET, OF_AD_SET),
            (AD_SET | WOMEN | {"adset_id": "s2"}, OF_AD_SET | {"ad_group_id": "s2", "ad_group_name": "Set then"}),
        ),
        ((CAMPAIGN, OF_CAMPAIGN), (CAMPAIGN | WOMEN | {"campaign_id": "c2"}, OF_CAMPAIGN | {"campaign_id": "c2"})),
        ((ACCOUNT, {}), (ACCOUNT | WOMEN | {"account_id": "151"}, {})),
        # Of a campaign's day the finest level counts; a campaign that has a coarser report alone keeps it.
        ((ACCOUNT | SUMS, SPENT | NOT_COUNTED), (ACCOUNT | {"campaign_id": "c1"}, {"campaign_id": "c1"})),
        ((CAMPAIGN | SUMS, OF_CAMPAIGN | SPENT | NOT_COUNTED), (CAMPAIGN | {"adset_id": "s1"}, OF_AD_SET)),
        ((AD_SET | SUMS, OF_AD_SET | SPENT | NOT_COUNTED), (AD_SET | {"ad_id": "a1"}, OF_AD)),
        ((AD, OF_AD), (CAMPAIGN | SUMS | {"campaign_id": "c2"}, OF_CAMPAIGN | SPENT | {"campaign_id": "c2"})),
        (
            (ACCOUNT | {"ad_id": "a9"}, {"ad_id": "a9"}),
            (CAMPAIGN | SUMS, OF_CAMPAIGN | SPENT | NOT_COUNTED),
        ),
        (
            (CAMPAIGN, OF_CAMPAIGN),
            (AD | {"account_id": "151"}, OF_AD),
            (
                AD | {"_account": "eu"},
                OF_AD | {"source_account": "eu", "ad_group_name": "EU set", "ad_name": "EU ad"},
            ),
        ),
        ((AD, OF_AD),),
        ((AD | WOMEN, OF_AD),),
        ((CAMPAIGN | {"account_currency": "usd"}, OF_CAMPAIGN | {"currency": "USD"}),),
        ((CAMPAIGN | {"account_currency": None}, OF_CAMPAIGN | {"currency": main_currency}),),
        # The parents of an ad are in the row where they were requested.
        ((AD | {"adset_id": "s2"}, OF_AD | {"ad_group_id": "s2", "ad_group_name": "Set then"}),),
        # A loader's row has only the ad, and of its clicks those on links.
        (
            (
                ACCOUNT | {"ad_id": "a1", "inline_link_clicks": "7"},
                OF_AD | {"campaign_id": "c9", "campaign_name": None} | {"spend": 0, "impressions": 0, "clicks": 7},
            ),
            (
                ACCOUNT | {"ad_id": "a3"},
                {"campaign_id": "c9", "ad_group_id": "s9", "ad_id": "a3", "ad_name": "Ad of no known set"},
            ),
        ),
    )


def _exports(pattern: str | None) -> tuple[Example, ...]:
    """Rows of exports and of ranges of their own, with the days they are of."""
    none = _converted(pattern, 0.0, None)
    valued: Row = {"action_type": pattern or "purchase", "value": "2"}
    unsaid: Row = {"action_type": pattern or "purchase"}
    types = f"[{unsaid['action_type']}, {unsaid['action_type']}]"
    worth: Row = {"action_values": [valued]}

    def of(first: int, last: int, sent: Row, changes: Row) -> Example:
        start, stop = f"2026-03-{first:02}", f"2026-03-{last:02}"
        row = EXPECTED | none | {"report_date": start, "last_date": stop, "is_counted": first == last}
        return {"date_start": start, "date_stop": stop} | sent, row | changes

    def alone(day: int, measures: Row, changes: Row) -> Example:
        """A row of an export that was not asked for actions."""
        unasked = {"conversions": None, "conversion_value": None}
        return of(day, day, AD | {"_exported_at": "2026-04-01"} | measures, OF_AD | SPENT_NOTHING | changes | unasked)

    return (
        # A measure that is absent is 0 beside any other, if its export has it; blank text is no measure.
        alone(1, {"spend": "5"}, {"spend": 5}),
        alone(2, {"impressions": "70"}, {"impressions": 70}),
        alone(3, {"clicks": "2"}, {"clicks": 2}),
        alone(4, {"spend": "", "impressions": "", "clicks": ""}, dict.fromkeys(SPENT_NOTHING)),
        alone(10, {"spend": "3", "_exported_at": "2026-04-02"}, {"spend": 3} | UNSAID),
        alone(11, {"spend": "3", "_account": "eu"}, {"spend": 3} | UNSAID | OF_EU),
        # What conversions are worth is said by an export of its own; without their number none is 0.
        of(12, 12, AD | ONLY_VALUES | worth, OF_AD | _converted(pattern, None, None, 2)),
        of(13, 13, AD | ONLY_VALUES, OF_AD | _converted(pattern, None, None, None)),
        of(14, 14, AD | ONLY_VALUES | worth | {"_account": "eu"}, OF_AD | OF_EU | _converted(pattern, None, None, 2)),
        of(16, 16, AD | worth, OF_AD | _converted(pattern, 0.0, None, 2)),
        of(17, 17, AD | {"action_values": [{"action_type": "like", "value": "4"}]}, OF_AD),
        # An account that says no values anywhere does not say that they are 0.
        of(
            15,
            15,
            AD | {"_account": "us", "actions": [{"action_type": "like", "value": "4"}]},
            OF_AD | OF_US | _converted(pattern, 0.0, "[]", None),
        ),
        # An action without a value says no number.
        of(5, 5, AD | {"actions": [valued, unsaid]}, OF_AD | _converted(pattern, None, types, None)),
        # A row that names one day is of that day; one of two days is no total of either.
        of(6, 6, AD | {"date_stop": None}, OF_AD),
        *(of(day, day, CAMPAIGN | WOMEN, OF_CAMPAIGN) for day in (7, 8)),
        of(7, 8, CAMPAIGN, OF_CAMPAIGN),
        of(7, 8, AD, OF_AD),
        # An ad that names no campaign is of the campaign that the list of ads has.
        of(9, 9, ACCOUNT | {"ad_id": "a3"}, {"campaign_id": "c9", "ad_group_id": "s9", "ad_id": "a3"} | LISTED),
        of(9, 9, CAMPAIGN, OF_CAMPAIGN),
    )


def _converted(pattern: str | None, conversions: float | None, types: str | None, value: float | None = 0.0) -> Row:
    """Conversions and their value are NULL where the tenant names none."""
    made: Row = {"conversions": conversions, "conversion_value": value, "conversion_types": types}
    return made if pattern else {}


def _meta_report(pattern: str | None) -> Case:
    records, expected = [], []
    none = _converted(pattern, 0.0, None)
    for number, day in enumerate(_days(pattern), 1):
        first, last = f"2026-01-{number:02}", f"2026-01-{number:02}"
        for sent, changes in day:
            records.append({"date_start": first, "date_stop": last} | sent)
            # no row of that account has actions
            unasked = {"conversions": None, "conversion_value": None} if "_account" in sent else {}
            expected.append(EXPECTED | none | changes | unasked | {"report_date": first, "last_date": last})
    for sent, row in _exports(pattern):
        records.append(sent)
        expected.append(row)
    records.append(CAMPAIGN | {"date_start": "2026-02-01", "date_stop": "2026-02-28", "actions": []})
    expected.append(
        EXPECTED
        | _converted(pattern, 0.0, "[]")
        | OF_CAMPAIGN
        | {"report_date": "2026-02-01", "last_date": "2026-02-28", "is_counted": False}
    )
    known: Row = {"account_id": "150", "campaign_id": "c9", "status": "ACTIVE", "effective_status": "PAUSED"}
    return Case(
        "text is numbers, a metric absent beside others is 0, one action type counts, its total before its reactions",
        {
            "facebook_insights": records,
            "ad_sets": [
                known | {"id": "s1", "name": "Set now"},
                known | {"id": "s1", "name": "EU set", "_account": "eu"},
            ],
            "ads": [
                known | {"id": "a1", "adset_id": "s1", "name": "Ad now"},
                known | {"id": "a3", "adset_id": "s9", "name": "Ad of no known set"},
                known | {"id": "a1", "adset_id": "s1", "name": "EU ad", "_account": "eu"},
            ],
        },
        expected,
    )


def _meta_campaigns(_pattern: str | None) -> Case:
    spring: Row = {"id": "c1", "account_id": "150", "name": "Spring", "objective": "SALES", "status": "PAUSED"}
    times: Row = {"created_time": "2026-01-01T10:00:00-0800", "updated_time": "2026-02-01T10:00:00-0800"}
    switched = "2026-02-01 18:00:00"
    was: Row = {
        "source_platform": "facebook_ads",
        "source_account": "main",
        "campaign_id": "c1",
        "campaign_name": "Spring",
        "campaign_status": "PAUSED",
        "in_force_from": "2026-01-01 18:00:00",
        "in_force_to": switched,
    }
    now = was | {"campaign_name": "Summer", "campaign_status": "ACTIVE", "in_force_from": switched, "in_force_to": None}
    alone = was | {"source_platform": delivering_platform, "in_force_from": None, "in_force_to": None}
    spent: Row = {"source_account": "main", "campaign_id": "c1"}
    return Case(
        "every version of a campaign since it was created, for every platform of Meta that its reports name",
        {
            "campaigns": [
                spring | times | {"effective_status": "ACTIVE", "in_force_to": switched},
                spring | times | {"name": "Summer", "status": "ACTIVE", "in_force_from": switched},
                spring | {"id": "c2", "status": "ACTIVE"},
                spring | {"_account": "eu"},
            ]
        },
        [
            *(
                version | {"source_platform": name}
                for version in (was, now)
                for name in ("facebook_ads", "instagram_ads")
            ),
            alone | {"campaign_id": "c2", "campaign_status": "ACTIVE"},
            alone | {"source_account": "eu"},
        ],
        {
            "ad_performance": [
                *(spent | {"source_platform": name} for name in ("facebook_ads", "instagram_ads", "google_ads")),
                spent | {"source_platform": "instagram_ads", "campaign_id": "c3"},
            ]
        },
    )


CASES: Cases = {
    "engine_facebook_ads_ad_performance": _meta_report,
    "engine_facebook_ads_campaigns": _meta_campaigns,
}
