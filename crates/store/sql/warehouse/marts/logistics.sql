-- M11 shipment_performance (docs: kpis 4.3): one row per due day and shipping method.
CREATE OR REPLACE VIEW marts.shipment_performance_v AS
SELECT
  s.due_day, s.shipping_method, count(*) AS shipments,
  count(*) FILTER (WHERE s.result = 'on_time') AS on_time,
  count(*) FILTER (WHERE s.result = 'late') AS late,
  count(*) FILTER (WHERE s.result = 'overdue') AS overdue,
  count(*) FILTER (WHERE s.result = 'unknown') AS unknown,
  count(*) FILTER (WHERE s.result = 'in_progress') AS in_progress,
  count(*) FILTER (WHERE s.result = 'on_time')::numeric
    / nullif(count(*) FILTER (WHERE s.result IN ('on_time', 'late', 'overdue')), 0) AS on_time_rate,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY (extract(epoch FROM s.delivered_at - s.shipped_at) / 3600)::float8)::numeric AS transit_h_p50,
  percentile_cont(0.9) WITHIN GROUP (ORDER BY (extract(epoch FROM s.delivered_at - s.shipped_at) / 3600)::float8)::numeric AS transit_h_p90
FROM marts.shipment_facts s
WHERE s.due_day IS NOT NULL
GROUP BY s.due_day, s.shipping_method;
COMMENT ON VIEW marts.shipment_performance_v IS 'grain: due day x shipping method';
