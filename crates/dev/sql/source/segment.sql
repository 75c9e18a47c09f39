-- A segment of stores; the criteria are free text. Grain: segment.
CREATE TABLE segment (
    segment_id   bigserial PRIMARY KEY,
    segment_name varchar(100),
    criteria     text
);
