-- What a replay of a dead letter needs besides its bytes: the source generation its header named, and the topic it was
-- first written to, when the record was itself a replay.
ALTER TABLE ops.dead_letters
  ADD COLUMN generation integer NOT NULL DEFAULT 0,
  ADD COLUMN origin text;
