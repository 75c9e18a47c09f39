-- A carrier. Grain: carrier. The tracking number is the carrier's own prefix of numbers.
CREATE TABLE carrier (
    carrier_id      bigserial PRIMARY KEY,
    name            varchar(100),
    phone           varchar(20),
    tracking_number varchar(100)
);
