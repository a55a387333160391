//! `elysia-runbook` repairs Weaviate clusters with short scripts that cannot lose data.
//!
//! A run goes one way through the rooms: [`commands`] reads the command line and
//! wires the rest together; [`runbook`] finds and checks the script; [`host`]
//! gives it its words; every word goes through one of the two doors of a
//! [`session`], `read` or `change`; the session looks at the cluster by
//! [`survey`], moves objects by [`transfer`], asks its guard, writes the
//! [`journal`], and sends the request by [`weaviate`]. What happens is said as
//! [`event`]s, which the [`terminal`] and the journal only listen to; from the
//! journal a [`report`] is made of a run of the past. Tests of runbooks are
//! written in the words of [`testing`], and run the same way.

pub mod change;
pub mod cli;
pub mod commands;
pub mod completion;
pub mod error;
pub mod event;
mod examples;
pub mod forecast;
pub mod host;
pub mod issue;
pub mod journal;
pub mod report;
pub mod runbook;
pub mod sandbox;
pub mod session;
pub mod survey;
pub mod terminal;
pub mod testing;
pub mod text;
pub mod transfer;
pub mod weaviate;
