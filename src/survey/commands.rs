//! Commands that an operator can run as they are, for this cluster.

use crate::weaviate::shell_word;

/// How the operator reaches the cluster.
#[derive(Debug, Clone, Default)]
pub struct Commands {
    /// What the program needs to find the cluster again: ` --cluster prod`; empty for the default.
    pub target: String,
    /// What `curl` needs to reach it, without the key itself.
    pub curl_options: String,
}

impl Commands {
    /// Returns the command that runs a shipped runbook.
    #[must_use]
    pub fn run(&self, runbook: &str, parameters: &[(&str, &str)]) -> String {
        let mut command = format!("elysia-runbook run {runbook}");
        for (name, value) in parameters {
            command.push_str(" --set ");
            command.push_str(&shell_word(&format!("{name}={value}")));
        }
        command.push_str(&self.target);
        command
    }

    /// Returns the command that sends one request to a node; `data` is a text or `@FILE`.
    #[must_use]
    pub fn curl(&self, method: &str, url: &str, path: &str, data: Option<&str>) -> String {
        let options = &self.curl_options;
        let target = shell_word(&format!("{url}{path}"));
        match data {
            Some(data) => format!(
                "curl -X {method} {target}{options} -H 'Content-Type: application/json' -d {}",
                shell_word(data)
            ),
            None => format!("curl -X {method} {target}{options}"),
        }
    }

    /// Returns what to do where nodes have come apart.
    #[must_use]
    pub fn way_out(&self) -> String {
        format!(
            "restart nothing and change nothing yet, as classes can vanish by it; the way out, as \
             commands for this cluster: {}",
            self.run("diagnose-raft", &[])
        )
    }

    /// Returns what gives a class another factor: one that holds no object is created anew, any
    /// other is copied in place.
    #[must_use]
    pub fn raise(&self, class: &str, factor: u64, objects: Option<u64>) -> String {
        let factor = factor.to_string();
        let parameters = [("class", class), ("factor", &*factor)];
        match objects {
            Some(0) => self.run("config-replication", &parameters),
            Some(_) => self.run("scale-replicas", &parameters),
            None => format!(
                "first see to it that its objects can be counted; then, as it may hold some: {}",
                self.run("scale-replicas", &parameters)
            ),
        }
    }
}
