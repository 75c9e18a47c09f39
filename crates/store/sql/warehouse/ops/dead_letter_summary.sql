-- ops.dead_letter_summary: dead letters without their bytes, for readers. Grain: reason x topic x state.
CREATE OR REPLACE VIEW ops.dead_letter_summary AS
SELECT d.reason, d.topic, d.state, count(*) AS letters, max(d.seen_at) AS newest
FROM ops.dead_letters d
GROUP BY d.reason, d.topic, d.state;
COMMENT ON VIEW ops.dead_letter_summary IS 'grain: one row per reason, topic and state';
