//! Errors as text: message, the line of the runbook with a caret, causes, hints.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::print_aside;
use super::style::{Styles, shown};
use crate::error::{Error, Place};

/// Prints errors to stderr.
pub fn print_errors(errors: &[Error]) {
    let coloured = Styles::for_stderr().coloured;
    for error in errors {
        print_aside(&error_text(error, coloured));
    }
}

/// Returns an error as text.
#[must_use]
pub fn error_text(error: &Error, coloured: bool) -> String {
    render(&if coloured { Renderer::styled() } else { Renderer::plain() }, error)
}

fn render(renderer: &Renderer, error: &Error) -> String {
    let message = shown(&error.message);
    let mut group: Group = match &error.place {
        Some(place) => Level::ERROR.primary_title(message).element(excerpt(place)),
        None => Group::with_title(Level::ERROR.primary_title(message)),
    };
    for cause in &error.causes {
        group = group.element(Level::NOTE.message(shown(cause)));
    }
    for hint in &error.hints {
        group = group.element(Level::HELP.message(shown(hint)));
    }
    renderer.render(&[group])
}

fn excerpt(place: &Place) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    Snippet::source(place.text.as_str())
        .path(place.file.as_str())
        .annotation(AnnotationKind::Primary.span(span(place)))
}

/// Returns the bytes of the word at a place; a place has a point and no length.
fn span(place: &Place) -> std::ops::Range<usize> {
    let line_start: usize =
        place.text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
    let line = place.text[line_start.min(place.text.len())..].lines().next().unwrap_or_default();
    let before: usize = line.chars().take(place.column.saturating_sub(1)).map(char::len_utf8).sum();
    let word: usize = line[before..]
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .map(char::len_utf8)
        .sum();
    let start = line_start + before;
    let length = match (place.column, word) {
        (0, _) => line.len(),
        (_, 0) => line[before..].chars().next().map_or(0, char::len_utf8),
        (_, word) => word,
    };
    start..start + length
}
