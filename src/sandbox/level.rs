//! `consistency_level`: how many replicas must take part.
//!
//! Only counts; which replicas these are is in `replica`.

/// How many replicas must take part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Level {
    One,
    #[default]
    Quorum,
    All,
}

impl Level {
    /// Reads the query parameter `consistency_level`.
    pub(super) fn parse(text: &str) -> Result<Level, String> {
        match text {
            "" | "QUORUM" => Ok(Level::Quorum),
            "ONE" => Ok(Level::One),
            "ALL" => Ok(Level::All),
            other => Err(format!(
                "unrecognized consistency level '{other}', try one of the following: ['ONE', \
                 'QUORUM', 'ALL']"
            )),
        }
    }

    /// Returns the server's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Level::One => "ONE",
            Level::Quorum => "QUORUM",
            Level::All => "ALL",
        }
    }

    /// Of the replicas that can be found, that is, not of those planned: with a node
    /// gone, `ALL` means the others.
    pub(super) fn of(self, visible: usize) -> usize {
        match self {
            Level::One => 1,
            Level::Quorum => visible / 2 + 1,
            Level::All => visible,
        }
    }
}
