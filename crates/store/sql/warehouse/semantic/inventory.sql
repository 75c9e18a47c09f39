-- KPIs of inventory and logistics (docs: kpis 1.4).

CREATE OR REPLACE VIEW semantic.kpi_stock_status AS
SELECT i.store_id, i.stock_status AS status, count(*) AS stock_status FROM marts.inventory_health i GROUP BY i.store_id, i.stock_status;
COMMENT ON VIEW semantic.kpi_stock_status IS 'grain: store x status; stock rows';

CREATE OR REPLACE VIEW semantic.kpi_critical_products AS
SELECT i.store_id, count(DISTINCT i.product_id) AS critical_products
FROM marts.inventory_health i
WHERE i.stock_status IN ('critical', 'out_of_stock') AND lower(btrim(i.product_status)) IS DISTINCT FROM 'inactive'
GROUP BY i.store_id;
COMMENT ON VIEW semantic.kpi_critical_products IS 'grain: store; distinct products, inactive ones hidden';

CREATE OR REPLACE VIEW semantic.kpi_turnover AS
SELECT i.stock_id, i.product_id, i.store_id, i.units_per_day, i.avg_on_hand, i.turnover_per_year AS turnover FROM marts.inventory_health i;
COMMENT ON VIEW semantic.kpi_turnover IS 'grain: stock row; units, not money; NULL when nothing was on hand';

CREATE OR REPLACE VIEW semantic.kpi_days_of_stock AS
SELECT i.stock_id, i.product_id, i.store_id, i.available_quantity, i.units_per_day, i.days_of_stock FROM marts.inventory_health i;
COMMENT ON VIEW semantic.kpi_days_of_stock IS 'grain: stock row; NULL when nothing was sold in 28 days';

CREATE OR REPLACE VIEW semantic.kpi_dead_stock AS
SELECT i.store_id, count(*) AS dead_stock, coalesce(sum(i.retail_value), 0) AS retail_value
FROM marts.inventory_health i WHERE i.dead_stock GROUP BY i.store_id;
COMMENT ON VIEW semantic.kpi_dead_stock IS 'grain: store; stock rows with units and without a sale in 28 days, at retail prices';

CREATE OR REPLACE VIEW semantic.kpi_movements AS
SELECT
  (m.movement_date AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date AS day, p.store_id, coalesce(lower(btrim(m.reason)), 'unknown') AS reason,
  coalesce(sum(m.quantity) FILTER (WHERE lower(btrim(m.movement_type)) = 'in'), 0) AS units_in,
  coalesce(sum(m.quantity) FILTER (WHERE lower(btrim(m.movement_type)) = 'out'), 0) AS units_out,
  coalesce(sum(CASE lower(btrim(m.movement_type)) WHEN 'in' THEN m.quantity WHEN 'out' THEN -m.quantity END), 0) AS movements
FROM staging.inventorymovement m
CROSS JOIN core.clock c
LEFT JOIN core.products p ON p.product_id = m.product_id
WHERE NOT m._deleted AND m.movement_date >= TIMESTAMP '1900-01-01' AND m.movement_date < TIMESTAMP '9999-01-01'
GROUP BY 1, 2, 3;
COMMENT ON VIEW semantic.kpi_movements IS 'grain: business day x store x reason; units in, out and net';

CREATE OR REPLACE VIEW semantic.kpi_shrinkage_check AS
SELECT
  p.product_id, p.store_id, coalesce(h.changed, 0) AS stock_change, coalesce(v.moved, 0) AS moved,
  coalesce(h.changed, 0) - coalesce(v.moved, 0) AS shrinkage_check
FROM core.products p
LEFT JOIN (
  -- From the first level that was seen to the last.
  SELECT x.product_id, sum(x.last - x.first) AS changed FROM (
    SELECT l.stock_id, l.product_id, (array_agg(l.available_quantity ORDER BY l.valid_from, l._generation, l._lsn))[1] AS first,
      (array_agg(l.available_quantity ORDER BY l.valid_from DESC, l._generation DESC, l._lsn DESC))[1] AS last
    FROM history.stock_level l GROUP BY l.stock_id, l.product_id
  ) x GROUP BY x.product_id
) h ON h.product_id = p.product_id
LEFT JOIN (
  SELECT m.product_id, sum(CASE lower(btrim(m.movement_type)) WHEN 'in' THEN m.quantity WHEN 'out' THEN -m.quantity END) AS moved
  FROM staging.inventorymovement m
  WHERE NOT m._deleted AND NOT m._snapshot
  GROUP BY m.product_id
) v ON v.product_id = p.product_id;
COMMENT ON VIEW semantic.kpi_shrinkage_check IS 'grain: product; change of stock since capture began less the movements since then';

CREATE OR REPLACE VIEW semantic.kpi_warehouses AS
SELECT
  i.warehouse_location, i.store_id, sum(i.available_quantity) AS warehouses, coalesce(sum(i.retail_value), 0) AS retail_value,
  count(*) FILTER (WHERE i.stock_status IN ('critical', 'out_of_stock')) AS critical_rows
FROM marts.inventory_health i
GROUP BY i.warehouse_location, i.store_id;
COMMENT ON VIEW semantic.kpi_warehouses IS 'grain: location x store; units, retail value and critical rows';

CREATE OR REPLACE VIEW semantic.kpi_abc AS
SELECT
  r.product_id, r.store_id, r.revenue,
  CASE WHEN r.before < r.total * 0.80 THEN 'A' WHEN r.before < r.total * 0.95 THEN 'B' ELSE 'C' END AS abc
FROM (
  SELECT
    s.product_id, s.store_id, s.revenue, sum(s.revenue) OVER () AS total,
    sum(s.revenue) OVER (ORDER BY s.revenue DESC, s.product_id) - s.revenue AS before
  FROM (
    SELECT p.product_id, p.store_id, greatest(coalesce(sum(m.revenue), 0), 0) AS revenue
    FROM core.products p
    CROSS JOIN core.clock c
    LEFT JOIN marts.product_metrics m ON m.product_id = p.product_id AND m.day BETWEEN c.today - 90 AND c.today - 1
    WHERE NOT p.deleted
    GROUP BY p.product_id, p.store_id
  ) s
) r;
COMMENT ON VIEW semantic.kpi_abc IS 'grain: product; by revenue of 90 complete days: A up to 80 %, B up to 95 %, C the rest';

CREATE OR REPLACE VIEW semantic.kpi_demand_forecast AS
SELECT
  f.product_id, f.category, f.store_id, f.last_day, x.days, x.units AS demand_forecast, x.low_80, x.high_80, x.low_95, x.high_95,
  f.method, f.days_known, f.error, f.baseline_error, f.mase, f.baseline_mase, f.wape, f.baseline_wape, f.bias, f.coverage_80,
  f.available, f.used_up_day, f.used_up_early_day, f.reorder_point, f.own_reorder_point
FROM marts.demand_forecast f
CROSS JOIN LATERAL (VALUES
  (14, f.units_14, f.low_80_14, f.high_80_14, f.low_95_14, f.high_95_14),
  (28, f.units_28, f.low_80_28, f.high_80_28, f.low_95_28, f.high_95_28)
) AS x(days, units, low_80, high_80, low_95, high_95);
COMMENT ON VIEW semantic.kpi_demand_forecast IS
  'grain: product or category (product_id NULL, store_id 0) x 14 or 28 days after last_day; units with intervals, error and that of repeating the week';

CREATE OR REPLACE VIEW semantic.kpi_shipments AS
SELECT s.due_day, s.shipping_method, s.status, count(*) AS shipments FROM marts.shipment_facts s GROUP BY s.due_day, s.shipping_method, s.status;
COMMENT ON VIEW semantic.kpi_shipments IS 'grain: due day x method x status';

CREATE OR REPLACE VIEW semantic.kpi_on_time_rate AS
SELECT p.due_day, p.shipping_method, p.on_time, p.late, p.overdue, p.unknown, p.on_time_rate FROM marts.shipment_performance p;
COMMENT ON VIEW semantic.kpi_on_time_rate IS 'grain: due day x method; delivered before capture began counts on neither side';

CREATE OR REPLACE VIEW semantic.kpi_transit_time AS
SELECT p.due_day, p.shipping_method, p.transit_h_p50 AS transit_time, p.transit_h_p90 FROM marts.shipment_performance p;
COMMENT ON VIEW semantic.kpi_transit_time IS 'grain: due day x method; hours from handed over to delivered, median and 90th percentile';
