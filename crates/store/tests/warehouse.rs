//! The warehouse against a real PostgreSQL that this binary starts for itself and ends with itself.

#![cfg(feature = "stack-tests")]

mod warehouse {
    mod audit;
    mod boards;
    mod cluster;
    mod commit;
    mod daily;
    mod faults;
    mod forecast;
    mod marts;
    mod migrations;
    mod original;
    mod plans;
    mod proxy;
    mod reader;
    mod refusals;
    mod replays;
    mod roles;
    mod semantic;
    mod shop;
    mod sources;
}
