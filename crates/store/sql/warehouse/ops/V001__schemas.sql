-- The eight schemas, and a search path under which the queries of the source documents work as they are written.

CREATE SCHEMA raw;
CREATE SCHEMA staging;
CREATE SCHEMA history;
CREATE SCHEMA ref;
CREATE SCHEMA core;
CREATE SCHEMA marts;
CREATE SCHEMA semantic;
-- ops exists already: the migration runner keeps its own records there.

COMMENT ON SCHEMA raw IS 'every change, append-only, partitioned by day';
COMMENT ON SCHEMA staging IS 'the current row per source key, as the source holds it; guarded by position, soft-deleted';
COMMENT ON SCHEMA history IS 'transitions over time, one row per real change';
COMMENT ON SCHEMA ref IS 'small tables the user owns, written by setup from the configuration';
COMMENT ON SCHEMA core IS 'views with shared meaning, each defined once';
COMMENT ON SCHEMA marts IS 'tables refreshed by dirty key';
COMMENT ON SCHEMA semantic IS 'one view per KPI id';
COMMENT ON SCHEMA ops IS 'checkpoints, epochs, dead letters, health, proofs, migrations';

-- public has no CREATE for everyone since PostgreSQL 15; older servers get the same.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %I SET search_path = public, raw, marts, semantic, core', current_database());
END
$$;
