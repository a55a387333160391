//! The number of objects of a class, given only when every shard was counted.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::emptiness::unseen;
use super::{Emptiness, Replicas, Survey, look_for_objects};
use crate::error::{Code, Failure};
use crate::weaviate::{Cluster, Tenant};

/// Counts the objects of a class. Objects of replicas that differ are counted where there are
/// most.
///
/// # Errors
///
/// `unverifiable` with every reason, where not every shard could be counted.
pub async fn count(
    cluster: &Cluster,
    survey: &Survey,
    replicas: &Replicas,
    class: &str,
    tenants: Option<&[Tenant]>,
) -> Result<u64, Failure> {
    // An empty class is proven empty also where the server can't count it.
    match look_for_objects(cluster, survey, replicas, class, tenants).await {
        Emptiness::Empty => return Ok(0),
        Emptiness::Unknown(reasons) => return Err(unverifiable(class, &reasons)),
        Emptiness::Objects(_) => {}
    }
    let mut reasons = unseen(survey, replicas);
    for tenant in tenants.unwrap_or_default().iter().filter(|tenant| !tenant.is_active()) {
        reasons.push(format!("tenant `{}` is {}", tenant.name, tenant.activity_status));
    }
    if !reasons.is_empty() {
        return Err(unverifiable(class, &reasons));
    }
    let mut most = 0;
    for node in cluster.nodes() {
        let counted = match tenants {
            None => node.aggregate(class, None).await,
            Some(tenants) => {
                stream::iter(tenants)
                    .map(|tenant| node.aggregate(class, Some(&tenant.name)))
                    .buffer_unordered(16)
                    .try_fold(0, |sum, count| async move { Ok(sum + count) })
                    .await
            }
        };
        match counted {
            Ok(counted) => most = most.max(counted),
            Err(error) => reasons.push(format!("`{}` {}", node.name(), error.reason())),
        }
    }
    if reasons.is_empty() { Ok(most) } else { Err(unverifiable(class, &reasons)) }
}

fn unverifiable(class: &str, reasons: &[String]) -> Failure {
    Failure::new(
        Code::Unverifiable,
        format!("the objects of `{class}` could not be counted: {}", reasons.join("; ")),
    )
    .hint("unknown is not 0: objects may lie where nobody can look now")
}
