-- A buyer (shopper). Grain: buyer.
CREATE TABLE buyer (
    buyer_id         bigserial PRIMARY KEY,
    name             varchar(100),
    email            varchar(100),
    phone            varchar(20),
    shipping_address varchar(255)
);
