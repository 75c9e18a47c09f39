-- A replay takes the record as it stands in Kafka, with its headers; it goes to its own topic.
ALTER TABLE ops.dead_letters
  DROP COLUMN generation,
  DROP COLUMN origin;
