//! What can go wrong, for whom, with which exit code and hint.
//!
//! Three tiers. A [`Failure`] is the world's fault: a script may catch it. A
//! [`Stop`] ends a run whatever the script says. An [`Error`] is what a command
//! ends with. Nothing here prints; wording lives in one `Display` per type.

use std::fmt;

/// The fixed word for a kind of [`Failure`]; scripts see it as `err.error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// What was asked for is not there.
    NotFound,
    /// No answer: refused, timed out, cut off.
    Unreachable,
    /// It could not be found out; never to be taken for 0, absent or fine.
    Unverifiable,
    /// Somebody or something else changed what is being worked on.
    Conflict,
    /// An argument that cannot be right.
    Invalid,
    /// The key was missing, wrong, or not permitted (401, 403).
    Denied,
    /// The server understood a change and did not make it.
    Rejected,
    /// An answer that could not be understood, or no Weaviate at all.
    Unexpected,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::NotFound,
        Self::Unreachable,
        Self::Unverifiable,
        Self::Conflict,
        Self::Invalid,
        Self::Denied,
        Self::Rejected,
        Self::Unexpected,
    ];

    /// Returns the word as scripts, journals and NDJSON carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unreachable => "unreachable",
            Self::Unverifiable => "unverifiable",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Rejected => "rejected",
            Self::Unexpected => "unexpected",
        }
    }
}

/// Something a primitive could not do; a map with these keys in a script's `catch`.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The kind.
    pub code: Code,
    /// One sentence fragment in lower case.
    pub message: String,
    /// The node that it happened at, by the name of `--node`.
    pub node: Option<String>,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// What the operator can do.
    pub hint: Option<String>,
}

impl Failure {
    /// Returns a failure of this kind without node, status and hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), node: None, status: None, hint: None }
    }

    /// Adds what the operator can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// What ends a run at once; scripts cannot catch it.
#[derive(Debug, Clone)]
pub enum Stop {
    /// The operator said no, the runbook called `abort`, or the host refused.
    Refused {
        /// What was refused, in one sentence fragment.
        message: String,
        /// Every reason there is, one each.
        reasons: Vec<String>,
        /// What the operator can do.
        hints: Vec<String>,
    },
    /// A signal arrived.
    Interrupted(Signal),
    /// The journal or a backup could not be written: going on would be blind.
    Disk(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { message, .. } | Self::Disk(message) => f.write_str(message),
            Self::Interrupted(signal) => write!(f, "interrupted by {signal}"),
        }
    }
}

impl std::error::Error for Stop {}

/// A signal that asks a run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What service managers send.
    Terminate,
    /// The terminal went away.
    Hangup,
}

impl Signal {
    /// Returns the exit code: 128 and the signal's number.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        })
    }
}

/// Why a door did not open: a failure that may be caught, or a stop that may not.
#[derive(Debug, Clone)]
pub enum Halt {
    /// May be caught by the script.
    Failure(Failure),
    /// Ends the run.
    Stop(Stop),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure(failure) => failure.fmt(f),
            Self::Stop(stop) => stop.fmt(f),
        }
    }
}

/// A place in a runbook: what an excerpt is drawn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as the operator knows it.
    pub file: String,
    /// Its whole text.
    pub text: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1; 0 means the whole line.
    pub column: usize,
}

impl Place {
    /// Returns the bytes of the word that is there, which may be none; a place has a point and no length.
    #[must_use]
    pub fn span(&self) -> std::ops::Range<usize> {
        let line_start: usize =
            self.text.split_inclusive('\n').take(self.line.saturating_sub(1)).map(str::len).sum();
        let line = self.text[line_start.min(self.text.len())..].lines().next().unwrap_or_default();
        let before: usize =
            line.chars().take(self.column.saturating_sub(1)).map(char::len_utf8).sum();
        let word: usize = line[before..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .map(char::len_utf8)
            .sum();
        let start = line_start + before;
        let length = match (self.column, word) {
            (0, _) => line.len(),
            (_, 0) => line[before..].chars().next().map_or(0, char::len_utf8),
            (_, word) => word,
        };
        start..start + length
    }
}

/// Whose fault an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line or the configuration.
    Usage,
    /// The runbook: it does not pass `check`.
    Runbook,
    /// The world.
    Failed,
}

impl Kind {
    /// Returns the exit code of `docs/exit-codes.md`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Runbook => 3,
        }
    }
}

/// What a command ends with when it can't do its work.
#[derive(Debug, Clone)]
pub struct Error {
    /// Whose fault it is.
    pub kind: Kind,
    /// Lower-case fragment, names in back-ticks, no full stop.
    pub message: String,
    /// Where in a runbook.
    pub place: Option<Box<Place>>,
    /// What led to it, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}

impl Error {
    /// Returns an error in the command line or the configuration.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Returns an error in a runbook.
    #[must_use]
    pub fn runbook(message: impl Into<String>) -> Self {
        Self::new(Kind::Runbook, message)
    }

    /// Returns a failure of the world.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), place: None, causes: vec![], hints: vec![] }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what led to it.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds where in a runbook it is.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(Box::new(place));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
