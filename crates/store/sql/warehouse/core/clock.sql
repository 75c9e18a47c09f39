-- core.clock: one place for now, the reporting zone and the reporting currency. Grain: exactly one row.
CREATE OR REPLACE VIEW core.clock AS
SELECT
  s.tz,
  s.currency,
  s.session_gap,
  coalesce(s.now_override, now()) AS now_ts,
  (coalesce(s.now_override, now()) AT TIME ZONE s.tz)::date AS today
FROM ref.setting s;
COMMENT ON VIEW core.clock IS 'grain: exactly one row';
