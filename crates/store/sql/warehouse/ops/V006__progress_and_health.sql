-- ops: what the flows need to go on, and what they say about themselves.

CREATE TABLE ops.offsets (
  flow         text NOT NULL,
  topic        text NOT NULL,
  partition    integer NOT NULL,
  topic_id     text,
  epoch        bigint NOT NULL CHECK (epoch > 0),
  owner        text NOT NULL,
  next_offset  bigint NOT NULL CHECK (next_offset >= 0),
  source_hwm   timestamptz,
  last_delete_table  text,
  last_delete_key    bigint,
  assigned_at  timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  PRIMARY KEY (flow, topic, partition)
);
COMMENT ON TABLE ops.offsets IS
  'grain: one row per flow and topic partition. The truth table of a step (epoch, base, next) against a row, first that '
  'holds: no row -> Empty; epoch lower than the row -> Fenced; next_offset = base -> Clean; next_offset < base -> Behind; '
  'next_offset >= next -> Duplicate; otherwise Overlap';
COMMENT ON COLUMN ops.offsets.next_offset IS 'checkpoint: the next Kafka offset to read; 0 = from the beginning';
COMMENT ON COLUMN ops.offsets.last_delete_key IS
  'set while the last record of the partition was a delete: its tombstone comes next and is no news';
COMMENT ON COLUMN ops.offsets.source_hwm IS 'newest commit time contained; for freshness on screens, never a guard';

CREATE TABLE ops.dead_letters (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic      text NOT NULL,
  partition  integer NOT NULL,
  "offset"   bigint NOT NULL,
  kafka_at   timestamptz,
  seen_at    timestamptz NOT NULL,
  reason     text NOT NULL,
  detail     text NOT NULL,
  key        bytea,
  value      bytea,
  state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'discarded', 'replayed')),
  state_at   timestamptz,
  state_by   text,
  UNIQUE (topic, partition, "offset")
);
CREATE INDEX dead_letters_open ON ops.dead_letters (seen_at) WHERE state = 'open';
COMMENT ON TABLE ops.dead_letters IS
  'grain: one row per Kafka record that could not be used, with its bytes; written in the transaction of its checkpoint';

CREATE TABLE ops.sources (
  source             text PRIMARY KEY,
  generation         integer NOT NULL,
  system_identifier  bigint NOT NULL,
  last_lsn           pg_lsn NOT NULL,
  updated_at         timestamptz NOT NULL
);
COMMENT ON TABLE ops.sources IS 'grain: one row per source database, written by setup: tells a restored or replaced server';

CREATE TABLE ops.health (
  kind     text NOT NULL CHECK (kind IN ('worker', 'source', 'brokers')),
  name     text NOT NULL,
  seen_at  timestamptz NOT NULL,
  body     jsonb NOT NULL,
  PRIMARY KEY (kind, name)
);
COMMENT ON TABLE ops.health IS 'grain: one row per worker, source, and one for the brokers: the last that was published';

CREATE TABLE ops.proofs (
  at     timestamptz PRIMARY KEY,
  drift  bigint NOT NULL,
  body   jsonb NOT NULL
);
COMMENT ON TABLE ops.proofs IS 'grain: one row per run of instashop verify';
