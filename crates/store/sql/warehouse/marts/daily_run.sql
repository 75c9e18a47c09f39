-- The definitions of what the daily run writes (docs: kpis 1.6 and 6.2); each reads the marts of its day.

CREATE OR REPLACE VIEW marts.kpi_daily_v AS
SELECT m.day, x.metric, x.value
FROM marts.daily_metrics m
CROSS JOIN LATERAL (VALUES
  ('orders', m.orders), ('attempts', m.attempts), ('pending', m.orders_pending), ('failed', m.orders_failed),
  ('revenue_today', m.revenue), ('gmv', m.revenue), ('net_revenue', m.net_revenue), ('commission', m.commission), ('gross_sales', m.gross_sales),
  ('discounts', m.discounts), ('aov', m.aov), ('max_order', m.max_order), ('min_order', m.min_order),
  ('unique_buyers_today', m.buyers), ('new_buyers', m.new_buyers), ('returning_buyers', m.returning_buyers),
  ('payment_success', m.orders::numeric / nullif(m.orders + m.orders_failed, 0)),
  ('visits', m.visits), ('visitors', m.visitors), ('conversion_rate', m.conversion_rate)
) AS x(metric, value)
WHERE m.store_id = 0;
COMMENT ON VIEW marts.kpi_daily_v IS 'grain: business day x metric';

-- Rows that break a rule are counted, never dropped (docs: kpis 4.5).
CREATE OR REPLACE VIEW marts.data_quality_v AS
SELECT d.day, x.issue, coalesce(x.rows, 0)::bigint AS rows
FROM (
  SELECT
    o.order_day AS day,
    count(*) FILTER (WHERE o.class = 'unmapped') AS unmapped,
    count(*) FILTER (WHERE o.is_sale AND o.amount_rc IS NULL AND o.fx IS NOT NULL) AS no_amount,
    count(*) FILTER (WHERE o.is_sale AND o.fx IS NULL) AS no_fx,
    count(*) FILTER (WHERE o.is_sale AND o.n_lines = 0) AS no_lines,
    count(*) FILTER (WHERE o.mixed_currency) AS mixed,
    count(*) FILTER (WHERE o.currency <> (SELECT c.currency FROM core.clock c)) AS other_currency,
    count(*) FILTER (WHERE o.payment_method = 'unknown') AS no_method,
    count(*) FILTER (WHERE o.store_id = -1) AS no_store,
    count(*) FILTER (WHERE o.buyer_id IS NULL) AS no_buyer,
    count(*) FILTER (WHERE o.amount_rc < 0) AS negative,
    count(*) FILTER (WHERE o.n_lines > 0 AND o.gross_rc < o.amount_rc) AS mismatch
  FROM marts.order_facts o
  WHERE o.order_day IS NOT NULL
  GROUP BY o.order_day
) d
CROSS JOIN LATERAL (VALUES
  ('unmapped_status', d.unmapped), ('sale_without_amount', d.no_amount), ('sale_without_lines', d.no_lines),
  ('orders_without_fx', d.no_fx), ('mixed_currency', d.mixed), ('other_currency', d.other_currency), ('unknown_payment_method', d.no_method),
  ('order_without_store', d.no_store), ('order_without_buyer', d.no_buyer), ('negative_amount', d.negative),
  ('lines_below_total', d.mismatch)
) AS x(issue, rows);
COMMENT ON VIEW marts.data_quality_v IS 'grain: business day x issue';

-- What a store's owner is told about a day. Money is text with two decimals; rates are NULL without a denominator.
CREATE OR REPLACE VIEW marts.store_summaries_v AS
SELECT
  m.day, m.store_id,
  jsonb_build_object(
    'revenue', to_char(m.revenue, 'FM999999999999990.00'),
    'revenue_same_weekday', CASE WHEN b.day IS NOT NULL THEN to_char(b.revenue, 'FM999999999999990.00') END,
    'orders', m.orders,
    'aov', CASE WHEN m.orders > 0 THEN to_char(round(m.aov, 2), 'FM999999999999990.00') END,
    'failed_payments', m.orders_failed,
    'visits', m.visits,
    'conversion_rate', round(m.conversion_rate, 4),
    'top_products', coalesce(t.products, '[]'),
    'critical_stock', coalesce(s.critical, 0)
  ) AS body
FROM marts.daily_metrics m
LEFT JOIN marts.daily_metrics b ON b.day = m.day - 7 AND b.store_id = m.store_id
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('product_id', p.product_id, 'name', p.name, 'revenue', to_char(p.revenue, 'FM999999999999990.00'),
    'units', p.units) ORDER BY p.revenue DESC, p.product_id) AS products
  FROM (
    SELECT l.product_id, max(q.name) AS name, coalesce(sum(l.net_rc), 0) AS revenue, sum(l.quantity) AS units
    FROM marts.order_line_facts l
    LEFT JOIN core.products q ON q.product_id = l.product_id
    WHERE l.order_day = m.day AND l.store_id = m.store_id AND l.is_sale AND l.product_id IS NOT NULL
    GROUP BY l.product_id
    ORDER BY 3 DESC, 1
    LIMIT 3
  ) p
) t ON true
LEFT JOIN LATERAL (
  SELECT count(DISTINCT i.product_id) AS critical
  FROM marts.inventory_health i
  WHERE i.store_id = m.store_id AND i.stock_status IN ('critical', 'out_of_stock')
) s ON true
WHERE m.store_id <> 0;
COMMENT ON VIEW marts.store_summaries_v IS 'grain: business day x store';

-- Robust z: the distance to the median of the same weekday of eight weeks, in units of 1.4826 x MAD. The spread has a floor
-- of the square root of a count and of 5 % of an amount. There must be four weeks to compare with and five orders (for visits
-- five visits) on a usual day: what is rare is never far from the usual.
CREATE OR REPLACE VIEW marts.anomalies_v AS
WITH weeks AS (
  SELECT
    m.day, m.store_id, m.revenue, m.orders, m.orders_failed, m.visits,
    b.revenues, b.orders AS orders_before, b.failures, b.visits AS visits_before
  FROM marts.daily_metrics m
  CROSS JOIN LATERAL (
    SELECT
      array_agg(coalesce(w.revenue, 0)) AS revenues, array_agg(coalesce(w.orders, 0)::numeric) AS orders,
      array_agg(coalesce(w.orders_failed, 0)::numeric) AS failures, array_agg(coalesce(w.visits, 0)::numeric) AS visits
    FROM generate_series(1, 8) AS i
    -- A day without a row is a day with nothing, as far as anything was captured by then.
    LEFT JOIN marts.daily_metrics w ON w.day = m.day - 7 * i AND w.store_id = m.store_id
    WHERE m.day - 7 * i >= (SELECT min(d.day) FROM marts.daily_metrics d)
  ) b
  WHERE cardinality(b.revenues) >= 4
),
compared AS (
  SELECT w.day, w.store_id, x.metric, x.value, x.base, x.size
  FROM weeks w
  CROSS JOIN LATERAL (VALUES
    ('revenue_today', w.revenue, w.revenues, w.orders_before), ('orders', w.orders, w.orders_before, w.orders_before),
    ('failed', w.orders_failed, w.failures, w.orders_before), ('visits', w.visits, w.visits_before, w.visits_before)
  ) AS x(metric, value, base, size)
),
centred AS (
  SELECT c.*, core.median(c.base) AS median
  FROM compared c
  WHERE core.median(c.size) >= 5
),
scaled AS (
  SELECT
    c.*,
    greatest(
      1.4826 * core.median(ARRAY(SELECT abs(v - c.median) FROM unnest(c.base) v)),
      CASE WHEN c.metric = 'revenue_today' THEN c.median * 0.05 ELSE sqrt(greatest(c.median, 1)) END) AS spread
  FROM centred c
)
SELECT
  s.day, s.store_id, s.metric, s.value, s.median AS usual, round(s.spread, 6) AS spread,
  round((s.value - s.median) / s.spread, 2) AS score
FROM scaled s
WHERE abs(s.value - s.median) > 3.5 * s.spread;
COMMENT ON VIEW marts.anomalies_v IS 'grain: business day x store x metric';
