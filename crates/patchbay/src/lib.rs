//! Patchbay: a communications CRM in one program on PostgreSQL.
//!
//! Start reading at `docs/ARCHITECTURE.md`. Every folder is a feature or a room that all features share;
//! inside, `mod.rs` holds types and operations, `sql.rs` the SQL, `api.rs` the JSON, `ui.rs` the HTML,
//! `view.rs` what pages show, `jobs.rs` what workers do, `tests.rs` the tests.

mod app;
mod audit;
mod auth;
mod backup;
mod bench;
mod campaigns;
pub mod cli;
mod config;
mod consent;
mod contacts;
mod crash;
mod dashboard;
mod db;
mod demo;
mod environment;
mod error;
mod fence;
#[cfg(fuzzing)]
pub mod fuzzing;
mod health;
mod ids;
mod imports;
mod ingest;
mod links;
mod messaging;
mod notifications;
mod openapi;
mod parked;
mod pilot;
mod privacy;
mod providers;
mod quotes;
mod realtime;
mod reports;
mod secrets;
mod segments;
mod serve;
mod start;
mod telemetry;
mod templates;
mod tenants;
#[cfg(test)]
mod tests;
mod time;
mod web;
mod workers;
