//! `sandbox`: a cluster in this process, until Ctrl-C.

use std::io;
use std::path::Path;

use tokio::runtime::Runtime;

use super::{Ended, one};
use crate::cli::SandboxArgs;
use crate::error::Error;
use crate::sandbox::{Fault, Sandbox};
use crate::survey::Saved;
use crate::terminal::{print, print_aside, shown};

pub(super) fn sandbox(args: &SandboxArgs) -> Ended {
    let faults = faults(&args.faults)?;
    let like = args.like.as_deref().map(read).transpose().map_err(one)?;
    let failed = |e: io::Error| one(Error::failed("the sandbox can't be started").cause(e));
    let runtime = Runtime::new().map_err(failed)?;
    runtime.block_on(async {
        let sandbox = match &like {
            Some(survey) => {
                let (sandbox, doubts) = Sandbox::like(survey, args.port).await.map_err(failed)?;
                for doubt in doubts {
                    print_aside(&format!("note: {}", shown(&doubt)));
                }
                sandbox
            }
            None => start(args).await.map_err(failed)?,
        };
        for Wrong { fault, .. } in faults {
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

async fn start(args: &SandboxArgs) -> io::Result<Sandbox> {
    match args.port {
        Some(port) => {
            let ports: Vec<u16> = (0..3).filter_map(|n| port.checked_add(n)).collect();
            Sandbox::start_on(args.scenario, &ports).await
        }
        None => Sandbox::start(args.scenario).await,
    }
}

fn read(file: &Path) -> Result<Saved, Error> {
    let unusable = |why: &dyn std::fmt::Display| {
        Error::usage(format!("{} is no survey that can be used", file.display()))
            .cause(why)
            .hint("`elysia-runbook survey > FILE` makes one")
    };
    let text = std::fs::read_to_string(file).map_err(|e| unusable(&e))?;
    Saved::parse(&text).map_err(|why| unusable(&why))
}

/// Something that is to go wrong.
pub(super) struct Wrong {
    /// As it was given.
    pub(super) spec: String,
    pub(super) fault: Fault,
}

/// Reads what is to go wrong.
pub(super) fn faults(specs: &[String]) -> Result<Vec<Wrong>, Vec<Error>> {
    let read = |spec: &String| {
        let wrong = |e| Error::usage(format!("`--fault {spec}` can't be understood")).cause(e);
        let fault = spec.parse::<Fault>().map_err(|e: String| one(wrong(e)))?;
        Ok(Wrong { spec: spec.clone(), fault })
    };
    specs.iter().map(read).collect()
}
