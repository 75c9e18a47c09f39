-- M10 inventory_health (docs: kpis 4.3): one row per stock row (product x warehouse), as of the refresh.
CREATE OR REPLACE VIEW marts.inventory_health_v AS
SELECT
  s.stock_id, s.product_id, p.name AS product_name, p.category, p.store_id, p.status AS product_status,
  coalesce(nullif(btrim(s.warehouse_location), ''), 'unknown') AS warehouse_location,
  s.available_quantity, s.reorder_point, p.price,
  d.units_per_day, h.avg_on_hand,
  CASE
    WHEN s.reorder_point IS NULL OR s.available_quantity IS NULL THEN 'unknown'
    WHEN s.available_quantity <= 0 THEN 'out_of_stock'
    WHEN s.available_quantity <= s.reorder_point THEN 'critical'
    WHEN s.available_quantity <= 1.5 * s.reorder_point THEN 'low'
    ELSE 'optimal'
  END AS stock_status,
  -- NULL: nothing was sold in 28 days.
  greatest(s.available_quantity, 0) / nullif(d.units_per_day, 0) AS days_of_stock,
  d.units_per_day * 365 / nullif(h.avg_on_hand, 0) AS turnover_per_year,
  -- In reporting currency at the rate of today; NULL without one.
  CASE WHEN p.currency IS NULL OR p.currency = (SELECT c.currency FROM core.clock c) THEN greatest(s.available_quantity, 0) * p.price
       ELSE round(greatest(s.available_quantity, 0) * p.price * (
         SELECT r.to_reporting FROM ref.fx_rate r
         WHERE r.currency = p.currency AND r.rate_date <= (SELECT c.today FROM core.clock c) ORDER BY r.rate_date DESC LIMIT 1), 2)
  END AS retail_value,
  coalesce(d.units_per_day = 0 AND s.available_quantity > 0, false) AS dead_stock
FROM staging.stock s
LEFT JOIN core.products p ON p.product_id = s.product_id
LEFT JOIN LATERAL (
  SELECT sum(l.quantity)::numeric / 28 AS units_per_day
  FROM marts.order_line_facts l
  WHERE l.product_id = s.product_id AND l.is_sale AND l.order_day > (SELECT c.today - 28 FROM core.clock c)
) sold ON true
LEFT JOIN LATERAL (
  SELECT nullif(sum(greatest(o.available_quantity, 0)), 0) AS on_hand
  FROM staging.stock o
  WHERE o.product_id = s.product_id AND NOT o._deleted
) everywhere ON true
-- A product's demand is shared over its warehouses by what they hold.
CROSS JOIN LATERAL (
  SELECT coalesce(sold.units_per_day, 0)
    * coalesce(greatest(s.available_quantity, 0)::numeric / everywhere.on_hand, 1) AS units_per_day
) d
-- The mean of the last 28 days, each level weighted by how long it held.
LEFT JOIN LATERAL (
  SELECT
    sum(x.available_quantity * x.seconds) / nullif(sum(x.seconds), 0) AS mean
  FROM (
    SELECT
      v.available_quantity,
      extract(epoch FROM least(coalesce(v.valid_to, c.now_ts), c.now_ts) - greatest(v.valid_from, c.now_ts - INTERVAL '28 days')) AS seconds
    FROM history.stock_level v CROSS JOIN core.clock c
    WHERE v.stock_id = s.stock_id AND coalesce(v.valid_to, c.now_ts) > c.now_ts - INTERVAL '28 days' AND v.valid_from < c.now_ts
  ) x
) levels ON true
CROSS JOIN LATERAL (SELECT coalesce(levels.mean, s.available_quantity) AS avg_on_hand) h
WHERE NOT s._deleted;
COMMENT ON VIEW marts.inventory_health_v IS 'grain: stock row';
