-- The product marts M2 and M14 (docs: kpis 4.3).

-- M2, views from behaviour, sales from the shares of the lines. Name, category and store are the product's present ones.
CREATE OR REPLACE VIEW marts.product_metrics_v AS
WITH sold AS (
  SELECT
    l.order_day AS day, l.product_id, sum(l.quantity) AS units, coalesce(sum(l.net_rc), 0) AS revenue,
    count(DISTINCT l.order_id) AS orders, count(DISTINCT l.buyer_id) AS buyers
  FROM marts.order_line_facts l
  WHERE l.is_sale AND l.product_id IS NOT NULL AND l.order_day IS NOT NULL
  GROUP BY l.order_day, l.product_id
),
seen AS (
  SELECT
    e.day, e.product_id,
    count(*) FILTER (WHERE e.kind = 'product_view') AS views,
    count(DISTINCT e.visit) FILTER (WHERE e.kind = 'product_view') AS visits_with_view,
    count(DISTINCT e.visit) FILTER (WHERE e.kind = 'add_to_cart') AS visits_with_add
  FROM marts.visit_event_facts e
  WHERE e.product_id IS NOT NULL
  GROUP BY e.day, e.product_id
)
SELECT
  day, product_id, p.name AS product_name, p.category, p.store_id,
  coalesce(s.units, 0) AS units, coalesce(s.revenue, 0) AS revenue, coalesce(s.orders, 0) AS orders, coalesce(s.buyers, 0) AS buyers,
  s.revenue / nullif(s.units, 0) AS avg_unit_price,
  coalesce(e.views, 0) AS views, coalesce(e.visits_with_view, 0) AS visits_with_view, coalesce(e.visits_with_add, 0) AS visits_with_add,
  e.visits_with_add::numeric / nullif(e.visits_with_view, 0) AS view_to_cart_rate,
  -- least passes over NULL, and no views must give no rate.
  CASE WHEN e.visits_with_view > 0 THEN least(coalesce(s.orders, 0)::numeric / e.visits_with_view, 1) END AS view_to_order_rate
FROM sold s
FULL JOIN seen e USING (day, product_id)
LEFT JOIN core.products p USING (product_id);
COMMENT ON VIEW marts.product_metrics_v IS 'grain: business day x product';

-- M14, unordered pairs of the last 180 days that were bought together at least five times.
CREATE OR REPLACE VIEW marts.product_pairs_v AS
WITH baskets AS MATERIALIZED (
  SELECT DISTINCT l.order_id, l.product_id
  FROM marts.order_line_facts l
  WHERE l.is_sale AND l.product_id IS NOT NULL AND l.order_day > (SELECT c.today - 180 FROM core.clock c)
),
all_orders AS (SELECT count(DISTINCT b.order_id)::numeric AS orders FROM baskets b),
singles AS (SELECT b.product_id, count(*) AS orders FROM baskets b GROUP BY b.product_id),
pairs AS (
  SELECT a.product_id AS product_a, b.product_id AS product_b, count(*) AS together
  FROM baskets a JOIN baskets b ON a.order_id = b.order_id AND a.product_id < b.product_id
  GROUP BY a.product_id, b.product_id
  HAVING count(*) >= 5
)
SELECT
  p.product_a, p.product_b, p.together AS "both", a.orders AS orders_a, b.orders AS orders_b, n.orders,
  p.together / n.orders AS support,
  p.together::numeric / a.orders AS confidence_a_b,
  p.together::numeric / b.orders AS confidence_b_a,
  p.together * n.orders / (a.orders::numeric * b.orders) AS lift
FROM pairs p
JOIN singles a ON a.product_id = p.product_a
JOIN singles b ON b.product_id = p.product_b
CROSS JOIN all_orders n;
COMMENT ON VIEW marts.product_pairs_v IS 'grain: unordered product pair';
