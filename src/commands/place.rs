//! Where a run happens: a real cluster or the sandbox, and the lock on it.

use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::sandbox::Wrong;
use super::target::{self, Target};
use super::twin::Twin;
use crate::cli::TargetArgs;
use crate::error::{Error, Stop};
use crate::event::NamedNode;
use crate::journal::{Home, Lock, Locked};
use crate::sandbox::Sandbox;
use crate::survey::Commands;
use crate::weaviate::{Access, Cluster};

/// Where a run happens.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    /// The sandbox, where it is one.
    pub(super) sandbox: Option<InProcess>,
    /// The twin of a cluster, where a dry run happens.
    pub(super) twin: Option<Twin>,
    pub(super) commands: Commands,
    /// Each node's address, the same however it was written.
    addresses: Vec<String>,
}

/// A sandbox that lives as long as the run on it.
pub(super) struct InProcess {
    /// Its scenario.
    pub(super) name: String,
    sandbox: Rc<Sandbox>,
    /// What was to go wrong, as it was given.
    faults: Vec<String>,
}

impl InProcess {
    /// Returns the faults that struck nothing.
    pub(super) fn harmless(&self) -> Vec<String> {
        harmless(&self.faults, &self.sandbox)
    }
}

/// Returns the faults that struck nothing, as they were given.
pub(super) fn harmless(faults: &[String], sandbox: &Sandbox) -> Vec<String> {
    let struck = faults.iter().zip(sandbox.strikes());
    struck.filter(|(_, times)| *times == 0).map(|(spec, _)| spec.clone()).collect()
}

impl Place {
    /// Finds the place that the command line means.
    pub(super) fn find(args: &TargetArgs, runtime: &Runtime) -> Result<Self, Error> {
        let Some(scenario) = args.sandbox else {
            return Self::real(target::find(args)?, target::flags(args));
        };
        let sandbox = runtime
            .block_on(Sandbox::start(scenario))
            .map_err(|e| Error::failed("the sandbox can't be started").cause(e))?;
        // Nobody else writes to it.
        let drain = Duration::from_secs(args.drain.unwrap_or(0));
        let access = Access { drain, rate: args.rate, ..Access::default() };
        Self::sandbox(Rc::new(sandbox), &scenario.to_string(), &access)
    }

    /// Returns the place that is a sandbox, which others may look at.
    pub(super) fn sandbox(
        sandbox: Rc<Sandbox>,
        name: &str,
        access: &Access,
    ) -> Result<Self, Error> {
        let nodes = sandbox
            .nodes()
            .into_iter()
            .map(|(name, url)| Ok((name, reqwest::Url::parse(&url)?)))
            .collect::<Result<Vec<_>, url::ParseError>>()
            .map_err(|e| Error::failed("the sandbox has no address").cause(e))?;
        let cluster = Cluster::new(nodes, access)?;
        let commands =
            Commands { target: format!(" --sandbox={name}"), curl_options: String::new() };
        let sandbox = Some(InProcess { name: name.into(), sandbox, faults: vec![] });
        Ok(Self { cluster, sandbox, twin: None, commands, addresses: vec![] })
    }

    /// Finds the place of a run of the past, unless the command line means another.
    pub(super) fn again(
        args: &TargetArgs,
        cluster: Option<&String>,
        nodes: &[NamedNode],
        runtime: &Runtime,
    ) -> Result<Self, Error> {
        let given = !args.nodes.is_empty() || args.cluster.is_some() || args.sandbox.is_some();
        if given {
            return Self::find(args, runtime);
        }
        let nodes = nodes.iter().map(|node| format!("{}={}", node.name, node.url)).collect();
        let (nodes, cluster) = match cluster {
            Some(_) => (vec![], cluster.cloned()),
            None => (nodes, None),
        };
        let args = TargetArgs { nodes, cluster, drain: args.drain, rate: args.rate, sandbox: None };
        Self::find(&args, runtime)
    }

    fn real(target: Target, flags: String) -> Result<Self, Error> {
        let addresses = target.addresses();
        let cluster = Cluster::new(target.nodes, &target.access)?;
        let commands = Commands { target: flags, curl_options: target.access.curl_options() };
        Ok(Self { cluster, sandbox: None, twin: None, commands, addresses })
    }

    /// Returns the twin of this place: called by the same names and addresses, in this process.
    pub(super) fn twin(self, faults: Vec<Wrong>, runtime: &Runtime) -> Result<Self, Error> {
        let (twin, cluster) = Twin::of(&self.cluster, faults, runtime)?;
        Ok(Self { cluster, twin: Some(twin), addresses: vec![], ..self })
    }

    /// Lets requests to the sandbox go wrong.
    pub(super) fn inject(&mut self, faults: Vec<Wrong>) {
        let Some(sandbox) = &mut self.sandbox else { return };
        for Wrong { spec, fault } in faults {
            sandbox.sandbox.inject(fault);
            sandbox.faults.push(spec);
        }
    }

    /// Takes the lock on the cluster; the sandbox and a twin are this process's own.
    pub(super) fn lock(&self, home: &Home, run: &str) -> Result<Option<Lock>, Stop> {
        if self.sandbox.is_some() || self.twin.is_some() {
            return Ok(None);
        }
        Lock::take(home, &self.addresses, run).map(Some).map_err(|locked| match locked {
            Locked::By(holder) => Stop::Refused {
                message: "another run is changing this cluster".into(),
                reasons: vec![match holder {
                    Some(holder) => format!(
                        "run {} in process {} has the lock since {}",
                        holder.run, holder.process, holder.since
                    ),
                    None => "it has only just taken the lock".into(),
                }],
                hints: vec!["wait until it has ended; the lock ends with its process".into()],
            },
            Locked::Disk(error) => Stop::Disk(format!("the lock can't be taken: {error}")),
        })
    }
}
