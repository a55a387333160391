//! What became of tests as `JUnit` XML, as CI servers read it.

use std::fmt::Write as _;
use std::time::Duration;

/// One test that was run.
#[derive(Debug)]
pub struct Case {
    /// The file that it is in.
    pub file: String,
    /// Its title.
    pub title: String,
    /// How long it took.
    pub took: Duration,
    /// What did not hold, in words; empty: it passed.
    pub failures: Vec<String>,
    /// Everything that is shown of a failure.
    pub details: String,
    /// What its runs said.
    pub output: String,
}

/// Returns the tests as `JUnit` XML, those of a file as one suite.
#[must_use]
pub fn junit(cases: &[Case]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(xml, "<testsuites name=\"elysia-runbook\"{}>", counts(cases));
    for suite in cases.chunk_by(|a, b| a.file == b.file) {
        let file = escaped(&suite[0].file);
        let _ = writeln!(xml, "  <testsuite name=\"{file}\"{}>", counts(suite));
        for case in suite {
            let _ = write!(
                xml,
                "    <testcase classname=\"{file}\" name=\"{}\" time=\"{:.3}\"",
                escaped(&case.title),
                case.took.as_secs_f64()
            );
            if case.failures.is_empty() {
                xml.push_str("/>\n");
                continue;
            }
            let _ = writeln!(
                xml,
                ">\n      <failure message=\"{}\">{}</failure>\n      <system-out>{}</system-out>\n    </testcase>",
                escaped(&case.failures.join("; ")),
                escaped(&case.details),
                escaped(&case.output)
            );
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn counts(cases: &[Case]) -> String {
    let failed = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let took: Duration = cases.iter().map(|case| case.took).sum();
    format!(" tests=\"{}\" failures=\"{failed}\" time=\"{:.3}\"", cases.len(), took.as_secs_f64())
}

/// Returns text for an element or an attribute. What XML can't carry, not even escaped, is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let case = Case {
            file: "a_test.rhai".into(),
            title: "\"<b>\" & \u{1b}[2J".into(),
            took: Duration::from_millis(1500),
            failures: vec!["expected <1>".into()],
            details: "]]></failure>".into(),
            output: "said".into(),
        };
        let xml = junit(&[case]);
        assert!(
            xml.contains("name=\"&quot;&lt;b&gt;&quot; &amp; \u{fffd}[2J\" time=\"1.500\""),
            "{xml}"
        );
        assert!(xml.contains(">]]&gt;&lt;/failure&gt;</failure>"), "{xml}");
        assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
    }
}
