//! A copy of a shipped runbook, beside the shipped one.

use std::path::Path;

use crate::runbook::{Source, built_in};
use crate::terminal::{Styles, diff};

/// A runbook of a person's own that has the name of a shipped one.
pub(super) struct Copy<'a> {
    source: &'a Source,
    shipped: Source,
}

impl<'a> Copy<'a> {
    /// Returns the copy that a runbook is; `None` where it has a name of its own, or is built in.
    pub(super) fn of(source: &'a Source) -> Option<Self> {
        source.folder.as_ref()?;
        let name = Path::new(&source.display).file_stem()?.to_str()?;
        Some(Self { source, shipped: built_in(name)? })
    }

    /// Says whether it is as it was shipped with this version.
    pub(super) fn verdict(&self) -> &'static str {
        if self.is_same() { "same as the shipped one" } else { "differs from the shipped one" }
    }

    fn is_same(&self) -> bool {
        self.source.text == self.shipped.text
    }

    /// Returns what was changed, from the shipped one to this; nothing where nothing was.
    pub(super) fn difference(&self, styles: Styles) -> String {
        diff(("shipped", &self.shipped.text), (&self.source.display, &self.source.text), styles)
    }
}
