"""Files that people download from Meta Ads Manager.

Source of the titles: public readers of its exports in English, German, Portuguese and Spanish (found by the titles
`Amount spent (USD)`, `Ausgegebener Betrag (EUR)`, `Início dos relatórios`, `Inicio del informe`), and Meta's help on
exporting. Amounts are in major units of the currency that the title says. A row without the breakdown by day covers the
whole period. `Purchases` counts them on and off Meta (omni_purchase), `Website purchases` those of the pixel; `Results`
is what each row's `Result indicator` names. The row of the summary names no campaign, ad set or ad.
"""

from __future__ import annotations

from pipeline.contracts.downloads import CURRENCY, Download, Element, Language, NotRead, Ref

ENGLISH = Language(
    name="English",
    known_by=(
        ("Reporting starts", "Reporting ends"),
        (f"Amount spent {CURRENCY}",),
        ("Amount spent", "Impressions", "Day"),
    ),
    titles={
        "date_start": ("Day", "Reporting starts"),
        "date_stop": ("Day", "Reporting ends"),
        "account_id": ("Account ID",),
        "account_name": ("Account name",),
        "account_currency": ("Currency",),
        "campaign_id": ("Campaign ID",),
        "campaign_name": ("Campaign name",),
        "adset_id": ("Ad set ID",),
        "adset_name": ("Ad set name",),
        "ad_id": ("Ad ID",),
        "ad_name": ("Ad name",),
        "publisher_platform": ("Platform",),
        "platform_position": ("Placement",),
        "impression_device": ("Impression device",),
        "device_platform": ("Device platform",),
        "country": ("Country",),
        "region": ("Region",),
        "age": ("Age",),
        "gender": ("Gender",),
        "hourly_stats_aggregated_by_advertiser_time_zone": ("Time of day (ad account time zone)",),
        "spend": (f"Amount spent {CURRENCY}", "Amount spent"),
        "impressions": ("Impressions",),
        "reach": ("Reach",),
        "clicks": ("Clicks (all)",),
        "inline_link_clicks": ("Link clicks",),
        "purchases": ("Purchases",),
        "website purchases": ("Website purchases",),
        "purchase value": ("Purchases conversion value", "Purchase conversion value"),
        "website purchase value": ("Website purchases conversion value",),
    },
    totals=("total", "results from"),
)
GERMAN = Language(
    name="German",
    known_by=(
        ("Berichtsstart", "Berichtsende"),
        ("Auswertungsstart", "Auswertungsende"),
        ("Berichtsbeginn", "Berichtsende"),
        (f"Ausgegebener Betrag {CURRENCY}",),
        ("Ausgegebener Betrag", "Impressionen", "Tag"),
    ),
    titles={
        "date_start": ("Tag", "Berichtsstart", "Auswertungsstart", "Berichtsbeginn"),
        "date_stop": ("Tag", "Berichtsende", "Auswertungsende"),
        "account_id": ("Konto-ID", "Account-ID"),
        "account_name": ("Kontoname", "Name des Kontos"),
        "account_currency": ("Währung",),
        "campaign_id": ("Kampagnen-ID",),
        "campaign_name": ("Name der Kampagne", "Kampagnenname", "Kampagne"),
        "adset_id": ("Anzeigengruppen-ID",),
        "adset_name": ("Name der Anzeigengruppe", "Anzeigengruppenname", "Anzeigengruppe"),
        "ad_id": ("Anzeigen-ID", "Werbeanzeigen-ID"),
        "ad_name": ("Name der Anzeige", "Name der Werbeanzeige", "Anzeigenname", "Anzeige"),
        "publisher_platform": ("Plattform",),
        "platform_position": ("Platzierung",),
        "country": ("Land",),
        "region": ("Region",),
        "age": ("Alter",),
        "gender": ("Geschlecht",),
        "spend": (f"Ausgegebener Betrag {CURRENCY}", "Ausgegebener Betrag"),
        "impressions": ("Impressionen",),
        "reach": ("Reichweite",),
        "clicks": ("Klicks (alle)",),
        "inline_link_clicks": ("Link-Klicks", "Linkklicks"),
        "purchases": ("Käufe",),
        "website purchases": ("Website-Käufe",),
        "purchase value": ("Conversion-Wert für Käufe", "Conversion-Wert der Käufe", "Kaufwert"),
        "website purchase value": ("Conversion-Wert für Website-Käufe",),
    },
    numbers="1.234,56",
    totals=("gesamt", "ergebnisse"),
)


def _actions(path: str, field: str, *types: str) -> tuple[Element, ...]:
    return tuple(Element(path=path, template={"action_type": each, "value": Ref(field)}, where=field) for each in types)


INSIGHTS = Download(
    name="a Meta Ads Manager download",
    objects=("facebook_insights",),
    languages=(ENGLISH, GERMAN),
    needs=(("date_start",), ("date_stop",), ("spend",), ("impressions",)),
    bring="in Ads Manager choose Breakdown > By time > Day and, under Columns, Amount spent, Impressions, Clicks (all) "
    "and Purchases, and export it again as CSV",
    other_languages=(
        ("Início dos relatórios",),
        ("Inicio del informe",),
        ("Début des rapports",),
        ("Inizio dei report",),
        ("Inizio del report",),
        ("Begin van rapportage",),
        ("Importe gastado (USD)",),
        ("Importe gastado (EUR)",),
        ("Valor usado (BRL)",),
        ("Montant dépensé (EUR)",),
        ("Importo speso (EUR)",),
        ("Besteed bedrag (EUR)",),
        ("بداية التقارير",),
    ),
    currency="account_currency",
    day="date_start",
    last_day="date_stop",
    ids_by_name=(("campaign_id", "campaign_name"), ("adset_id", "adset_name"), ("ad_id", "ad_name")),
    breakdowns=(
        "account_id",
        "publisher_platform",
        "platform_position",
        "impression_device",
        "device_platform",
        "country",
        "region",
        "age",
        "gender",
        "hourly_stats_aggregated_by_advertiser_time_zone",
    ),
    elements=(
        *_actions("actions", "purchases", "purchase", "omni_purchase"),
        *_actions("actions", "website purchases", "offsite_conversion.fb_pixel_purchase"),
        *_actions("action_values", "purchase value", "purchase", "omni_purchase"),
        *_actions("action_values", "website purchase value", "offsite_conversion.fb_pixel_purchase"),
    ),
    names=("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name"),
)

DOWNLOADS = (INSIGHTS,)
NOT_READ = (
    NotRead(
        name="a Meta billing or events report, which no fact needs",
        known_by=(("Transaction ID", "Payment method", "Billing reason"), ("Event name", "Event time", "Pixel ID")),
        bring="bring an export of Ads Manager by day",
    ),
)
