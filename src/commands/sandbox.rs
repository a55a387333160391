//! `sandbox`: a cluster in this process, until Ctrl-C.

use tokio::runtime::Runtime;

use super::{Ended, one};
use crate::cli::SandboxArgs;
use crate::error::Error;
use crate::sandbox::{Fault, Sandbox};
use crate::terminal::print;

pub(super) fn sandbox(args: &SandboxArgs) -> Ended {
    let faults = args
        .faults
        .iter()
        .map(|spec| {
            spec.parse::<Fault>().map_err(|e| {
                one(Error::usage(format!("`--fault {spec}` can't be understood")).cause(e))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let failed = |e: std::io::Error| one(Error::failed("the sandbox can't be started").cause(e));
    let runtime = Runtime::new().map_err(failed)?;
    runtime.block_on(async {
        let sandbox = match args.port {
            Some(port) => {
                let ports: Vec<u16> = (0..3).filter_map(|n| port.checked_add(n)).collect();
                Sandbox::start_on(args.scenario, &ports).await
            }
            None => Sandbox::start(args.scenario).await,
        }
        .map_err(failed)?;
        for fault in faults {
            sandbox.inject(fault);
        }
        let nodes = sandbox.nodes();
        for (name, url) in &nodes {
            print(&format!("{name} {url}"));
        }
        let urls: Vec<_> = nodes.iter().map(|(_, url)| url.as_str()).collect();
        print(&format!("ELYSIA_RUNBOOK_NODES={}", urls.join(",")));
        tokio::signal::ctrl_c().await.map_err(failed)?;
        Ok(0)
    })
}
