//! Faults as text, for `sandbox --fault SPEC`.
//!
//! Knows the grammar and nothing of what a fault does.

use std::str::FromStr;
use std::time::Duration;

use super::fault::{Action, Chance, Fault};

const ACTIONS: &str = "`refuse`, `cut-after`, `cut-body`, `hang`, `hang-after`, `trickle`, `endless`, \
                       `malformed`, `class-reappears`, `write`, `delay TIME`, `leader-lost TIME`, \
                       `stop NODE`, `hang NODE`, `STATUS [BODY]`, or `done STATUS [BODY]`";

/// Reads `[NODE:][METHOD:]PATH[:NTH|:PERCENT%[SEED]]=ACTION`.
///
/// - `NODE` is the name of the node asked, `METHOD` is in capitals. Both may be left out.
/// - `PATH` is the whole path; `*` in it stands for any text: `/v1/schema/*`.
/// - `NTH` is the one matching request that is meant, from 1. Without it, every one.
/// - `PERCENT%SEED`: so many of a hundred matching requests, the same ones for the same `SEED`.
/// - `ACTION` is one of
///   - `refuse`: close the connection, do nothing
///   - `cut-after`: do it, then close the connection without an answer
///   - `delay 500ms`, `delay 2s`: answer later
///   - `cut-body`: do it, then break the answer off in its middle
///   - `hang`: do nothing and never answer; `hang-after`: do it and never answer
///   - `trickle`: do it, and answer byte by byte
///   - `endless`: do nothing, and answer without an end
///   - `422 no such vectorizer`: answer this, do nothing; a body that begins with `{` or
///     `[` is sent as it is, any other text is the message of an error
///   - `done 500 timeout`: the same, but do it
///   - `malformed`: answer 200 with broken JSON, do nothing
///   - `class-reappears`: do it; a class deleted so is brought back with factor 1
///   - `write`: a writer adds an object to each class, then do it
///   - `leader-lost 5s`: the leader is lost for so long, then do it
///   - `stop node2`, `hang node2`: that node is killed, or hangs, before it is done
///
/// ```
/// use elysia_runbook::sandbox::Fault;
///
/// let fault: Fault = "node2:POST:/v1/schema:1=422 no such vectorizer".parse()?;
/// assert_eq!(fault.occurrence, Some(1));
/// let fault: Fault = "DELETE:/v1/schema/*:1=cut-after".parse()?;
/// assert_eq!(fault.node, None);
/// # Ok::<(), String>(())
/// ```
impl FromStr for Fault {
    type Err = String;

    fn from_str(spec: &str) -> Result<Fault, String> {
        let wrong = |why: &str| format!("fault `{spec}`: {why}");
        let (request, action) = spec
            .split_once('=')
            .ok_or_else(|| wrong("expected `[NODE:][METHOD:]PATH[:NTH]=ACTION`"))?;
        let mut fault = Fault {
            node: None,
            method: None,
            path: None,
            occurrence: None,
            chance: None,
            action: self::action(action.trim()).map_err(|why| wrong(&why))?,
        };
        for part in request.trim().split(':') {
            if part.starts_with('/') || part.starts_with('*') {
                set(&mut fault.path, part.to_owned(), "path")
            } else if let Some((percent, seed)) = part.split_once('%') {
                let chance = chance(percent, seed).ok_or_else(|| {
                    wrong("`PERCENT%SEED` is a number to 100, and one for the drawing")
                })?;
                set(&mut fault.chance, chance, "chance")
            } else if part.starts_with(|c: char| c.is_ascii_digit()) {
                let nth = part.parse().ok().filter(|&nth| nth > 0);
                let nth = nth.ok_or_else(|| wrong("`NTH` is a number from 1"))?;
                set(&mut fault.occurrence, nth, "number")
            } else if !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase()) {
                set(&mut fault.method, part.to_owned(), "method")
            } else if !part.is_empty() {
                set(&mut fault.node, part.to_owned(), "node")
            } else {
                Err("an empty part between colons".to_owned())
            }
            .map_err(|why| wrong(&why))?;
        }
        if fault.path.is_none() {
            return Err(wrong("a path is missing, such as `/v1/schema` or `*` for every one"));
        }
        Ok(fault)
    }
}

fn chance(percent: &str, seed: &str) -> Option<Chance> {
    let percent = percent.parse().ok().filter(|percent| *percent <= 100)?;
    let seed = if seed.is_empty() { 0 } else { seed.parse().ok()? };
    Some(Chance { percent, seed })
}

fn set<T>(part: &mut Option<T>, value: T, what: &str) -> Result<(), String> {
    match part.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("more than one {what}")),
    }
}

fn action(text: &str) -> Result<Action, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let action = match (word, rest) {
        ("refuse", "") => Action::Refuse,
        ("cut-after", "") => Action::CutAfter,
        ("cut-body", "") => Action::CutBody,
        ("hang", "") => Action::Hang,
        ("hang-after", "") => Action::HangAfter,
        ("trickle", "") => Action::Trickle,
        ("endless", "") => Action::Endless,
        ("write", "") => Action::Write,
        ("leader-lost", time) => Action::LoseLeader(duration(time)?),
        ("malformed", "") => Action::Malformed,
        ("class-reappears", "") => Action::ClassReappears,
        ("delay", time) => Action::Delay(duration(time)?),
        ("stop", node) if !node.is_empty() => Action::StopNode(node.to_owned()),
        ("hang", node) => Action::HangNode(node.to_owned()),
        ("done", answer) => self::answer(answer, true)?,
        _ if word.starts_with(|c: char| c.is_ascii_digit()) => self::answer(text, false)?,
        _ => return Err(format!("unknown action `{text}`; expected {ACTIONS}")),
    };
    Ok(action)
}

fn answer(text: &str, effect: bool) -> Result<Action, String> {
    let (status, body) = text.split_once(' ').unwrap_or((text, ""));
    let status = status.parse().ok().filter(|status| (200..600).contains(status));
    let status = status.ok_or("a status is a number from 200 to 599")?;
    Ok(Action::Answer { status, body: body.trim().to_owned(), effect })
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) =
        text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len()));
    let millis = match (number.parse::<u64>(), unit) {
        (Ok(number), "ms") => number,
        (Ok(number), "s") => number.saturating_mul(1000),
        _ => return Err("a time is a number with `ms` or `s`, such as `500ms`".to_owned()),
    };
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(spec: &str) -> String {
        spec.parse::<Fault>().expect_err("no fault")
    }

    #[test]
    fn reads_every_part() {
        let fault: Fault = "node2:POST:/v1/schema:1=done 503 a = b".parse().expect("a fault");
        assert_eq!(
            fault,
            Fault {
                node: Some("node2".into()),
                method: Some("POST".into()),
                path: Some("/v1/schema".into()),
                occurrence: Some(1),
                chance: None,
                action: Action::Answer { status: 503, body: "a = b".into(), effect: true },
            }
        );
        let fault: Fault = "*=delay 2s".parse().expect("a fault");
        assert_eq!(fault.action, Action::Delay(Duration::from_secs(2)));
        let fault: Fault = "*=hang node3".parse().expect("a fault");
        assert_eq!(fault.action, Action::HangNode("node3".into()));
        let fault: Fault = "GET:*:5%42=trickle".parse().expect("a fault");
        assert_eq!(fault.chance, Some(Chance { percent: 5, seed: 42 }));
        let fault: Fault = "*=leader-lost 5s".parse().expect("a fault");
        assert_eq!(fault.action, Action::LoseLeader(Duration::from_secs(5)));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(error("refuse"), "fault `refuse`: expected `[NODE:][METHOD:]PATH[:NTH]=ACTION`");
        assert!(error("GET:1=refuse").contains("a path is missing"));
        assert!(error("/a:0=refuse").contains("a number from 1"));
        assert!(error("/a:101%1=refuse").contains("a number to 100"));
        assert!(error("/a:/b=refuse").contains("more than one path"));
        assert!(error("/a=explode").contains("unknown action `explode`; expected `refuse`"));
        assert!(error("/a=delay soon").contains("such as `500ms`"));
        assert!(error("/a=done 99").contains("from 200 to 599"));
    }
}
