WITH "current_order_items" AS (
  SELECT
    "t13"."campaigns.campaign_name" AS "campaign_name",
    "t13"."order_items.units_sold" AS "units_sold",
    "t13"."rows_of_order_items"
  FROM (
    SELECT
      "t12"."campaigns.campaign_name",
      SUM(CASE WHEN "t12"."is_valid" THEN "t12"."quantity" ELSE 0 END) AS "order_items.units_sold",
      COUNT(*) AS "rows_of_order_items"
    FROM (
      SELECT
        "t11"."is_valid",
        "t11"."__bsl_jk_order_key" AS "order_key",
        "t11"."quantity",
        "t11"."campaign_key",
        "t11"."financial_status",
        "t11"."order_key" AS "order_key_right",
        "t11"."campaign_key_right",
        "t11"."campaign_name",
        "t11"."financial_status" AS "orders.financial_status",
        "t11"."campaign_name" AS "campaigns.campaign_name"
      FROM (
        SELECT
          "t6"."is_valid",
          "t6"."__bsl_jk_order_key",
          "t6"."quantity",
          "t10"."campaign_key",
          "t10"."financial_status",
          "t10"."order_key",
          "t10"."campaign_key_right",
          "t10"."campaign_name"
        FROM (
          SELECT
            "t0"."is_valid",
            "t0"."order_key" AS "__bsl_jk_order_key",
            "t0"."quantity"
          FROM "fct_shop__order_items" AS "t0"
        ) AS "t6"
        LEFT OUTER JOIN (
          SELECT
            "t8"."__bsl_jk_campaign_key" AS "campaign_key",
            "t8"."financial_status",
            "t8"."order_key",
            "t8"."campaign_key" AS "campaign_key_right",
            "t8"."campaign_name"
          FROM (
            SELECT
              "t7"."__bsl_jk_campaign_key",
              "t7"."financial_status",
              "t7"."order_key",
              "t3"."campaign_key",
              "t3"."campaign_name"
            FROM (
              SELECT
                "t1"."campaign_key" AS "__bsl_jk_campaign_key",
                "t1"."financial_status",
                "t1"."order_key"
              FROM "fct_shop__orders" AS "t1"
            ) AS "t7"
            LEFT OUTER JOIN "dim_shop__campaigns" AS "t3"
              ON "t7"."__bsl_jk_campaign_key" = "t3"."campaign_key"
          ) AS "t8"
        ) AS "t10"
          ON "t6"."__bsl_jk_order_key" = "t10"."order_key"
      ) AS "t11"
      WHERE
        "t11"."financial_status" = 'paid'
    ) AS "t12"
    GROUP BY
      1
  ) AS "t13"
)
SELECT
  "campaign_name",
  "units_sold" AS "units_sold"
FROM "current_order_items"
ORDER BY "units_sold" DESC NULLS LAST, "campaign_name" ASC NULLS LAST
LIMIT 101 OFFSET 0
