-- The store marts M12 and M13 (docs: kpis 4.3).

-- M12: the last 30 complete days against the 30 before. Defects are dated by the order. A store without orders stays, with 0.
CREATE OR REPLACE VIEW marts.store_scorecard_v AS
WITH span AS (SELECT c.today - 60 AS before, c.today - 30 AS since, c.today AS until, c.tz FROM core.clock c),
orders AS (
  SELECT o.*, o.order_day >= s.since AS now
  FROM marts.order_facts o CROSS JOIN span s
  WHERE o.order_day >= s.before AND o.order_day < s.until
),
sold AS (
  SELECT
    o.store_id,
    coalesce(sum(o.amount_rc) FILTER (WHERE o.now AND o.is_sale), 0) AS gmv,
    sum(o.amount_rc) FILTER (WHERE NOT o.now AND o.is_sale) AS gmv_before,
    count(*) FILTER (WHERE o.now AND o.is_sale) AS orders,
    count(DISTINCT o.buyer_id) FILTER (WHERE o.now AND o.is_sale) AS buyers,
    count(DISTINCT o.buyer_id) FILTER (WHERE o.now AND o.store_buyer_order_no > 1) AS returning_buyers,
    count(*) FILTER (WHERE o.now AND o.class = 'failed') AS failed,
    count(*) FILTER (WHERE o.now AND o.class = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE o.now AND o.class = 'reversed') AS reversed
  FROM orders o GROUP BY o.store_id
),
visited AS (
  SELECT v.store_id, count(*) AS visits, count(*) FILTER (WHERE v.purchases > 0) AS converted
  FROM marts.visit_facts v CROSS JOIN span s
  WHERE v.day >= s.since AND v.day < s.until
  GROUP BY v.store_id
),
stocked AS (
  SELECT i.store_id, count(*) AS stock_rows, count(*) FILTER (WHERE i.stock_status IN ('critical', 'out_of_stock')) AS critical_rows
  FROM marts.inventory_health i GROUP BY i.store_id
),
complained AS (
  SELECT i.customer_id AS store_id, count(*) AS complaints
  FROM staging.interaction i CROSS JOIN span s
  WHERE lower(btrim(i.interaction_type)) = 'complaint' AND NOT i._deleted
    AND i.interaction_date AT TIME ZONE 'UTC' >= s.since::timestamp AT TIME ZONE s.tz
    AND i.interaction_date AT TIME ZONE 'UTC' < s.until::timestamp AT TIME ZONE s.tz
  GROUP BY i.customer_id
)
SELECT
  c.store_id, c.name AS business_name, c.tier AS plan,
  coalesce(s.gmv, 0) AS gmv, s.gmv_before, s.gmv / nullif(s.gmv_before, 0) - 1 AS gmv_growth,
  coalesce(s.orders, 0) AS orders, s.gmv / nullif(s.orders, 0) AS aov,
  coalesce(s.buyers, 0) AS buyers, s.returning_buyers::numeric / nullif(s.buyers, 0) AS returning_rate,
  s.failed::numeric / nullif(s.failed + s.orders, 0) AS payment_failure_rate,
  s.cancelled::numeric / nullif(s.cancelled + s.orders, 0) AS cancel_rate,
  s.reversed::numeric / nullif(s.orders, 0) AS reversal_rate,
  coalesce(v.visits, 0) AS visits, v.converted::numeric / nullif(v.visits, 0) AS conversion_rate,
  i.critical_rows::numeric / nullif(i.stock_rows, 0) AS critical_stock_share,
  100.0 * coalesce(k.complaints, 0) / nullif(s.orders, 0) AS complaints_per_100_orders,
  percent_rank() OVER (ORDER BY coalesce(s.gmv, 0)) AS gmv_percentile,
  coalesce(s.orders, 0) > 0 AS active
FROM core.stores c
LEFT JOIN sold s ON s.store_id = c.store_id
LEFT JOIN visited v ON v.store_id = c.store_id
LEFT JOIN stocked i ON i.store_id = c.store_id
LEFT JOIN complained k ON k.store_id = c.store_id
WHERE NOT c.deleted;
COMMENT ON VIEW marts.store_scorecard_v IS 'grain: store';

-- M13: what every store pays at the end of each month against the end of the month before; begins at the first capture.
-- A deleted store pays nothing from its delete on: history closes its last plan then.
CREATE OR REPLACE VIEW marts.mrr_movements_v AS
WITH months AS (
  SELECT m AS month, least(m + INTERVAL '1 month' - INTERVAL '1 microsecond', c.now_ts AT TIME ZONE c.tz) AT TIME ZONE c.tz AS at
  FROM core.clock c
  CROSS JOIN LATERAL generate_series(
    date_trunc('month', (SELECT min(h.valid_from) FROM history.customer_plan h) AT TIME ZONE c.tz),
    date_trunc('month', c.now_ts AT TIME ZONE c.tz), INTERVAL '1 month') m
),
stores AS (SELECT DISTINCT h.customer_id AS store_id FROM history.customer_plan h),
paid AS (
  SELECT m.month::date AS month, s.store_id, coalesce(p.monthly_price, 0) AS mrr
  FROM months m
  CROSS JOIN stores s
  LEFT JOIN LATERAL (
    SELECT h.plan
    FROM history.customer_plan h
    WHERE h.customer_id = s.store_id AND h.valid_from <= m.at AND (h.valid_to IS NULL OR h.valid_to > m.at)
    ORDER BY h.valid_from DESC, h._generation DESC, h._lsn DESC LIMIT 1
  ) h ON true
  LEFT JOIN ref.plan p ON p.raw = lower(btrim(h.plan))
),
compared AS (
  SELECT
    p.*, lag(p.mrr) OVER w AS before,
    max(p.mrr) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS best_before,
    p.month = min(p.month) OVER () AS is_first
  FROM paid p
  WINDOW w AS (PARTITION BY p.store_id ORDER BY p.month)
)
SELECT
  c.month, c.store_id, c.mrr, coalesce(c.before, 0) AS mrr_prev, c.mrr - coalesce(c.before, 0) AS delta,
  CASE
    WHEN c.is_first AND c.mrr > 0 THEN 'opening'
    WHEN coalesce(c.before, 0) = 0 AND c.mrr > 0 AND coalesce(c.best_before, 0) = 0 THEN 'new'
    WHEN coalesce(c.before, 0) = 0 AND c.mrr > 0 THEN 'reactivation'
    WHEN c.mrr = 0 AND c.before > 0 THEN 'churn'
    WHEN c.mrr > c.before THEN 'expansion'
    WHEN c.mrr < c.before THEN 'contraction'
    ELSE 'unchanged'
  END AS movement
FROM compared c;
COMMENT ON VIEW marts.mrr_movements_v IS 'grain: month x store';
