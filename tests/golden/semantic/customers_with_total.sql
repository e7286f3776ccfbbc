WITH "current_orders" AS (
  SELECT
    "t2"."ad_platform",
    "t2"."customers",
    1 AS "rows_of_orders"
  FROM (
    SELECT
      "t1"."ad_platform",
      COUNT(DISTINCT "t1"."customer_key") FILTER(WHERE
        "t1"."is_valid") AS "customers"
    FROM (
      SELECT
        *
      FROM "fct_shop__orders" AS "t0"
    ) AS "t1"
    GROUP BY
      1
  ) AS "t2"
),
"total_orders" AS (
  SELECT
    *
  FROM (
    SELECT
      COUNT(DISTINCT "t0"."customer_key") FILTER(WHERE
        "t0"."is_valid") AS "customers",
      COUNT(*) AS "rows_of_orders"
    FROM "fct_shop__orders" AS "t0"
  ) AS "t1"
)
SELECT *, FALSE AS is_total
FROM (
  SELECT
    "ad_platform",
    "customers" AS "customers"
  FROM "current_orders"
  ORDER BY "customers" DESC NULLS LAST, "ad_platform" ASC NULLS LAST
  LIMIT 101 OFFSET 0
)
UNION ALL
SELECT
  NULL AS "ad_platform",
  CASE WHEN "rows_of_orders" > 0 THEN "customers" ELSE 0 END AS "customers",
  TRUE
FROM "total_orders"
