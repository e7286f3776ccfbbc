WITH "current_orders" AS (
  SELECT
    *
  FROM (
    SELECT
      "t1"."ad_platform",
      COUNT(DISTINCT "t1"."customer_key") FILTER(WHERE
        "t1"."is_valid") AS "customers",
      COUNT(*) AS "rows_seen"
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
      COUNT(*) AS "rows_seen"
    FROM "fct_shop__orders" AS "t0"
  ) AS "t1"
),
"total" AS (
  SELECT
    CASE WHEN COALESCE("total_orders"."rows_seen", 0) = 0 THEN 0 ELSE "total_orders"."customers" END AS "customers",
    COALESCE("total_orders"."rows_seen", 0) AS "rows_seen"
  FROM "total_orders"
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
  "customers" AS "customers",
  TRUE
FROM "total"
