//! Errors as text: message, the line of the runbook with a caret, causes, hints.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, Title};

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

/// Prints what is no error, and is told like one, to stderr: with its code.
pub fn print_warning(code: &str, warning: &Error) {
    let title = Level::WARNING.primary_title(shown(&warning.message)).id(code);
    print_aside(&render(Styles::for_stderr().coloured, title, warning));
}

/// Returns an error as text.
#[must_use]
pub fn error_text(error: &Error, coloured: bool) -> String {
    render(coloured, Level::ERROR.primary_title(shown(&error.message)), error)
}

fn render(coloured: bool, title: Title, error: &Error) -> String {
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
    let mut group: Group = match &error.place {
        Some(place) => title.element(excerpt(place)),
        None => Group::with_title(title),
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
        .annotation(AnnotationKind::Primary.span(place.span()))
}
