#!/usr/bin/env python3
"""Records what the real Debezium connector writes, one file for each configuration. See README.md beside this file.

Each scenario makes the tables anew, lets the connector take its snapshot, runs the changes, reads every topic from the
start and writes one JSON object a line: topic, partition, key, value, headers, timestamp. A key, value or header that
is not UTF-8 would be written as {"base64": ...}.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

HERE = Path(__file__).resolve().parent

TABLES = {
    "instashop": """
CREATE TABLE customer (customer_id bigserial PRIMARY KEY, name varchar(100), business_name varchar(150), email varchar(100),
  phone varchar(20), subscription_plan varchar(50), logo_url varchar(255), store_url varchar(255));
CREATE TABLE buyer (buyer_id bigserial PRIMARY KEY, name varchar(100), email varchar(100), phone varchar(20),
  shipping_address varchar(255));
CREATE TABLE product (product_id bigserial PRIMARY KEY, customer_id bigint, name varchar(150), description text,
  category varchar(100), price decimal(12,2), currency varchar(10), status varchar(20), image_url varchar(255));
ALTER TABLE product ALTER COLUMN description SET STORAGE EXTERNAL;
CREATE TABLE transaction (transaction_id bigserial PRIMARY KEY, buyer_id bigint, customer_id bigint,
  transaction_date timestamp, total_amount decimal(12,2), payment_method varchar(50), status varchar(20));
CREATE TABLE transactiondetail (transaction_detail_id bigserial PRIMARY KEY, transaction_id bigint, product_id bigint,
  quantity int, unit_price decimal(12,2));
CREATE TABLE userbehavior (behavior_id bigserial PRIMARY KEY, customer_id bigint, event_type varchar(50), product_id bigint,
  session_id varchar(100), timestamp timestamp DEFAULT now(), metadata jsonb);
""",
    "crm_db": """
CREATE TABLE interaction (interaction_id bigserial PRIMARY KEY, customer_id bigint, interaction_type varchar(50),
  channel varchar(50), interaction_date timestamp, status varchar(50));
CREATE TABLE segment (segment_id bigserial PRIMARY KEY, segment_name varchar(100), criteria text);
CREATE TABLE customersegment (customer_segment_id bigserial PRIMARY KEY, customer_id bigint, segment_id bigint);
""",
    "erp_db": """
CREATE TABLE stock (stock_id bigserial PRIMARY KEY, product_id bigint, available_quantity int, reorder_point int,
  warehouse_location varchar(100));
CREATE TABLE inventorymovement (movement_id bigserial PRIMARY KEY, product_id bigint, movement_date timestamp,
  movement_type varchar(10), quantity int, reason varchar(100));
""",
    "ecommerce_db": """
CREATE TABLE carrier (carrier_id bigserial PRIMARY KEY, name varchar(100), phone varchar(20), tracking_number varchar(100));
CREATE TABLE shipment (shipment_id bigserial PRIMARY KEY, transaction_id bigint, buyer_id bigint,
  delivery_address varchar(255), shipping_method varchar(50), status varchar(20), estimated_delivery_date timestamp);
""",
}

# Rows that are there before the connector.
BEFORE = [
    "INSERT INTO customer VALUES (1, 'Ana Núñez', 'Café Ñandú', 'ana@example.org', '+54 11 5555', 'Pro', NULL, NULL)",
    "INSERT INTO buyer VALUES (1, 'Zoë \"Z\" Õun', 'zoe@example.org', NULL, E'Calle 1\\nPiso 2')",
    "INSERT INTO product VALUES (1, 1, 'Yerba', repeat('Ñandú 4567', 200), 'Almacén', 1234.50, 'ARS', 'active', NULL)",
    "INSERT INTO transaction VALUES (1, 1, 1, '2026-03-01 13:14:15.123456', 129.90, 'card', 'PAID')",
    "INSERT INTO transactiondetail VALUES (1, 1, 1, 2, 64.95)",
    "INSERT INTO userbehavior VALUES (1, 1, 'product_view', 1, 's-1', '2026-03-01 13:14:15', "
    "'{\"price\": 2.50, \"path\": [\"a\", null]}')",
]

# Changes that every configuration has to carry.
CHANGES = [
    "INSERT INTO transaction VALUES (9007199254740993, 1, 1, '2026-03-01 13:14:15.1', 0.01, NULL, 'PENDING')",
    "UPDATE transaction SET status = 'PAID', total_amount = -5.00 WHERE transaction_id = 9007199254740993",
    "INSERT INTO transaction VALUES (2, 1, 1, '1969-12-31 23:59:59.999999', 9999999999.99, 'cash', 'PAID'),"
    " (3, NULL, NULL, NULL, NULL, NULL, NULL), (4, 1, 1, '9999-12-31 23:59:59.999999', 0, 'crédito', 'CANCELLED')",
    "BEGIN; INSERT INTO transactiondetail VALUES (2, 2, 1, 1, 327.68); UPDATE transaction SET total_amount = 83886.07"
    " WHERE transaction_id = 2; COMMIT",
    "UPDATE transactiondetail SET transaction_detail_id = 20 WHERE transaction_detail_id = 2",
    "UPDATE product SET price = 1300.00 WHERE product_id = 1",
    "INSERT INTO userbehavior (behavior_id, customer_id, event_type, metadata, timestamp) VALUES (2, 1, 'search',"
    " '{\"q\": \"mate 🧉\"}', '2026-03-01')",
    "DELETE FROM transaction WHERE transaction_id = 3",
    "DELETE FROM userbehavior WHERE behavior_id = 2",
]

INFINITE = [
    "INSERT INTO transaction VALUES (5, 1, 1, 'infinity', 1, 'card', 'PAID')",
    "INSERT INTO transaction VALUES (6, 1, 1, '-infinity', 1, 'card', 'PAID')",
]

NOT_A_NUMBER = ["INSERT INTO transaction VALUES (7, 1, 1, '2026-03-01', 'NaN', 'card', 'PAID')"]

FULL = "".join(f"ALTER TABLE {name} REPLICA IDENTITY FULL;" for name in ["transaction", "transactiondetail", "product"])

# A shop that another program made: other types, more columns, fewer columns.
FOREIGN = """
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE TABLE transaction (transaction_id numeric(18,0) PRIMARY KEY, buyer_id int, customer_id bigint,
  transaction_date timestamptz, total_amount numeric, status text, paid_at timestamp(3), day date, at time, mood mood,
  tags text[], numbers int[], scan bytea, uid uuid, rate numeric, price money, span interval, note text);
CREATE TABLE userbehavior (behavior_id bigserial PRIMARY KEY, event_type text, "timestamp" timestamp(3), metadata json,
  big text[]);
ALTER TABLE transaction ALTER COLUMN note SET STORAGE EXTERNAL, ALTER COLUMN scan SET STORAGE EXTERNAL,
  ALTER COLUMN tags SET STORAGE EXTERNAL, ALTER COLUMN numbers SET STORAGE EXTERNAL;
"""
FOREIGN_CHANGES = [
    "INSERT INTO transaction VALUES (1, 2, 3, '2026-03-01 13:14:15.123456+02', 3.14159265358979, 'PAID', '2026-03-01 13:14:15.123',"
    " '2026-03-01', '13:14:15.123456', 'sad', '{a,NULL,\"b c\"}', '{1,2}', '\\xdeadbeef',"
    " '8b5d1f0e-3b0c-4a3f-9d3a-6f1d0c1c2b3a', 0.1, 12.34, '1 day 02:03:04', 'short')",
    "INSERT INTO transaction SELECT 2, 2, 3, 'infinity', 1000, 'PAID', '2026-03-01', 'infinity', NULL, NULL,"
    " array_agg('tag ' || n), (SELECT array_agg(m) FROM generate_series(1, 600) AS m), convert_to(repeat('0123456789', 250), 'UTF8'), NULL, 'NaN', NULL, NULL,"
    " repeat('0123456789', 250) FROM generate_series(1, 250) AS n",
    "UPDATE transaction SET status = 'CANCELLED' WHERE transaction_id = 2",
    "DELETE FROM transaction WHERE transaction_id = 2",
    "INSERT INTO userbehavior VALUES (1, 'view', '2026-03-01 13:14:15.123', '{\"x\":\"a\\u0000b\",\"y\":1.0,\"y\":\"\\ud83e\"}')",
    "INSERT INTO userbehavior VALUES (2, 'view', '2026-03-01 13:14:15.123', '{\"x\" : 1e400}')",
]

BARE = {"value.converter.schemas.enable": "false", "key.converter.schemas.enable": "false"}
WITH_SCHEMAS = {"value.converter.schemas.enable": "true", "key.converter.schemas.enable": "true"}
RENAME = {
    "transforms": "route,generation",
    "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
    "transforms.route.regex": "([^.]+)\\.([^.]+)\\.([^.]+)",
    "transforms.route.replacement": "$3",
    "transforms.generation.type": "org.apache.kafka.connect.transforms.InsertHeader",
    "transforms.generation.header": "instashop.generation",
    "transforms.generation.value.literal": "1",
}
OURS = {
    **BARE,
    **RENAME,
    "decimal.handling.mode": "string",
    "time.precision.mode": "microseconds",
    "interval.handling.mode": "string",
    "binary.handling.mode": "base64",
    "tombstones.on.delete": "true",
    "value.converter.replace.null.with.default": "false",
    "key.converter.replace.null.with.default": "false",
    "extended.headers.enabled": "false",
    "heartbeat.interval.ms": "1000",
    "signal.data.collection": "public.debezium_signal",
    "snapshot.isolation.mode": "repeatable_read",
}
FLAT = {
    "transforms": "flat",
    "transforms.flat.type": "io.debezium.transforms.ExtractNewRecordState",
}
SIGNAL = "CREATE TABLE debezium_signal (id varchar(64) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048));"
SNAPSHOT_AGAIN = (
    "INSERT INTO debezium_signal VALUES ('again', 'execute-snapshot',"
    " '{\"data-collections\": [\"public.transaction\"], \"type\": \"incremental\"}')"
)

ALL = [*CHANGES, *INFINITE, *NOT_A_NUMBER]
# For configurations whose records are long.
ONE = BEFORE[3:4]
FEW = [CHANGES[0], CHANGES[1], CHANGES[2], CHANGES[7], *INFINITE]

# name -> settings, tables, rows before, changes. Databases other than `instashop` come from their own cluster.
SCENARIOS = {
    "recommended": dict(settings=OURS, extra_tables=SIGNAL, changes=[*ALL, SNAPSHOT_AGAIN], heartbeats=1),
    "full_identity": dict(settings=OURS, extra_tables=FULL + SIGNAL, changes=CHANGES),
    "defaults": dict(settings=WITH_SCHEMAS, changes=ALL),
    "isostring": dict(settings={**BARE, "time.precision.mode": "isostring", "decimal.handling.mode": "string"}, changes=FEW),
    "connect_double": dict(settings={**BARE, "time.precision.mode": "connect", "decimal.handling.mode": "double"}, changes=ALL),
    "connect_schemas": dict(settings={**WITH_SCHEMAS, "time.precision.mode": "connect", "decimal.handling.mode": "double"},
        before=ONE, changes=FEW),
    "nanoseconds": dict(settings={**BARE, "time.precision.mode": "nanoseconds", "decimal.handling.mode": "string"}, changes=[FEW[0], *INFINITE]),
    "structured": dict(settings={**BARE, "time.precision.mode": "structured", "decimal.handling.mode": "string"}, changes=FEW),
    "precise_bare": dict(settings=BARE, changes=FEW),
    "numeric_format": dict(settings={**WITH_SCHEMAS, "value.converter.decimal.format": "NUMERIC"}, before=ONE, changes=FEW[:3]),
    "flattened": dict(settings={**BARE, **FLAT, "decimal.handling.mode": "string", "time.precision.mode": "microseconds",
        "transforms.flat.delete.tombstone.handling.mode": "rewrite",
        "transforms.flat.add.fields": "op,db,table,lsn,txId,source.ts_ms,source.snapshot"}, changes=CHANGES),
    "flattened_plain": dict(settings={**WITH_SCHEMAS, **FLAT}, before=ONE, changes=FEW),
    "flattened_headers": dict(settings={**BARE, **FLAT, "decimal.handling.mode": "string",
        "transforms.flat.delete.tombstone.handling.mode": "rewrite-with-tombstone",
        "transforms.flat.add.headers": "op,db,table,lsn,source.ts_ms"}, changes=FEW),
    "string_keys": dict(settings={**OURS, "key.converter": "org.apache.kafka.connect.storage.StringConverter"},
        extra_tables=SIGNAL, changes=FEW),
    "traffic": dict(settings={**OURS, "provide.transaction.metadata": "true", "skipped.operations": "none"}, heartbeats=1,
        extra_tables=SIGNAL + "CREATE TABLE invoice (id int PRIMARY KEY);",
        changes=[CHANGES[3], "INSERT INTO invoice VALUES (1)", "TRUNCATE transaction, invoice",
            "SELECT pg_logical_emit_message(true, 'note', 'Ñ')"]),
    "schema_moves": dict(settings=OURS, extra_tables=SIGNAL, changes=[
        "ALTER TABLE transaction ADD COLUMN coupon varchar(20) DEFAULT 'none', ADD COLUMN weight numeric(20,8)",
        "INSERT INTO transaction VALUES (10, 1, 1, '2026-03-01', 1, 'card', 'PAID', 'X', 12345678901.23456789)",
        "ALTER TABLE transaction DROP COLUMN payment_method",
        "UPDATE transaction SET status = 'CANCELLED' WHERE transaction_id = 10",
        "ALTER TABLE transaction RENAME COLUMN total_amount TO total",
        "UPDATE transaction SET status = 'PAID' WHERE transaction_id = 10",
        "DELETE FROM transaction WHERE transaction_id = 10"]),
    "schema_moves_defaults": dict(settings=WITH_SCHEMAS, before=ONE, changes=[
        "ALTER TABLE transaction ADD COLUMN discount numeric(5,3) DEFAULT 10, ALTER COLUMN total_amount TYPE decimal(12,4)",
        "INSERT INTO transaction VALUES (10, 1, 1, '2026-03-01', 1.2345, 'card', 'PAID', NULL)",
        CHANGES[0]]),
    "foreign_defaults": dict(settings=WITH_SCHEMAS, tables=FOREIGN, before=[], changes=FOREIGN_CHANGES),
    "foreign_ours": dict(settings=OURS, tables=FOREIGN + SIGNAL, before=[], changes=FOREIGN_CHANGES),
    # With `base64` an unchanged large bytea arrives as NULL (see foreign_ours); `bytes` sends the placeholder.
    "foreign_bytes": dict(settings={**OURS, "binary.handling.mode": "bytes"}, tables=FOREIGN + SIGNAL, before=[],
        changes=FOREIGN_CHANGES[:4]),
    "crm": dict(settings=OURS, database="crm_db", extra_tables=SIGNAL,
        before=["INSERT INTO segment VALUES (1, 'VIP', '{\"min\": 100}')"],
        changes=["INSERT INTO interaction VALUES (1, 1, 'complaint', 'email', '2026-03-01 10:00', 'open')",
            "INSERT INTO customersegment VALUES (1, 1, 1)", "UPDATE interaction SET status = 'closed'"]),
    "erp": dict(settings=OURS, database="erp_db", extra_tables=SIGNAL, before=["INSERT INTO stock VALUES (1, 1, 10, 5, 'Norte')"],
        changes=["UPDATE stock SET available_quantity = -2",
            "INSERT INTO inventorymovement VALUES (1, 1, '2026-03-01 10:00', 'OUT', 12, 'venta')"]),
    "ecommerce": dict(settings=OURS, database="ecommerce_db", extra_tables=SIGNAL,
        before=["INSERT INTO carrier VALUES (1, 'Correo', NULL, 'T-1')"],
        changes=["INSERT INTO shipment VALUES (1, 1, 1, 'Calle 1', 'standard', 'IN_TRANSIT', '2026-03-05 00:00:00')",
            "UPDATE shipment SET status = 'DELIVERED'"]),
}


class Recorder:
    def __init__(self, config):
        self.config = tomllib.loads(Path(config).read_text())
        self.brokers = self.config["kafka"]["brokers"]
        self.connect = self.config["connect"]["url"]

    def source(self, database):
        return self.config["sources"][database]

    def sql(self, database, text):
        """Runs SQL as the owner, returns what it prints."""
        source = self.source(database)
        environment = {**os.environ, "PGPASSWORD": source["owner_password"]}
        command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", source["host"], "-p", str(source["port"]),
            "-U", source["owner_user"], "-d", source["database"], "-f", "-"]
        done = subprocess.run(command, input=text, env=environment, text=True, capture_output=True)
        if done.returncode:
            sys.exit(f"{text}\n{done.stderr}")
        return done.stdout.strip()

    def rest(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.connect + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            sys.exit(f"{method} {path}: {error.read().decode()}")

    def topics(self):
        consumer = KafkaConsumer(bootstrap_servers=self.brokers)
        try:
            return {topic for topic in consumer.topics() if not topic.startswith("_connect") and topic != "__consumer_offsets"}
        finally:
            consumer.close()

    def clear(self):
        """Removes what the last scenario, or one that failed, left behind."""
        for name in self.rest("GET", "/connectors"):
            self.rest("DELETE", f"/connectors/{name}")
        slots = "SELECT count(*) FROM (SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active) AS gone"
        for database in TABLES:
            until("slots are free", lambda: self.sql(database, slots) is not None
                and self.sql(database, "SELECT count(*) FROM pg_replication_slots") == "0")
        topics = self.topics()
        if topics:
            admin = KafkaAdminClient(bootstrap_servers=self.brokers)
            admin.delete_topics(list(topics))
            admin.close()
            until("topics are gone", lambda: not self.topics())

    def read(self):
        """All records of all topics, by topic, partition and offset."""
        consumer = KafkaConsumer(bootstrap_servers=self.brokers, enable_auto_commit=False, auto_offset_reset="earliest")
        parts = [TopicPartition(topic, part) for topic in self.topics() for part in consumer.partitions_for_topic(topic)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        records = []
        while any(consumer.position(part) < end for part, end in ends.items()):
            for batch in consumer.poll(200).values():
                records += batch
        consumer.close()
        return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))

    def run(self, name, settings, changes, tables=None, extra_tables="", before=BEFORE, database="instashop", heartbeats=0):
        source = self.source(database)
        # Connect keeps offsets by connector name, so every run is a connector of its own.
        file, name = name, f"record_{name}_{int(time.time())}"
        self.clear()
        self.sql(database, "DROP PUBLICATION IF EXISTS cdc; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self.sql(database, (tables or TABLES[database]) + extra_tables)
        self.sql(database, "; ".join(before) + "; CREATE PUBLICATION cdc FOR ALL TABLES")
        connector = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "tasks.max": "1",
            "plugin.name": "pgoutput",
            "topic.prefix": {"instashop": "instashop"}.get(database, database.removesuffix("_db")),
            "slot.name": name,
            "publication.name": "cdc",
            "publication.autocreate.mode": "disabled",
            "database.hostname": source["host"],
            "database.port": str(source["port"]),
            "database.user": source["owner_user"],
            "database.password": source["owner_password"],
            "database.dbname": source["database"],
            "poll.interval.ms": "10",
            "table.exclude.list": "public.debezium_signal",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "topic.creation.default.replication.factor": "1",
            "topic.creation.default.partitions": "2",
            **settings,
        }
        self.rest("PUT", f"/connectors/{name}/config", connector)

        def state():
            status = self.rest("GET", f"/connectors/{name}/status") or {}
            for task in status.get("tasks", []):
                if task["state"] == "FAILED":
                    sys.exit(f"{name}: {task['trace']}")
            return status.get("tasks")

        def arrived(prefix):
            """Asks for a mark in the log and looks whether it came out at the other end."""
            state()
            slot = self.sql(database, f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{name}' AND active")
            if slot:
                self.sql(database, f"DO $$ BEGIN PERFORM pg_logical_emit_message(false, '{prefix}', ''); END $$")
            return any(prefix.encode() in (record.key or b"") for record in self.read())

        until(f"{name} streams", lambda: arrived("record_begin"))
        for change in changes:
            self.sql(database, change)
        until(f"{name} is through", lambda: arrived("record_end"))
        if SNAPSHOT_AGAIN in changes:
            until("the second snapshot", lambda: sum(b'"incremental"' in (r.value or b"") for r in self.read()) >= 4)
        if heartbeats:
            until("heartbeats", lambda: any(r.topic.startswith("__debezium-heartbeat") for r in self.read()))
        records = self.read()
        self.write(file, records, heartbeats)

    def write(self, name, records, heartbeats):
        lines = []
        for record in records:
            if b"record_begin" in (record.key or b"") or b"record_end" in (record.key or b""):
                continue
            if record.topic.startswith("__debezium-heartbeat"):
                heartbeats -= 1
                if heartbeats < 0:
                    continue
            lines.append(json.dumps({
                "topic": record.topic,
                "partition": record.partition,
                "key": text(record.key),
                "value": text(record.value),
                "headers": [[name, text(value)] for name, value in record.headers],
                "timestamp": record.timestamp,
            }, ensure_ascii=False))
        (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} records", flush=True)


def text(data):
    if data is None or isinstance(data, str):
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited {seconds} s: {what}")
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="instashop.toml of a running stack (instashop-dev stack up)")
    parser.add_argument("scenario", nargs="*", help="only these")
    arguments = parser.parse_args()
    recorder = Recorder(arguments.config)
    for name in arguments.scenario or SCENARIOS:
        recorder.run(name, **SCENARIOS[name])


if __name__ == "__main__":
    main()
