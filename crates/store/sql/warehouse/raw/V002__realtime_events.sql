-- raw.realtime_events: every change of every captured row.
--
-- The columns of the source document come first, under its names; ours follow. The partition column is part of the
-- identity and is a function of the change alone, so that a change that arrives twice lands on the same row.

CREATE TABLE raw.realtime_events (
  id              bigint GENERATED ALWAYS AS IDENTITY,
  event_type      text        NOT NULL,
  "timestamp"     timestamp   NOT NULL,
  customer_id     bigint,
  customer_name   text,
  product_id      bigint,
  product_name    text,
  category        text,
  amount          numeric,
  session_id      text,
  raw_data        jsonb,
  processed_at    timestamptz NOT NULL,
  source          text        NOT NULL,
  transaction_id  bigint,
  buyer_id        bigint,
  source_db       text        NOT NULL,
  source_table    text        NOT NULL,
  source_key      bigint      NOT NULL,
  op              "char"      NOT NULL,
  generation      integer     NOT NULL,
  lsn             pg_lsn      NOT NULL,
  ordinal         bigint      NOT NULL DEFAULT 0,
  tx_id           bigint,
  committed_at    timestamptz NOT NULL,
  snapshot        boolean     NOT NULL,
  before          jsonb,
  missing         text[],
  topic           text        NOT NULL,
  partition       integer     NOT NULL,
  "offset"        bigint      NOT NULL,
  CONSTRAINT realtime_events_identity
    UNIQUE (source_table, source_key, lsn, op, generation, ordinal, "timestamp", source_db)
) PARTITION BY RANGE ("timestamp");

CREATE INDEX realtime_events_checkpoint ON raw.realtime_events (topic, partition, "offset");

-- Takes rows of days that have no partition of their own: absurd dates, infinity.
CREATE TABLE raw.realtime_events_default PARTITION OF raw.realtime_events DEFAULT;

COMMENT ON TABLE raw.realtime_events IS
  'grain: one row per change of a source row. Exactly one row per source key has the bare event type; later changes '
  'end in _updated, _deleted or _snapshot. Count rows of the bare types, or better: the current rows in core';
COMMENT ON COLUMN raw.realtime_events."timestamp" IS
  'business time, UTC; the commit time where the table has none, the change does not carry it, or it is a delete';
COMMENT ON COLUMN raw.realtime_events.customer_name IS 'name of the store as known when the change was written';
COMMENT ON COLUMN raw.realtime_events.product_name IS 'as known when the change was written';
COMMENT ON COLUMN raw.realtime_events.category IS 'as known when the change was written';
COMMENT ON COLUMN raw.realtime_events.amount IS 'order total, or quantity x unit price of a line';
COMMENT ON COLUMN raw.realtime_events.raw_data IS
  'image after the change, columns that did not come filled from the stored image; NULL for a delete';
COMMENT ON COLUMN raw.realtime_events.source IS 'kafka_consumer, or repair for a replayed dead letter';
COMMENT ON COLUMN raw.realtime_events.ordinal IS
  '0 where lsn makes the identity; else Kafka offset + 1: duplicates of such a change are caught by checkpoint only';
COMMENT ON COLUMN raw.realtime_events.tx_id IS 'transaction id at the source, 32 bits as the log has it';
COMMENT ON COLUMN raw.realtime_events.missing IS 'columns that did not come with the change (large values left out)';
