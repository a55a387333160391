//! What happens to one request: it waits for a node that hangs, meets its
//! fault, changes the world, is answered, and is written down.
//!
//! Knows neither sockets nor endpoints.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::auto_schema;
use super::call::{Call, Payload, Reply};
use super::class::class_name;
use super::cluster::Cluster;
use super::door::{Answer, Cut, Pace, held};
use super::fault::Action;
use super::routes;
use super::world::Power;

/// Handles a request that reached the node `at`.
pub(super) async fn hold(cluster: &Arc<Cluster>, at: usize, call: &Call) -> Result<Answer, Cut> {
    awake(&mut cluster.power(at)).await?;
    let entry = cluster.note(at, call);
    let action = held(&cluster.rules).action(&cluster.name(at), call);
    let pace = match action {
        Some(Action::Trickle) => Pace::Trickling,
        Some(Action::CutBody) => Pace::Broken,
        Some(Action::Endless) => Pace::Endless,
        _ => Pace::Whole,
    };
    let reply = match action {
        None => now(cluster, at, call)?,
        Some(action) => faulty(cluster, at, call, action).await?,
    };
    match reply {
        Reply::Cut => Err(Cut),
        Reply::Hang => std::future::pending().await,
        Reply::Answer { status, body } => {
            cluster.answered(entry, status);
            Ok(Answer { status, body, pace })
        }
    }
}

async fn faulty(
    cluster: &Arc<Cluster>,
    at: usize,
    call: &Call,
    action: Action,
) -> Result<Reply, Cut> {
    match action {
        Action::Refuse => Err(Cut),
        Action::Hang => Ok(Reply::Hang),
        Action::HangAfter => now(cluster, at, call).and(Ok(Reply::Hang)),
        Action::Trickle | Action::CutBody => now(cluster, at, call),
        Action::Endless => Ok(answer(200, "[\"and so on\",".to_owned())),
        Action::Write => {
            write(cluster, at);
            now(cluster, at, call)
        }
        Action::LoseLeader(time) => {
            held(&cluster.world).leaderless = true;
            let weak = Arc::downgrade(cluster);
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                if let Some(cluster) = weak.upgrade() {
                    held(&cluster.world).leaderless = false;
                }
            });
            now(cluster, at, call)
        }
        Action::CutAfter => now(cluster, at, call).and(Err(Cut)),
        Action::Delay(time) => {
            tokio::time::sleep(time).await;
            now(cluster, at, call)
        }
        Action::Answer { status, body, effect } => {
            if effect {
                now(cluster, at, call)?;
            }
            Ok(answer(status, body))
        }
        Action::Malformed => Ok(answer(200, "{\"broken\":".to_owned())),
        Action::ClassReappears => {
            let reply = now(cluster, at, call)?;
            bring_back(cluster, at, call);
            Ok(reply)
        }
        Action::StopNode(node) => {
            cluster.set_power(&node, Power::Stopped);
            now(cluster, at, call)
        }
        Action::HangNode(node) => {
            cluster.set_power(&node, Power::Hanging);
            awake(&mut cluster.power(at)).await?;
            now(cluster, at, call)
        }
    }
}

/// Lets the endpoint answer, at one moment; a node that was just killed does not.
fn now(cluster: &Arc<Cluster>, at: usize, call: &Call) -> Result<Reply, Cut> {
    let mut world = held(&cluster.world);
    if world.nodes[at].power == Power::Stopped {
        return Err(Cut);
    }
    Ok(routes::answer(&mut world, at, call))
}

/// Waits while the node hangs.
async fn awake(power: &mut watch::Receiver<Power>) -> Result<(), Cut> {
    let power = power.wait_for(|power| *power != Power::Hanging).await.map_err(|_| Cut)?;
    if *power == Power::Stopped { Err(Cut) } else { Ok(()) }
}

fn answer(status: u16, body: String) -> Reply {
    if body.starts_with(['{', '[']) {
        return Reply::Answer { status, body: Some(Payload::Json(body)) };
    }
    if body.is_empty() {
        return Reply::empty(status);
    }
    Reply::error(status, &body)
}

/// A writer sends an object for each class, which those that take no writes refuse.
fn write(cluster: &Arc<Cluster>, at: usize) {
    let classes: Vec<String> = held(&cluster.world).nodes[at].schema.keys().cloned().collect();
    for class in classes {
        let object = json!({ "class": class }).to_string();
        // Whether it is acknowledged is the writer's concern.
        let _ = now(cluster, at, &Call::new("POST", "/v1/objects", false, object.into()));
    }
}

/// A writer that knows nothing of the deletion writes its next object.
fn bring_back(cluster: &Arc<Cluster>, at: usize, call: &Call) {
    let Some(class) = call.path.strip_prefix("/v1/schema/").filter(|_| call.method == "DELETE")
    else {
        return;
    };
    let mut world = held(&cluster.world);
    let day = auto_schema::today(&mut world);
    // Nothing to do where it fails: then no class came back.
    let _ = auto_schema::make(&mut world, at, &class_name(class), Some(&json!({})), &day);
}
