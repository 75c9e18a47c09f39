-- KPIs of traffic and behaviour (docs: kpis 1.3). A visit belongs to the business day it began on.

CREATE OR REPLACE VIEW semantic.kpi_events_by_type AS
SELECT e.day, e.store_id, e.event_type, count(*) AS events_by_type
FROM (
  SELECT v.day, v.store_id, CASE v.kind WHEN 'purchase_link' THEN 'purchase' ELSE v.kind END AS event_type
  FROM marts.visit_event_facts v WHERE v.src = 0
  UNION ALL
  -- Nobody's: an event with neither buyer nor store is in no visit.
  SELECT
    CASE WHEN u."timestamp" >= TIMESTAMP '0001-01-01' AND u."timestamp" < TIMESTAMP '10000-01-01'
      THEN (u."timestamp" AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c))::date END,
    -1, coalesce(u.event_type, 'unknown')
  FROM staging.userbehavior u
  WHERE NOT u._deleted AND coalesce('b' || (u.metadata ->> 'buyer_id'), 'c' || u.customer_id::text) IS NULL
) e
WHERE e.day IS NOT NULL
GROUP BY e.day, e.store_id, e.event_type;
COMMENT ON VIEW semantic.kpi_events_by_type IS 'grain: business day x store x event type';

CREATE OR REPLACE VIEW semantic.kpi_total_events AS
SELECT count(*) AS total_events FROM raw.realtime_events;
COMMENT ON VIEW semantic.kpi_total_events IS 'grain: exactly one row';

CREATE OR REPLACE VIEW semantic.kpi_visits AS
SELECT m.day, m.store_id, m.visits FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_visits IS 'grain: business day x store';

CREATE OR REPLACE VIEW semantic.kpi_visitors AS
SELECT m.day, m.store_id, m.visitors FROM marts.daily_metrics m;
COMMENT ON VIEW semantic.kpi_visitors IS 'grain: business day x store; distinct, so neither days nor stores add up';

CREATE OR REPLACE VIEW semantic.kpi_page_views AS
SELECT o.day, o.store_id, sum(o.page_views) AS page_views FROM marts.session_outcome o GROUP BY o.day, o.store_id;
COMMENT ON VIEW semantic.kpi_page_views IS 'grain: business day x store';

CREATE OR REPLACE VIEW semantic.kpi_bounce_rate AS
SELECT
  o.day, o.store_id, coalesce(sum(o.visits) FILTER (WHERE o.outcome = 'bounce'), 0) AS bounced,
  coalesce(sum(o.visits) FILTER (WHERE o.outcome <> 'in_progress'), 0) AS ended,
  coalesce(sum(o.visits) FILTER (WHERE o.outcome = 'bounce'), 0) / nullif(sum(o.visits) FILTER (WHERE o.outcome <> 'in_progress'), 0) AS bounce_rate
FROM marts.session_outcome o GROUP BY o.day, o.store_id;
COMMENT ON VIEW semantic.kpi_bounce_rate IS 'grain: business day x store; of ended visits';

CREATE OR REPLACE VIEW semantic.kpi_avg_time AS
SELECT
  v.day, v.store_id, count(*) AS ended, sum(v.duration_s) AS seconds, avg(v.duration_s) AS avg_time,
  core.median(array_agg(v.duration_s)) AS median_time,
  avg(v.duration_s) FILTER (WHERE v.ended_at > v.started_at) AS avg_time_without_single
FROM marts.visit_facts v WHERE v.outcome <> 'in_progress'
GROUP BY v.day, v.store_id;
COMMENT ON VIEW semantic.kpi_avg_time IS 'grain: business day x store; seconds; a visit of one event lasts 0';

CREATE OR REPLACE VIEW semantic.kpi_outcomes AS
SELECT o.day, o.store_id, o.outcome, o.visits, o.visits::numeric / nullif(sum(o.visits) OVER (PARTITION BY o.day, o.store_id), 0) AS outcomes
FROM marts.session_outcome o;
COMMENT ON VIEW semantic.kpi_outcomes IS 'grain: business day x store x outcome; in_progress are visits that may go on';

CREATE OR REPLACE VIEW semantic.kpi_conversion_rate AS
SELECT m.day, m.store_id, m.visits_converted, m.visits, m.conversion_rate FROM marts.daily_metrics m WHERE m.visits > 0;
COMMENT ON VIEW semantic.kpi_conversion_rate IS 'grain: business day x store; over several rows divide the sums';

CREATE OR REPLACE VIEW semantic.kpi_events_ratio AS
SELECT
  v.day, v.store_id, count(*) FILTER (WHERE v.kind = 'purchase_link') AS purchases, count(*) FILTER (WHERE v.kind = 'product_view') AS views,
  count(*) FILTER (WHERE v.kind = 'purchase_link')::numeric / nullif(count(*) FILTER (WHERE v.kind = 'product_view'), 0) AS events_ratio
FROM marts.visit_event_facts v WHERE v.src = 0
GROUP BY v.day, v.store_id;
COMMENT ON VIEW semantic.kpi_events_ratio IS 'grain: business day x store; events by events, for comparison only';

CREATE OR REPLACE VIEW semantic.kpi_funnel AS
SELECT f.day, f.store_id, f.step, f.name, f.visits AS funnel, f.step_rate, f.total_rate FROM marts.funnel f;
COMMENT ON VIEW semantic.kpi_funnel IS 'grain: business day x store x step';

CREATE OR REPLACE VIEW semantic.kpi_add_to_cart_rate AS
SELECT
  f.day, f.store_id, sum(f.visits) FILTER (WHERE f.step = 3) AS added, sum(f.visits) FILTER (WHERE f.step = 2) AS viewed,
  sum(f.visits) FILTER (WHERE f.step = 3) / nullif(sum(f.visits) FILTER (WHERE f.step = 2), 0) AS add_to_cart_rate
FROM marts.funnel f GROUP BY f.day, f.store_id;
COMMENT ON VIEW semantic.kpi_add_to_cart_rate IS 'grain: business day x store; visits that added after they viewed a product / visits that viewed one';

CREATE OR REPLACE VIEW semantic.kpi_cart_abandonment AS
SELECT
  v.day, v.store_id, count(*) FILTER (WHERE v.outcome = 'cart_abandonment') AS abandoned, count(*) FILTER (WHERE v.adds > 0) AS with_cart,
  count(*) FILTER (WHERE v.outcome = 'cart_abandonment')::numeric / nullif(count(*) FILTER (WHERE v.adds > 0), 0) AS cart_abandonment
FROM marts.visit_facts v WHERE v.outcome <> 'in_progress'
GROUP BY v.day, v.store_id;
COMMENT ON VIEW semantic.kpi_cart_abandonment IS 'grain: business day x store; of ended visits with an add to cart';

CREATE OR REPLACE VIEW semantic.kpi_checkout_completion AS
SELECT
  v.day, v.store_id, count(*) FILTER (WHERE v.purchases > 0) AS completed, count(*) FILTER (WHERE v.purchases > 0 OR v.checkouts > 0) AS begun,
  -- Without any checkout event it would be 100 % by construction.
  CASE WHEN bool_or(v.checkouts > 0)
    THEN count(*) FILTER (WHERE v.purchases > 0)::numeric / nullif(count(*) FILTER (WHERE v.purchases > 0 OR v.checkouts > 0), 0) END AS checkout_completion
FROM marts.visit_facts v
GROUP BY v.day, v.store_id;
COMMENT ON VIEW semantic.kpi_checkout_completion IS 'grain: business day x store; NULL where no checkout is recorded';

CREATE OR REPLACE VIEW semantic.kpi_search AS
SELECT
  v.day, v.store_id, lower(btrim(u.metadata ->> 'search_term')) AS term, count(*) AS search,
  count(*) FILTER (WHERE u.metadata ->> 'results_count' = '0') AS without_result
FROM marts.visit_event_facts v
JOIN staging.userbehavior u ON u.behavior_id = v.id
WHERE v.src = 0 AND v.kind = 'search'
GROUP BY v.day, v.store_id, lower(btrim(u.metadata ->> 'search_term'));
COMMENT ON VIEW semantic.kpi_search IS 'grain: business day x store x term, NULL for a search without its term';

CREATE OR REPLACE VIEW semantic.kpi_store_funnel AS
SELECT
  f.store_id, sum(f.visits) FILTER (WHERE f.step = 0) AS visits, sum(f.visits) FILTER (WHERE f.step = 2) AS viewed,
  sum(f.visits) FILTER (WHERE f.step = 3) AS added, sum(f.visits) FILTER (WHERE f.step = 4) AS checkout, sum(f.visits) FILTER (WHERE f.step = 5) AS purchased,
  CASE WHEN sum(f.visits) FILTER (WHERE f.step = 0) >= 100
    THEN sum(f.visits) FILTER (WHERE f.step = 5) / sum(f.visits) FILTER (WHERE f.step = 0) END AS store_funnel
FROM core.clock c
JOIN marts.funnel f ON f.day BETWEEN c.today - 30 AND c.today - 1
GROUP BY f.store_id;
COMMENT ON VIEW semantic.kpi_store_funnel IS 'grain: store; 30 complete days; NULL below 100 visits';

CREATE OR REPLACE VIEW semantic.kpi_journey AS
SELECT p.path, count(*) AS journey, count(*)::numeric / nullif(max(p.all_visits), 0) AS share
FROM (
  SELECT
    (SELECT string_agg(s.kind, ' > ' ORDER BY s.place) FROM (
      -- The first five steps, repeats collapsed.
      SELECT k.kind, k.place, row_number() OVER (ORDER BY k.place) AS number FROM (
        SELECT split_part(x.page, ':', 1) AS kind, x.place, lag(split_part(x.page, ':', 1)) OVER (ORDER BY x.place) AS before
        FROM unnest(v.pages) WITH ORDINALITY AS x(page, place)
      ) k WHERE k.kind IS DISTINCT FROM k.before
    ) s WHERE s.number <= 5) AS path,
    count(*) OVER () AS all_visits
  FROM core.clock c
  JOIN marts.visit_facts v ON v.day BETWEEN c.today - 30 AND c.today - 1
) p
GROUP BY p.path
ORDER BY 2 DESC, 1
LIMIT 50;
COMMENT ON VIEW semantic.kpi_journey IS 'grain: path of the first five steps, the 50 most walked of 30 complete days';
