-- Behaviour by type and business day (KPI events_by_type). Continues a WITH that names the tables. $1: reporting zone.
events AS MATERIALIZED (
  SELECT
    coalesce(u.event_type, 'unknown') AS kind,
    u.session_id,
    -- Who acted: the buyer of the metadata, else the store column (D5).
    coalesce('b' || (u.metadata ->> 'buyer_id'), 'c' || u.customer_id) AS actor,
    CASE WHEN u."timestamp" >= TIMESTAMP '0001-01-01' AND u."timestamp" < TIMESTAMP '10000-01-01'
          AND u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE $1::text >= TIMESTAMP '0001-01-01'
          AND u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE $1::text < TIMESTAMP '10000-01-01'
         THEN (u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE $1::text)::date END AS day
  FROM userbehavior u
),
kinds AS (
  SELECT e.day, e.kind, count(*) AS events, count(DISTINCT e.session_id) AS sessions, count(DISTINCT e.actor) AS actors
  FROM events e WHERE e.day IS NOT NULL GROUP BY e.day, e.kind
)
SELECT k.day, f.name, k.kind, f.value::numeric
FROM kinds k CROSS JOIN LATERAL (VALUES
  ('behaviour.events', k.events), ('behaviour.sessions', k.sessions), ('behaviour.actors', k.actors)) AS f(name, value)
UNION ALL
SELECT NULL, 'undated', '', count(*)::numeric FROM events e WHERE e.day IS NULL
