//! The rooms of `elysia-runbook`.

pub mod sandbox;
