//! The report of a run: one page for people who were not there, or a text for the incident's ticket.
//!
//! Pure: records of a journal become a model, and the model becomes HTML or Markdown. Knows no
//! terminal, no cluster and no folder; whatever it is given may be hostile.

mod builder;
mod grid;
mod html;
mod markdown;
mod model;
mod time;

pub use grid::{ClassGrid, Grid, Holding, ShardGrid};
pub use html::html;
pub use markdown::markdown;
pub use model::{
    Answered, End, Entry, Kind, Part, Report, SavedFile, SentChange, Source, State, Tone,
};
