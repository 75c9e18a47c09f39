-- Goods that came in or went out. Grain: movement. `movement_type` is in or out, `reason` says why.
CREATE TABLE inventorymovement (
    movement_id   bigserial PRIMARY KEY,
    product_id    bigint,
    movement_date timestamp,
    movement_type varchar(10),
    quantity      int,
    reason        varchar(100)
);
CREATE INDEX inventorymovement_product_id_idx ON inventorymovement (product_id);
