-- The sales marts M1, M3 and M4, and sales by region (docs: kpis 4.3): marts.<name> holds the rows of marts.<name>_v. Each is a sum by key over
-- the facts, so that a condition on the key reaches the index of the facts. A ratio stands beside its two sums: over several
-- rows divide the sums, never average the ratio (docs: kpis 0.5).

-- M1, platform rows have store_id 0: distinct buyers and visitors do not add up over stores.
CREATE OR REPLACE VIEW marts.daily_metrics_v AS
WITH orders AS (
  SELECT o.*, o.store_id AS row_store, o.store_buyer_order_no AS order_no FROM marts.order_facts o
  UNION ALL
  SELECT o.*, 0::bigint, o.buyer_order_no FROM marts.order_facts o
),
sold AS (
  SELECT
    o.order_day AS day, o.row_store AS store_id,
    count(*) AS attempts,
    count(*) FILTER (WHERE o.is_sale) AS orders,
    count(*) FILTER (WHERE o.class = 'open') AS orders_pending,
    count(*) FILTER (WHERE o.class = 'failed') AS orders_failed,
    count(*) FILTER (WHERE o.class = 'cancelled') AS orders_cancelled,
    count(*) FILTER (WHERE o.class = 'reversed') AS orders_reversed,
    count(*) FILTER (WHERE o.class = 'unmapped') AS orders_unmapped,
    count(*) FILTER (WHERE o.is_sale AND o.fx IS NULL) AS orders_without_fx,
    count(*) FILTER (WHERE o.is_sale AND o.n_lines = 0) AS orders_without_lines,
    coalesce(sum(o.amount_rc) FILTER (WHERE o.is_sale), 0) AS revenue,
    coalesce(sum(o.gross_rc) FILTER (WHERE o.is_sale), 0) AS gross_sales,
    coalesce(sum(o.units) FILTER (WHERE o.is_sale), 0) AS units,
    max(o.amount_rc) FILTER (WHERE o.is_sale) AS max_order,
    min(o.amount_rc) FILTER (WHERE o.is_sale) AS min_order,
    count(DISTINCT o.buyer_id) FILTER (WHERE o.is_sale) AS buyers,
    count(DISTINCT o.buyer_id) FILTER (WHERE o.order_no > 1) AS returning_buyers,
    count(*) FILTER (WHERE o.order_no = 1) AS new_buyers,
    count(DISTINCT o.store_id) FILTER (WHERE o.is_sale) AS active_stores,
    coalesce(sum(o.commission), 0) AS commission_earned
  FROM orders o
  WHERE o.order_day IS NOT NULL
  GROUP BY o.order_day, o.row_store
),
reversals AS (
  SELECT o.reversal_day AS day, o.store_id, o.amount_rc, o.commission FROM marts.order_facts o WHERE o.reversal_day IS NOT NULL
  UNION ALL
  SELECT o.reversal_day, 0::bigint, o.amount_rc, o.commission FROM marts.order_facts o WHERE o.reversal_day IS NOT NULL
),
returned AS (
  SELECT r.day, r.store_id, coalesce(sum(r.amount_rc), 0) AS returns, count(*) AS reversals,
    coalesce(sum(r.commission), 0) AS commission_returned
  FROM reversals r GROUP BY r.day, r.store_id
),
all_visits AS (
  SELECT v.day, v.store_id, v.actor, v.purchases FROM marts.visit_facts v
  UNION ALL
  SELECT v.day, 0::bigint, v.actor, v.purchases FROM marts.visit_facts v
),
visited AS (
  SELECT
    v.day, v.store_id, count(*) AS visits, count(DISTINCT v.actor) AS visitors,
    count(*) FILTER (WHERE v.purchases > 0) AS visits_converted
  FROM all_visits v GROUP BY v.day, v.store_id
),
parts AS (
  SELECT s.*, 0::numeric AS returns, 0::bigint AS reversals, 0::numeric AS commission_returned,
    0::bigint AS visits, 0::bigint AS visitors, 0::bigint AS visits_converted
  FROM sold s
  UNION ALL
  SELECT r.day, r.store_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, r.returns, r.reversals, r.commission_returned, 0, 0, 0
  FROM returned r
  UNION ALL
  SELECT v.day, v.store_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, v.visits, v.visitors, v.visits_converted
  FROM visited v
),
merged AS (
  -- Each part has one row for a key, so that a sum is that row's value.
  SELECT
    p.day, p.store_id,
    sum(p.attempts)::bigint AS attempts, sum(p.orders)::bigint AS orders, sum(p.orders_pending)::bigint AS orders_pending,
    sum(p.orders_failed)::bigint AS orders_failed, sum(p.orders_cancelled)::bigint AS orders_cancelled,
    sum(p.orders_reversed)::bigint AS orders_reversed, sum(p.orders_unmapped)::bigint AS orders_unmapped,
    sum(p.orders_without_fx)::bigint AS orders_without_fx, sum(p.orders_without_lines)::bigint AS orders_without_lines,
    sum(p.gross_sales) AS gross_sales, sum(p.revenue) AS revenue, sum(p.returns) AS returns, sum(p.reversals)::bigint AS reversals,
    sum(p.units) AS units, max(p.max_order) AS max_order, min(p.min_order) AS min_order,
    sum(p.buyers)::bigint AS buyers, sum(p.new_buyers)::bigint AS new_buyers, sum(p.returning_buyers)::bigint AS returning_buyers,
    sum(p.active_stores)::bigint AS active_stores, sum(p.visits)::bigint AS visits, sum(p.visitors)::bigint AS visitors,
    sum(p.visits_converted)::bigint AS visits_converted,
    sum(p.commission_earned) AS commission_earned, sum(p.commission_returned) AS commission_returned
  FROM parts p
  GROUP BY p.day, p.store_id
)
SELECT
  m.day, m.store_id, m.attempts, m.orders, m.orders_pending, m.orders_failed, m.orders_cancelled, m.orders_reversed,
  m.orders_unmapped, m.orders_without_fx, m.orders_without_lines,
  m.gross_sales, m.gross_sales - m.revenue AS discounts, m.revenue, m.returns, m.reversals, m.revenue - m.returns AS net_revenue,
  m.units, m.revenue / nullif(m.orders, 0) AS aov, m.max_order, m.min_order,
  m.buyers, m.new_buyers, m.returning_buyers, m.active_stores,
  m.orders_failed::numeric / nullif(m.orders + m.orders_failed, 0) AS payment_failure_rate,
  m.visits, m.visitors, m.visits_converted, m.visits_converted::numeric / nullif(m.visits, 0) AS conversion_rate,
  m.commission_earned, m.commission_returned, m.commission_earned - m.commission_returned AS commission
FROM merged m;
COMMENT ON VIEW marts.daily_metrics_v IS 'grain: business day x store, 0 the platform';

-- M3, adds up to revenue to the cent.
CREATE OR REPLACE VIEW marts.sales_by_category_v AS
SELECT
  l.order_day AS day, l.store_id, l.category,
  coalesce(sum(l.net_rc), 0) AS revenue,
  sum(l.quantity) AS units,
  -- Not additive over categories: an order with two categories counts in both.
  count(DISTINCT l.order_id) AS orders,
  count(DISTINCT l.buyer_id) AS buyers
FROM marts.order_line_facts l
WHERE l.is_sale AND l.order_day IS NOT NULL
GROUP BY l.order_day, l.store_id, l.category;
COMMENT ON VIEW marts.sales_by_category_v IS 'grain: business day x store x category';

-- M4, counts attempts; a failed one that a paid one followed within 24 hours is recovered.
CREATE OR REPLACE VIEW marts.payment_methods_v AS
SELECT
  o.order_day AS day, o.store_id, o.payment_method,
  count(*) FILTER (WHERE o.is_sale) AS paid,
  count(*) FILTER (WHERE o.class = 'failed') AS failed,
  count(*) FILTER (WHERE o.class = 'failed' AND o.recovered) AS failed_recovered,
  count(*) FILTER (WHERE o.class = 'open') AS pending,
  coalesce(sum(o.amount_rc) FILTER (WHERE o.is_sale), 0) AS revenue,
  coalesce(sum(o.amount_rc) FILTER (WHERE o.class = 'failed' AND NOT o.recovered), 0) AS revenue_at_risk,
  count(*) FILTER (WHERE o.is_sale)::numeric / nullif(count(*) FILTER (WHERE o.is_sale OR o.class = 'failed'), 0) AS success_rate
FROM marts.order_facts o
WHERE o.order_day IS NOT NULL
GROUP BY o.order_day, o.store_id, o.payment_method;
COMMENT ON VIEW marts.payment_methods_v IS 'grain: business day x store x payment method';

-- Adds up to revenue to the cent; an address that names no known region is unknown and shown.
CREATE OR REPLACE VIEW marts.sales_by_region_v AS
SELECT
  o.order_day AS day, o.store_id, coalesce(o.region, 'unknown') AS region,
  coalesce(sum(o.amount_rc), 0) AS revenue,
  count(*) AS orders
FROM marts.order_facts o
WHERE o.is_sale AND o.order_day IS NOT NULL
GROUP BY o.order_day, o.store_id, coalesce(o.region, 'unknown');
COMMENT ON VIEW marts.sales_by_region_v IS 'grain: business day x store x region';
