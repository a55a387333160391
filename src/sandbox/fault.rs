//! Faults: which request goes wrong, and how.
//!
//! Only chooses; what an action does to a request is in `conversation`, how a
//! fault is written on the command line in `fault_spec`.

use std::time::Duration;

use super::call::Call;

/// A rule: requests that match it go wrong. What is `None` matches everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The node that was asked.
    pub node: Option<String>,
    /// `GET`, `POST`, …
    pub method: Option<String>,
    /// The whole path; `*` in it stands for any text. The query belongs to it only if the
    /// pattern has a `?`.
    pub path: Option<String>,
    /// Only the nth matching request, from 1; every one for `None`.
    pub occurrence: Option<usize>,
    /// Only some of the matching requests, drawn.
    pub chance: Option<Chance>,
    /// What happens.
    pub action: Action,
}

/// How many of the requests, drawn from a seed: the same ones each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// Of a hundred.
    pub percent: u8,
    /// Where the drawing starts.
    pub seed: u64,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The connection closes without an answer, and nothing was done.
    Refuse,
    /// It is done, and the connection closes without an answer.
    CutAfter,
    /// It is done and answered, later.
    Delay(Duration),
    /// Nothing is done, and no answer comes, ever.
    Hang,
    /// It is done, and no answer comes, ever.
    HangAfter,
    /// It is done, and the answer comes byte by byte.
    Trickle,
    /// It is done, and the answer breaks off in its middle.
    CutBody,
    /// Nothing is done, and an answer comes that has no end.
    Endless,
    /// A writer adds an object to each class before it is done.
    Write,
    /// The RAFT leader is lost before it is done, and another is elected after this time.
    LoseLeader(Duration),
    /// This answer comes instead of the real one.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body; a text that is not JSON becomes the message of an error.
        body: String,
        /// Whether the request is done nevertheless.
        effect: bool,
    },
    /// 200 with JSON that ends too early, and nothing was done.
    Malformed,
    /// It is done; if it deleted a class, a writer brings the class back by auto-schema,
    /// with factor 1, before the answer.
    ClassReappears,
    /// This node is killed before the request is done.
    StopNode(String),
    /// This node hangs before the request is done.
    HangNode(String),
}

/// The faults of a sandbox.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    fault: Fault,
    /// How many requests it fits.
    matched: usize,
    /// How many of them went wrong by it.
    struck: usize,
}

impl Rules {
    /// Adds a rule.
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(Rule { fault, matched: 0, struck: 0 });
    }

    /// Returns what happens to a request: the first rule whose turn it is decides.
    pub(super) fn action(&mut self, node: &str, call: &Call) -> Option<Action> {
        let mut chosen = None;
        for Rule { fault, matched, struck } in &mut self.0 {
            if fault.matches(node, call) {
                *matched += 1;
                let is_drawn = fault.chance.is_none_or(|chance| chance.draws(*matched));
                let is_meant = fault.occurrence.is_none_or(|nth| nth == *matched) && is_drawn;
                if is_meant && chosen.is_none() {
                    *struck += 1;
                    chosen = Some(fault.action.clone());
                }
            }
        }
        chosen
    }

    /// Returns how often each struck, in the order in which they were added.
    pub(super) fn strikes(&self) -> Vec<usize> {
        self.0.iter().map(|rule| rule.struck).collect()
    }
}

impl Chance {
    /// Tells whether the nth request is drawn.
    fn draws(self, nth: usize) -> bool {
        let seed = self.seed.wrapping_add((nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        fastrand::Rng::with_seed(seed).u8(..100) < self.percent
    }
}

impl Fault {
    fn matches(&self, node: &str, call: &Call) -> bool {
        let path = self.path.as_deref().is_none_or(|pattern| {
            let path = if pattern.contains('?') { &call.path_and_query } else { &call.path };
            fits(pattern, path)
        });
        path && self.node.as_deref().is_none_or(|name| name == node)
            && self.method.as_deref().is_none_or(|method| method == call.method)
    }
}

/// Returns whether a text fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.any(|at| fits(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_whole_paths() {
        assert!(fits("/v1/schema", "/v1/schema"));
        assert!(!fits("/v1/schema", "/v1/schema/A"));
        assert!(fits("/v1/schema*", "/v1/schema/A"));
        assert!(fits("/v1/*/A", "/v1/schema/A"));
        assert!(!fits("/v1/*/A", "/v1/schema/B"));
        assert!(fits("*", ""));
    }

    #[test]
    fn counts_what_matches() {
        let mut rules = Rules::default();
        rules.add("POST:/v1/schema:2=refuse".parse().expect("a fault"));
        let call = Call::new("POST", "/v1/schema", false, hyper::body::Bytes::new());
        let actions: Vec<_> = (0..3).map(|_| rules.action("node1", &call)).collect();
        assert_eq!(actions, [None, Some(Action::Refuse), None]);
        assert_eq!(rules.strikes(), [1]);
    }
}
