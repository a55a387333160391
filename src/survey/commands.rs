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
    pub fn raise(&self, url: &str, class: &str, factor: u64, objects: Option<u64>) -> String {
        match objects {
            Some(0) => {
                let factor = factor.to_string();
                self.run("config-replication", &[("class", class), ("factor", &factor)])
            }
            Some(_) => self.scale(url, class, factor),
            None => format!(
                "first see to it that its objects can be counted; then, as it may hold some: {}",
                self.scale(url, class, factor)
            ),
        }
    }

    /// Returns the commands that make the server copy what a class lacks, and then tell its schema.
    fn scale(&self, url: &str, class: &str, factor: u64) -> String {
        let options = &self.curl_options;
        let scale =
            format!("{url}/v1/replication/scale?collection={class}&replicationFactor={factor}");
        let scale = shell_word(&scale);
        let schema = shell_word(&format!("{url}/v1/schema/{class}"));
        let json = "-H 'Content-Type: application/json' -d @-";
        let status = self.run("diagnose-shards", &[("class", class)]);
        format!(
            "curl -fsS {scale}{options} | curl -fsS -X POST {scale}{options} {json}; when {status} \
             shows every replica: curl -fsS {schema}{options} | sed \
             's/\"factor\":[0-9]*/\"factor\":{factor}/' | curl -fsS -X PUT {schema}{options} {json}"
        )
    }
}
