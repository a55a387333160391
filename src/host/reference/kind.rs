//! Kinds of values, as whoever writes a runbook knows them. Knows Rust's names for them, and no format.

use std::fmt;

use serde::{Serialize, Serializer};

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `"…"`
    Text,
    /// A number without fractions.
    Int,
    /// A number with fractions.
    Float,
    /// `true` or `false`.
    Bool,
    /// `[…]`
    List,
    /// `#{ … }`
    Map,
    /// `|…| …`
    Function,
    /// `()`, which stands for nothing or unknown.
    Unit,
    /// One of several.
    Any,
}

impl Kind {
    /// Returns the kind of a type as Rhai prints it.
    pub(super) fn of(rust: &str) -> Self {
        let rust: String = rust.chars().filter(|c| !c.is_whitespace()).collect();
        let thrown = rust.strip_prefix("Throws<").and_then(|rest| rest.strip_suffix('>'));
        match thrown.unwrap_or(&rust) {
            "&str" | "ImmutableString" | "String" => Self::Text,
            "INT" => Self::Int,
            "FLOAT" => Self::Float,
            "bool" => Self::Bool,
            "Array" => Self::List,
            "Map" => Self::Map,
            "FnPtr" => Self::Function,
            "()" | "" => Self::Unit,
            _ => Self::Any,
        }
    }

    /// Returns the word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::List => "list",
            Self::Map => "map",
            Self::Function => "function",
            Self::Unit => "()",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
