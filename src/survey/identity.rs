//! Which node of `--node` is which of RAFT where no server tells: the names are given out so that what
//! each node has in its own schema and what the cluster says that it holds fit best.

use std::collections::BTreeSet;

use super::{Saved, Survey};

/// Of more nodes the orders are not all tried; they are taken as they come.
const MOST_TRIED: usize = 7;

/// How little a node fits a name, least is best.
type Misfit = usize;

impl Survey {
    /// Gives every node without a RAFT name the one that it is taken for, as far as there are any.
    pub(super) fn take_for(&self, saved: &mut Saved) {
        let known: BTreeSet<&str> =
            self.nodes.iter().filter_map(|seen| self.raft_name(&seen.node)).collect();
        let topology = self.topology();
        let mut free: Vec<&str> = topology.iter().map(|node| node.node.as_str()).collect();
        free.retain(|name| !known.contains(name));
        // One that does not answer is in no list but that of the members: the same name is its own.
        for node in saved.nodes.iter_mut().filter(|node| node.raft_name.is_none()) {
            if let Some(at) = free.iter().position(|name| *name == node.node) {
                node.raft_name = Some(free.remove(at).to_owned());
            }
        }
        let unnamed = |at: &usize| saved.nodes[*at].raft_name.is_none();
        let (answering, silent): (Vec<usize>, Vec<usize>) =
            (0..self.nodes.len()).filter(unnamed).partition(|at| self.nodes[*at].view.is_ok());
        let mut names = self.fitting(&answering, &free);
        free.retain(|name| !names.contains(name));
        names.extend(free);
        for (at, name) in answering.into_iter().chain(silent).zip(names) {
            saved.nodes[at].taken_for = Some(name.to_owned());
        }
    }

    /// Returns the names for these nodes, in their order, that fit best.
    fn fitting<'a>(&self, nodes: &[usize], free: &[&'a str]) -> Vec<&'a str> {
        if nodes.len() > MOST_TRIED || free.len() > MOST_TRIED {
            return free.iter().take(nodes.len()).copied().collect();
        }
        let held: Vec<BTreeSet<&str>> = free.iter().map(|name| self.held_by(name)).collect();
        let misfits: Vec<Vec<Misfit>> = nodes
            .iter()
            .map(|node| held.iter().map(|held| self.misfit(*node, held)).collect())
            .collect();
        let (_, chosen) = best(&misfits, &(0..free.len()).collect::<Vec<_>>());
        chosen.into_iter().map(|at| free[at]).collect()
    }

    /// Returns the classes of which the cluster says that the node of this name holds something.
    fn held_by(&self, name: &str) -> BTreeSet<&str> {
        self.answered()
            .flat_map(|(_, view)| &view.statuses)
            .filter(|status| status.name == name)
            .flat_map(|status| status.shards.iter().map(|shard| shard.class.as_str()))
            .collect()
    }

    fn misfit(&self, node: usize, held: &BTreeSet<&str>) -> Misfit {
        let Ok(view) = &self.nodes[node].view else { return 0 };
        let own: BTreeSet<&str> = view.own_schema.keys().map(String::as_str).collect();
        // What a node holds is in its schema; what is in its schema may be held by others.
        2 * held.difference(&own).count() + own.difference(held).count()
    }
}

/// Returns which of the free names each node gets, so that they fit best; of several ways the first.
fn best(misfits: &[Vec<Misfit>], free: &[usize]) -> (Misfit, Vec<usize>) {
    let Some((first, rest)) = misfits.split_first() else { return (0, vec![]) };
    let ways = free.iter().enumerate().map(|(at, name)| {
        let others = [&free[..at], &free[at + 1..]].concat();
        let (misfit, mut names) = best(rest, &others);
        names.insert(0, *name);
        (misfit + first[*name], names)
    });
    // `min_by_key` takes the first of equals.
    ways.min_by_key(|(misfit, _)| *misfit).unwrap_or_default()
}
