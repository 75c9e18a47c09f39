//! Decoding of Debezium records through the public interface: the pitfalls of docs/cdc section 4, recordings of a real
//! connector, and properties.

mod pitfalls;
mod properties;
mod recording;
mod support;
