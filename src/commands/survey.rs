//! `survey`: one close look at the cluster, as a file that a sandbox can be made like.

use std::collections::BTreeSet;

use tokio::runtime::Runtime;

use super::execute::runtime;
use super::place::Place;
use super::{Ended, one};
use crate::cli::SurveyArgs;
use crate::error::Error;
use crate::survey::{Saved, Survey};
use crate::terminal::{print, print_aside, shown};
use crate::weaviate::Cluster;

pub(super) fn survey(args: &SurveyArgs) -> Ended {
    let runtime = runtime().map_err(one)?;
    let place = Place::find(&args.target, &runtime).map_err(one)?;
    let (survey, saved) = take(&place.cluster, &runtime).map_err(one)?;
    for (node, error) in survey.silent() {
        print_aside(&format!("warning: `{node}` {}", shown(&error.reason())));
    }
    print(saved.text().trim_end());
    Ok(0)
}

/// Looks closely at a cluster.
pub(super) fn take(cluster: &Cluster, runtime: &Runtime) -> Result<(Survey, Saved), Error> {
    runtime.block_on(async {
        let survey = Survey::take(cluster, &BTreeSet::new()).await;
        if survey.answered().next().is_none() {
            let mut error = Error::failed("no node can be used");
            error.causes =
                survey.silent().map(|(node, why)| format!("`{node}` {}", why.reason())).collect();
            return Err(error);
        }
        let saved = Saved::closely(cluster, &survey).await;
        Ok((survey, saved))
    })
}
