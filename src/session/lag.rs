//! How long an object takes to reach each replica after its write was answered.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::json;

use super::Session;
use super::object::new_id;
use crate::error::{Code, Failure, Halt};
use crate::survey::doors;
use crate::weaviate::{Level, Node, ObjectName, Replica};

/// How long is waited between two looks at a replica.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// What became of one object.
#[derive(Debug, Clone, Serialize)]
pub struct Lag {
    /// The object's id; it is there until it is deleted.
    pub id: String,
    /// Each node that should get it.
    pub nodes: Vec<Arrival>,
}

/// When one replica had the object.
#[derive(Debug, Clone, Serialize)]
pub struct Arrival {
    /// The node's RAFT name.
    pub node: String,
    /// Milliseconds from the answer to the write until this node's own replica was seen to have
    /// it; `None` where it did not in time.
    pub milliseconds: Option<f64>,
}

impl Session {
    /// Inserts an object without properties with consistency ONE into a class with one shard, and
    /// looks every 2 ms, for at most as long as an answer may take, when each replica has it.
    ///
    /// # Errors
    ///
    /// As for [`Self::insert_object`]; `invalid` for a class with several shards or with tenants;
    /// `unverifiable` where the write was made without a clean answer.
    pub fn replica_lag(&self, class: &str) -> Result<Lag, Halt> {
        let replicas = self.replicas(class)?;
        let [shard] = &replicas.shards[..] else {
            let shards = replicas.shards.len();
            let message = format!("`{class}` has {shards} shards; only one can be measured");
            return Err(Failure::new(Code::Invalid, message)
                .hint("create a probe class with shardingConfig: #{ desiredCount: 1 }")
                .into());
        };
        let holders = if shard.planned.is_empty() { &shard.held } else { &shard.planned };
        let object = ObjectName { class: class.into(), id: new_id(), tenant: None };
        let arrivals = RefCell::new(None);
        self.insert(&object, &json!({}), async |node, survey| {
            node.insert_object(&object, &json!({}), Level::One).await?;
            let answered = Instant::now();
            let doors = doors(&self.cluster, survey, class);
            let watching = join_all(holders.iter().enumerate().map(async |(nth, holder)| {
                let seen = self.arrival(&doors, nth, &object, holder);
                let seen = tokio::time::timeout(self.cluster.answer_timeout(), seen).await;
                let milliseconds = seen.ok().map(|at| rounded(at - answered));
                Arrival { node: holder.clone(), milliseconds }
            }));
            let seen = tokio::select! {
                seen = watching => Some(seen),
                () = self.interrupt.arrival() => None,
            };
            *arrivals.borrow_mut() = seen;
            Ok(())
        })?;
        self.check_interrupt()?;
        let nodes = arrivals.into_inner().ok_or_else(|| {
            Failure::new(
                Code::Unverifiable,
                format!("{object} was inserted without a clean answer, so there is no lag of it"),
            )
        })?;
        Ok(Lag { id: object.id, nodes })
    }

    /// Looks until a replica has the object, through the node itself where it is known which that
    /// is, else through each node in turn.
    async fn arrival(
        &self,
        doors: &[&Node],
        nth: usize,
        object: &ObjectName,
        holder: &str,
    ) -> Instant {
        let own = doors.iter().find(|node| node.name() == holder);
        for turn in nth.. {
            let door = own.unwrap_or_else(|| &doors[turn % doors.len()]);
            if let Ok(Replica::Copy(_)) = door.replica(object, holder).await {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Instant::now()
    }
}

fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
