WITH "current_order_items" AS (
  SELECT
    "t7"."orders.campaign_name" AS "campaign_name",
    "t7"."order_items.units_sold" AS "units_sold",
    1 AS "rows_of_order_items"
  FROM (
    SELECT
      "t6"."orders.campaign_name",
      SUM(CASE WHEN "t6"."is_valid" THEN "t6"."quantity" ELSE 0 END) AS "order_items.units_sold"
    FROM (
      SELECT
        "t5"."is_valid",
        "t5"."__bsl_jk_order_key" AS "order_key",
        "t5"."quantity",
        "t5"."campaign_name",
        "t5"."financial_status",
        "t5"."order_key" AS "order_key_right",
        "t5"."campaign_name" AS "orders.campaign_name",
        "t5"."financial_status" AS "orders.financial_status"
      FROM (
        SELECT
          "t4"."is_valid",
          "t4"."__bsl_jk_order_key",
          "t4"."quantity",
          "t2"."campaign_name",
          "t2"."financial_status",
          "t2"."order_key"
        FROM (
          SELECT
            "t0"."is_valid",
            "t0"."order_key" AS "__bsl_jk_order_key",
            "t0"."quantity"
          FROM "fct_shop__order_items" AS "t0"
        ) AS "t4"
        LEFT OUTER JOIN "fct_shop__orders" AS "t2"
          ON "t4"."__bsl_jk_order_key" = "t2"."order_key"
      ) AS "t5"
      WHERE
        "t5"."financial_status" = 'paid'
    ) AS "t6"
    GROUP BY
      1
  ) AS "t7"
)
SELECT
  "campaign_name",
  "units_sold" AS "units_sold"
FROM "current_order_items"
ORDER BY "units_sold" DESC NULLS LAST, "campaign_name" ASC NULLS LAST
LIMIT 101 OFFSET 0
