-- KPIs of sales and money, second half (docs: kpis 1.1).

CREATE OR REPLACE VIEW semantic.kpi_sales_by_category AS
SELECT s.day, s.store_id, s.category, s.revenue AS sales_by_category, s.units, s.orders FROM marts.sales_by_category s;
COMMENT ON VIEW semantic.kpi_sales_by_category IS
  'grain: business day x store x category; revenue adds up to all revenue, orders do not add up';

CREATE OR REPLACE VIEW semantic.kpi_sales_by_region AS
SELECT
  s.day, s.store_id, s.region, s.revenue AS sales_by_region, s.orders,
  s.orders::numeric / sum(s.orders) OVER w AS share,
  coalesce(sum(s.orders) FILTER (WHERE s.region <> 'unknown') OVER w, 0) / sum(s.orders) OVER w AS coverage
FROM marts.sales_by_region s
WINDOW w AS (PARTITION BY s.day, s.store_id);
COMMENT ON VIEW semantic.kpi_sales_by_region IS
  'grain: business day x store x region, unknown included; adds up to all revenue; share and coverage are of the orders of that day and store';

CREATE OR REPLACE VIEW semantic.kpi_payment_mix AS
SELECT
  p.day, p.store_id, p.payment_method, p.paid, p.revenue,
  p.paid::numeric / nullif(sum(p.paid) OVER w, 0) AS payment_mix,
  p.revenue / nullif(sum(p.revenue) OVER w, 0) AS revenue_share
FROM marts.payment_methods p
WINDOW w AS (PARTITION BY p.day, p.store_id);
COMMENT ON VIEW semantic.kpi_payment_mix IS 'grain: business day x store x payment method, unknown included; shares of that day and store';

CREATE OR REPLACE VIEW semantic.kpi_payment_success AS
SELECT
  p.day, p.store_id, p.payment_method, p.paid, p.failed, p.failed_recovered,
  p.success_rate AS payment_success,
  p.paid::numeric / nullif(p.paid + p.failed - p.failed_recovered, 0) AS after_retries
FROM marts.payment_methods p;
COMMENT ON VIEW semantic.kpi_payment_success IS 'grain: business day x store x payment method; pending orders count on neither side';

CREATE OR REPLACE VIEW semantic.kpi_revenue_at_risk AS
SELECT p.day, p.store_id, p.payment_method, p.revenue_at_risk FROM marts.payment_methods p;
COMMENT ON VIEW semantic.kpi_revenue_at_risk IS 'grain: business day x store x payment method';

CREATE OR REPLACE VIEW semantic.kpi_sales_trend AS
SELECT d.day, s.store_id, coalesce(m.revenue, 0) AS sales_trend, coalesce(m.orders, 0) AS orders
FROM semantic.dim_time d
-- Orders may name a store that nobody knows, or none (-1): the stores add up to the platform.
CROSS JOIN (SELECT t.store_id FROM semantic.dim_store t UNION SELECT k.store_id FROM marts.daily_metrics k UNION SELECT 0) s
LEFT JOIN marts.daily_metrics m ON m.day = d.day AND m.store_id = s.store_id
WHERE d.is_captured;
COMMENT ON VIEW semantic.kpi_sales_trend IS 'grain: business day x store from the first captured day to today; a day without orders is 0';

CREATE OR REPLACE VIEW semantic.kpi_temporal_pattern AS
WITH span AS (
  -- The last eight full ISO weeks, without weeks before the first captured day.
  SELECT
    greatest(date_trunc('week', c.today::timestamp)::date - 56,
             (date_trunc('week', (SELECT min(m.day) FROM marts.daily_metrics m)::timestamp + INTERVAL '6 days'))::date) AS since,
    date_trunc('week', c.today::timestamp)::date AS until, c.tz
  FROM core.clock c
)
SELECT
  o.store_id, extract(isodow FROM o.order_day)::int AS weekday,
  extract(hour FROM o.ordered_at AT TIME ZONE s.tz)::int AS hour,
  count(*) AS orders,
  count(*)::numeric / nullif((s.until - s.since) / 7, 0) AS temporal_pattern
FROM span s
JOIN marts.order_facts o ON o.is_sale AND o.order_day >= s.since AND o.order_day < s.until
GROUP BY o.store_id, weekday, hour, s.since, s.until;
COMMENT ON VIEW semantic.kpi_temporal_pattern IS
  'grain: store x weekday (1 Monday) x hour of the reporting zone; mean of at most eight full weeks; an hour without orders has no row';

CREATE OR REPLACE VIEW semantic.kpi_top_products AS
SELECT s.*, row_number() OVER (ORDER BY s.top_products DESC, s.product_id) AS place
FROM (
  SELECT m.product_id, max(m.product_name) AS product_name, max(m.category) AS category, max(m.store_id) AS store_id,
    sum(m.revenue) AS top_products, sum(m.units) AS units, sum(m.orders) AS orders
  FROM core.clock c
  JOIN marts.product_metrics m ON m.day BETWEEN c.today - 30 AND c.today - 1
  WHERE m.orders > 0
  GROUP BY m.product_id
  ORDER BY 5 DESC, 1
  LIMIT 100
) s;
COMMENT ON VIEW semantic.kpi_top_products IS 'grain: product, the first 100 by revenue of 30 complete days';

CREATE OR REPLACE VIEW semantic.kpi_product_performance AS
SELECT m.day, m.product_id, m.product_name, m.category, m.store_id, m.orders AS product_performance, m.revenue, m.units, m.avg_unit_price
FROM marts.product_metrics m;
COMMENT ON VIEW semantic.kpi_product_performance IS 'grain: business day x product; the mean price of several rows is revenue / units';

CREATE OR REPLACE VIEW semantic.kpi_product_views AS
SELECT m.day, m.product_id, m.store_id, m.views AS product_views, m.visits_with_view, m.product_name IS NOT NULL AS is_known
FROM marts.product_metrics m WHERE m.views > 0;
COMMENT ON VIEW semantic.kpi_product_views IS 'grain: business day x product id; is_known is false for an id that no product has';

CREATE OR REPLACE VIEW semantic.kpi_product_conversion AS
SELECT m.day, m.product_id, m.store_id, m.orders, m.visits_with_view, m.view_to_order_rate AS product_conversion, m.view_to_cart_rate
FROM marts.product_metrics m;
COMMENT ON VIEW semantic.kpi_product_conversion IS 'grain: business day x product; orders / visits with a view, at most 1: modelled, since lines have no visit';

CREATE OR REPLACE VIEW semantic.kpi_stock_vs_sold AS
SELECT
  p.product_id, p.store_id, coalesce(a.available, 0) AS available, coalesce(s.sold, 0) AS sold,
  s.sold / nullif(s.sold + greatest(coalesce(a.available, 0), 0), 0) AS stock_vs_sold
FROM core.products p
LEFT JOIN (
  SELECT i.product_id, sum(i.available_quantity) AS available FROM marts.inventory_health i GROUP BY i.product_id
) a USING (product_id)
LEFT JOIN (
  SELECT m.product_id, sum(m.units) AS sold
  FROM core.clock c JOIN marts.product_metrics m ON m.day BETWEEN c.today - 30 AND c.today - 1
  GROUP BY m.product_id
) s USING (product_id);
COMMENT ON VIEW semantic.kpi_stock_vs_sold IS 'grain: product; units available now, sold in 30 complete days, and sell-through';

CREATE OR REPLACE VIEW semantic.kpi_top_stores AS
SELECT s.*, row_number() OVER (ORDER BY s.top_stores DESC, s.store_id) AS place
FROM (
  SELECT m.store_id, max(d.name) AS store_name, sum(m.net_revenue) AS top_stores, sum(m.orders) AS orders
  FROM core.clock c
  JOIN marts.daily_metrics m ON m.day BETWEEN c.today - 30 AND c.today - 1 AND m.store_id <> 0
  LEFT JOIN core.stores d ON d.store_id = m.store_id
  GROUP BY m.store_id
) s;
COMMENT ON VIEW semantic.kpi_top_stores IS 'grain: store, by net revenue of 30 complete days';

CREATE OR REPLACE VIEW semantic.kpi_top_buyers AS
SELECT b.buyer_id, b.clv_historic AS top_buyers, b.orders, row_number() OVER (ORDER BY b.clv_historic DESC, b.buyer_id) AS place
FROM marts.buyer_clv b;
COMMENT ON VIEW semantic.kpi_top_buyers IS 'grain: buyer, by net revenue of all time; names stay in staging';
