WITH "current_ad_performance" AS (
  SELECT
    "t9"."ad_performance.campaign_id" AS "campaign_id",
    "t9"."campaigns.campaign_name" AS "campaign_name",
    "t9"."ad_performance.spend" AS "spend",
    "t9"."ad_performance.clicks" AS "clicks",
    1 AS "rows_of_ad_performance"
  FROM (
    SELECT
      "t8"."ad_performance.campaign_id",
      "t8"."campaigns.campaign_name",
      SUM("t8"."m_spend") AS "ad_performance.spend",
      SUM("t8"."m_clicks") AS "ad_performance.clicks"
    FROM (
      SELECT
        "t7"."d_campaign_id",
        "t7"."d_by_campaign_key",
        "t7"."m_spend",
        "t7"."m_clicks",
        "t7"."campaign_key",
        "t7"."campaign_name",
        "t7"."campaign_status",
        "t7"."d_campaign_id" AS "ad_performance.campaign_id",
        "t7"."campaign_name" AS "campaigns.campaign_name",
        "t7"."campaign_status" AS "campaigns.campaign_status"
      FROM (
        SELECT
          "t6"."d_campaign_id",
          "t6"."d_by_campaign_key",
          "t6"."m_spend",
          "t6"."m_clicks",
          "t2"."campaign_key",
          "t2"."campaign_name",
          "t2"."campaign_status"
        FROM (
          SELECT
            "t4"."one_campaign_id" AS "d_campaign_id",
            "t4"."by_campaign_key" AS "d_by_campaign_key",
            "t4"."spend" AS "m_spend",
            "t4"."clicks" AS "m_clicks"
          FROM (
            SELECT
              "t3"."by_campaign_key",
              ANY_VALUE("t3"."campaign_id") AS "one_campaign_id",
              SUM("t3"."spend") AS "spend",
              SUM("t3"."clicks") AS "clicks"
            FROM (
              SELECT
                "t1"."campaign_id",
                "t1"."campaign_key",
                "t1"."clicks",
                "t1"."report_date",
                "t1"."spend",
                "t1"."campaign_key" AS "by_campaign_key"
              FROM "fct_shop__ad_performance" AS "t1"
              WHERE
                "t1"."report_date" >= CAST('2026-01-02' AS DATE)
            ) AS "t3"
            GROUP BY
              1
          ) AS "t4"
        ) AS "t6"
        LEFT OUTER JOIN "dim_shop__campaigns" AS "t2"
          ON "t6"."d_by_campaign_key" = "t2"."campaign_key"
      ) AS "t7"
      WHERE
        "t7"."campaign_status" IS NULL
    ) AS "t8"
    GROUP BY
      1,
      2
  ) AS "t9"
)
SELECT
  "campaign_id",
  "campaign_name",
  "spend" AS "spend",
  "clicks" AS "clicks"
FROM "current_ad_performance"
ORDER BY "spend" DESC NULLS LAST, "campaign_id" ASC NULLS LAST, "campaign_name" ASC NULLS LAST
LIMIT 101 OFFSET 0
