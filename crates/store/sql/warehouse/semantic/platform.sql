-- KPIs of the platform and its pipeline, as far as the warehouse knows them (docs: kpis 1.5).

CREATE OR REPLACE VIEW semantic.kpi_throughput AS
SELECT
  e.source_table, count(*) FILTER (WHERE e.processed_at > n.at - INTERVAL '1 minute')::numeric / 60 AS throughput, count(*)::numeric / 900 AS throughput_15m
FROM (SELECT now() AS at) n
JOIN raw.realtime_events e ON e.processed_at > n.at - INTERVAL '15 minutes'
GROUP BY e.source_table;
COMMENT ON VIEW semantic.kpi_throughput IS 'grain: source table; changes a second into the event log, over 1 and 15 minutes';

CREATE OR REPLACE VIEW semantic.kpi_e2e_latency AS
SELECT h.name AS worker, (h.body ->> 'latency_p50_ms')::numeric AS e2e_latency, (h.body ->> 'latency_p95_ms')::numeric AS p95_ms, (h.body ->> 'latency_p99_ms')::numeric AS p99_ms
FROM ops.health h WHERE h.kind = 'worker';
COMMENT ON VIEW semantic.kpi_e2e_latency IS 'grain: worker of the warehouse flow; milliseconds from commit to warehouse';

CREATE OR REPLACE VIEW semantic.kpi_lag AS
SELECT
  h.name AS worker, p ->> 'topic' AS topic, (p ->> 'partition')::int AS partition,
  greatest((p ->> 'end')::bigint - (p ->> 'checkpoint')::bigint, 0) AS lag, (p ->> 'as_of')::timestamptz AS as_of
FROM ops.health h CROSS JOIN LATERAL jsonb_array_elements(h.body -> 'partitions') p
WHERE h.kind = 'worker';
COMMENT ON VIEW semantic.kpi_lag IS 'grain: topic partition of the warehouse flow; records that are not applied yet';

CREATE OR REPLACE VIEW semantic.kpi_service_state AS
SELECT h.kind, h.name, h.seen_at, coalesce(h.body ->> 'state', h.body ->> 'up', '') AS service_state FROM ops.health h;
COMMENT ON VIEW semantic.kpi_service_state IS 'grain: worker, source, or the brokers; each by its own probe';

CREATE OR REPLACE VIEW semantic.kpi_data_quality AS
SELECT q.day, q.issue, q.rows AS data_quality FROM marts.data_quality_v q
UNION ALL
SELECT NULL, 'dead_letters', coalesce(sum(d.letters), 0)::bigint FROM ops.dead_letter_summary d WHERE d.state = 'open'
UNION ALL
SELECT NULL, 'lines_without_order', count(*)
FROM staging.transactiondetail d
WHERE NOT d._deleted AND NOT EXISTS (SELECT 1 FROM staging.transaction t WHERE t.transaction_id = d.transaction_id AND NOT t._deleted)
UNION ALL
SELECT NULL, 'orders_without_day', count(*) FROM marts.order_facts o WHERE o.order_day IS NULL;
COMMENT ON VIEW semantic.kpi_data_quality IS 'grain: business day x issue; day is NULL for what belongs to no day';

CREATE OR REPLACE VIEW semantic.kpi_drift AS
SELECT p.at, p.drift FROM ops.proofs p ORDER BY p.at DESC LIMIT 1;
COMMENT ON VIEW semantic.kpi_drift IS 'grain: at most one row; the last proof of instashop verify';
