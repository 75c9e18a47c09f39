-- A contact with a store. Grain: contact.
CREATE TABLE interaction (
    interaction_id   bigserial PRIMARY KEY,
    customer_id      bigint,
    interaction_type varchar(50),
    channel          varchar(50),
    interaction_date timestamp,
    status           varchar(20)
);
CREATE INDEX interaction_customer_id_idx ON interaction (customer_id);
