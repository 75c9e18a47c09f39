-- The marts of behaviour M8 and M9 (docs: kpis 4.3), and the session table of the source documents.

-- M8, a closed funnel: a step counts only when it was reached after the one before it in the same visit. It never rises.
CREATE OR REPLACE VIEW marts.funnel_v AS
WITH counted AS (
  SELECT
    v.day, v.store_id, count(*) AS s0,
    count(*) FILTER (WHERE v.reached >= 1) AS s1, count(*) FILTER (WHERE v.reached >= 2) AS s2,
    count(*) FILTER (WHERE v.reached >= 3) AS s3, count(*) FILTER (WHERE v.reached >= 4) AS s4,
    count(*) FILTER (WHERE v.reached >= 5) AS s5
  FROM marts.visit_facts v
  GROUP BY v.day, v.store_id
)
SELECT
  c.day, c.store_id, x.step, x.name, x.visits,
  x.visits::numeric / nullif(x.before, 0) AS step_rate,
  x.visits::numeric / nullif(c.s0, 0) AS total_rate
FROM counted c
CROSS JOIN LATERAL (VALUES
  (0, 'visits', c.s0, NULL), (1, 'viewed', c.s1, c.s0), (2, 'product viewed', c.s2, c.s1), (3, 'added to cart', c.s3, c.s2),
  (4, 'checkout', c.s4, c.s3), (5, 'purchase', c.s5, c.s4)) AS x(step, name, visits, before);
COMMENT ON VIEW marts.funnel_v IS 'grain: business day x store x step';

-- M9, outcomes are exclusive and exhaustive; an open visit is in_progress.
CREATE OR REPLACE VIEW marts.session_outcome_v AS
SELECT
  v.day, v.store_id, v.outcome, count(*) AS visits, avg(v.duration_s) AS avg_duration_s,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY v.duration_s::float8)::numeric AS p50_duration_s,
  sum(v.views)::bigint AS page_views
FROM marts.visit_facts v
GROUP BY v.day, v.store_id, v.outcome;
COMMENT ON VIEW marts.session_outcome_v IS 'grain: business day x store x outcome';

-- One row per visit that is over, with the columns of the source document: timestamp (UTC) is the end of the visit, so that
-- its query (timestamp - start_time) gives the duration of D8.
CREATE OR REPLACE VIEW marts.customer_sessions AS
SELECT
  v.visit AS session_id,
  nullif(v.store_id, -1) AS customer_id,
  jsonb_build_object(
    'start_time', to_char(v.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
    'end_time', to_char(v.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
    'pages', to_jsonb(v.pages),
    'duration', v.duration_s,
    'actor', v.actor) AS session_data,
  v.outcome,
  v.ended_at AT TIME ZONE 'UTC' AS "timestamp"
FROM marts.visit_facts v
WHERE v.outcome <> 'in_progress';
COMMENT ON VIEW marts.customer_sessions IS 'grain: one row per closed store visit (session_id)';
