-- What the mart refresher needs: which source rows changed, and what it did.

CREATE TABLE ops.dirty_keys (
  source_table  text NOT NULL,
  key           bigint NOT NULL
);
COMMENT ON TABLE ops.dirty_keys IS
  'grain: one mark per source row and batch that changed it, until the refresher took it. Append-only, no unique key: a '
  'mark that is written while the refresher works stays for its next round (docs: reliability 4.3)';

CREATE TABLE ops.mart_refreshes (
  name          text PRIMARY KEY CHECK (name IN ('by_key', 'as_a_whole')),
  refreshed_at  timestamptz NOT NULL,
  as_of         timestamptz,
  changed_at    timestamptz,
  complete      boolean NOT NULL
);
COMMENT ON TABLE ops.mart_refreshes IS
  'grain: one row for the marts kept by key and one for those computed as a whole. as_of is the newest commit time at a '
  'source they contain, changed_at when something was last out of date; complete is false until everything was computed once by the definitions and maps of now';

CREATE TABLE ops.etl_runs (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  day           date NOT NULL,
  state         text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  requested_at  timestamptz NOT NULL,
  started_at    timestamptz,
  ended_at      timestamptz,
  steps         jsonb NOT NULL DEFAULT '[]',
  error         text
);
CREATE INDEX etl_runs_day ON ops.etl_runs (day, id DESC);
CREATE INDEX etl_runs_open ON ops.etl_runs (id) WHERE state IN ('waiting', 'running');
COMMENT ON TABLE ops.etl_runs IS
  'grain: one row per run of the daily ETL for one business day; steps holds name, rows, repaired and seconds of each step '
  'that ended';
