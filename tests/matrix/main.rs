//! The fault matrix: everything that a runbook asks of the cluster and of the disk goes wrong in each
//! way, and the process dies before and after each of them. Nothing is lost, and the report is true.
//!
//! `MATRIX_CASES` says how many cases each of the tests here draws (without it some dozens, `all` for
//! every one), `MATRIX_JOB` of which runbook (`Repair`, `Recreate`, …), `MATRIX_SEED` from which seed,
//! which is printed.

#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "tests")]

mod disk;
mod draw;
mod job;
mod killed;
mod requests;
#[path = "../support/mod.rs"]
mod support;
