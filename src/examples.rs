//! Examples at the end of each command's `--help`, and in the manual. A test sees to it that the command
//! line takes every one.

pub(crate) const ALL: &str = "\
Examples:
  elysia-runbook run cluster-health --cluster prod         what is wrong
  elysia-runbook list                                      what can be done about it
  elysia-runbook run config-replication --cluster prod --dry-run
  elysia-runbook run config-replication --cluster prod
  elysia-runbook rollback                                  undo the newest run
  elysia-runbook run config-replication --sandbox          a look without a cluster";

pub(crate) const RUN: &str = "\
Examples:
  elysia-runbook run cluster-health --cluster prod
  elysia-runbook run config-replication --cluster prod --dry-run
  elysia-runbook run config-replication --cluster prod --step
  elysia-runbook run scale-replicas --set class=Article --set factor=3 \\
      --node node1=http://10.0.0.1:8080 \\
      --node node2=http://10.0.0.2:8080 \\
      --node node3=http://10.0.0.3:8080
  elysia-runbook run config-replication --sandbox \\
      --fault 'POST:/v1/schema:2=500 disk full'

Ends with 0 if all is well, 4 if problems were found, 5 if it was refused,
6 if it failed and everything was put back, 7 if a person must act:
docs/exit-codes.md has them all.";

pub(crate) const SHOW: &str = "\
Example:
  elysia-runbook show config-replication";

pub(crate) const CHECK: &str = "\
Examples:
  elysia-runbook check                                     all that `list` shows
  elysia-runbook check runbooks/mine.rhai
  elysia-runbook check runbooks --strict --output json     a folder, for an editor or CI";

pub(crate) const API: &str = "\
Examples:
  elysia-runbook api                                       everything
  elysia-runbook api count delete_class
  elysia-runbook api --format definitions > elysia.d.rhai";

pub(crate) const TEST: &str = "\
Examples:
  elysia-runbook test
  elysia-runbook test runbooks/mine_test.rhai --filter 'put back'
  elysia-runbook test runbooks --junit report.xml";

pub(crate) const NEW: &str = "\
Example:
  elysia-runbook new runbooks/reindex                      and its test";

pub(crate) const EJECT: &str = "\
Example:
  elysia-runbook eject config-replication";

pub(crate) const RESUME: &str = "\
Examples:
  elysia-runbook resume                                    the newest run that did not end
  elysia-runbook resume 20261122-0517";

pub(crate) const ROLLBACK: &str = "\
Examples:
  elysia-runbook rollback                                  the newest run that changed something
  elysia-runbook rollback 20261122-0517";

pub(crate) const RUNS: &str = "\
Examples:
  elysia-runbook runs
  elysia-runbook runs show 20261122-0517
  elysia-runbook runs report 20261122-0517 --html run.html";

pub(crate) const SURVEY: &str = "\
Example:
  elysia-runbook survey --cluster prod > broken.json";

pub(crate) const SANDBOX: &str = "\
Examples:
  elysia-runbook sandbox split-raft --port 9080
  elysia-runbook sandbox --like broken.json
  elysia-runbook sandbox healthy --fault 'node2:POST:/v1/schema:1=cut-after'

A fault is [NODE:]METHOD:PATH[:NTH]=WHAT. NODE is a RAFT name, `*` in PATH
stands for any text, NTH is the one matching request that is meant, from 1.
WHAT is one of
  refuse, cut-after, cut-body     no answer, done and no answer, half of one
  hang, hang-after, delay 2s      never, done and never, later
  422 no module, done 500 oops    this answer instead, or although it is done
  malformed, trickle, endless     broken JSON, byte by byte, without an end
  class-reappears, write          a writer brings the class back, writes objects
  leader-lost 5s, stop node2, hang node2";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  source <(elysia-runbook completions bash)
  elysia-runbook completions fish > ~/.config/fish/completions/elysia-runbook.fish";

pub(crate) const MAN: &str = "\
Example:
  elysia-runbook man | man -l -";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::cli::Cli;

    /// Returns the commands of an example, each on one line.
    fn commands(text: &str) -> Vec<String> {
        let joined = text.replace("\\\n", " ");
        let lines = joined.lines().filter_map(|line| line.split_once("elysia-runbook "));
        // What follows many spaces is a remark.
        let words = lines.map(|(_, rest)| rest.split("     ").next().unwrap_or_default());
        words.map(|it| it.split(['>', '|', ')']).next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn every_example_is_a_command() {
        let mut command = Cli::command();
        command.build();
        let all: Vec<&clap::Command> =
            std::iter::once(&command).chain(command.get_subcommands()).collect();
        let mut tried = 0;
        for shown in all.iter().filter(|it| it.get_name() != "help") {
            let name = shown.get_name();
            let help = shown.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = commands(&help);
            assert!(name == "list" || !examples.is_empty(), "{name} has no example");
            for example in examples {
                let quoted = example.split('\'').enumerate().flat_map(|(nth, part)| {
                    let words =
                        if nth % 2 == 1 { vec![part] } else { part.split_whitespace().collect() };
                    words.into_iter().map(str::to_owned).collect::<Vec<_>>()
                });
                let words = std::iter::once("elysia-runbook".to_owned()).chain(quoted);
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{name}: {example}: {error}");
                }
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried}");
    }
}
