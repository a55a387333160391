//! What a dry run came to, as text.

use owo_colors::OwoColorize;
use serde_json::Value;

use super::diff::diff;
use super::style::{Styles, shown};
use crate::forecast::{ClassChange, ClassState, Forecast, Sent};
use crate::text::count;

/// Returns it as lines.
pub(super) fn text(forecast: &Forecast, styles: Styles) -> String {
    let mut lines = vec![];
    let requests: usize = forecast.requests.iter().map(|sent| sent.times).sum();
    if requests == 0 {
        lines.push("It would send no changing request.".into());
    } else {
        lines.push(format!("It would send {}:", count(requests, "changing request")));
        lines.extend(forecast.requests.iter().map(sent));
    }
    if forecast.classes.is_empty() {
        lines.push("Every class would be as it was.".into());
    } else {
        lines.push("What would be otherwise:".into());
        lines.extend(forecast.classes.iter().map(|change| class(change, styles)));
    }
    lines.push("What a dry run can't tell:".into());
    lines.extend(forecast.unpredictable.iter().map(|it| format!("  - {}", shown(it))));
    lines.join("\n")
}

fn sent(sent: &Sent) -> String {
    let Sent { method, path, body, nodes, times, failed } = sent;
    let more = match body {
        Some(body) => format!(" with {}", shown(body)),
        None => String::new(),
    };
    let times = if *times > 1 { format!(", {times} times") } else { String::new() };
    let failed = match failed {
        None => String::new(),
        Some(0) => " (no answer here)".into(),
        Some(status) => format!(" (answered {status} here)"),
    };
    format!("  {method} {} to {}{times}{more}{failed}", shown(path), nodes.join(", "))
}

fn class(change: &ClassChange, styles: Styles) -> String {
    let name = shown(&change.class);
    let (before, after) = match (&change.before, &change.after) {
        (None, Some(after)) => return format!("  {name} would be there: {}", state(after)),
        (Some(_), None) => {
            return format!("  {}", format!("{name} would be gone").style(styles.bad));
        }
        (Some(before), Some(after)) => (before, after),
        (None, None) => return format!("  {name}"),
    };
    let mut lines = vec![if state(before) == state(after) {
        format!("  {name}: {}", state(after))
    } else {
        format!("  {name}: {} → {}", state(before), state(after))
    }];
    let pretty = |definition: &Value| {
        // Servers give the same definition in another order.
        let mut definition = definition.clone();
        definition.sort_all_objects();
        let mut text = serde_json::to_string_pretty(&definition).unwrap_or_default();
        text.push('\n');
        text
    };
    let (old, new) = (pretty(&before.definition), pretty(&after.definition));
    let difference = diff(("before", &old), ("after", &new), styles);
    lines.extend(difference.lines().map(|line| format!("    {line}")));
    lines.join("\n")
}

fn state(state: &ClassState) -> String {
    let ClassState { nodes, replicas, objects, .. } = state;
    let replicas = match replicas {
        Some(replicas) => format!(", {} of each shard", count(*replicas, "replica")),
        None => String::new(),
    };
    format!("on {}{replicas}, {}", nodes.join(", "), count(*objects, "object"))
}
