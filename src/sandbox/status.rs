//! In what state a replica of a shard is, as `/v1/nodes` and `…/shards` say it.
//!
//! Only the words; what a state forbids is in `replica`.

/// The state of a replica. It is the node's own, and not kept over a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShardStatus {
    /// Nothing is wrong.
    #[default]
    Ready,
    /// Nothing can be written or deleted.
    ReadOnly,
    /// Vectors wait for the index.
    Indexing,
    /// The replica is opened when it is first needed.
    LazyLoading,
}

impl ShardStatus {
    /// Returns the server's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            ShardStatus::Ready => "READY",
            ShardStatus::ReadOnly => "READONLY",
            ShardStatus::Indexing => "INDEXING",
            ShardStatus::LazyLoading => "LAZY_LOADING",
        }
    }

    /// Reads a word that `PUT /v1/schema/CLASS/shards/SHARD` takes.
    pub(super) fn settable(word: &str) -> Option<ShardStatus> {
        let all = [ShardStatus::Ready, ShardStatus::ReadOnly, ShardStatus::Indexing];
        all.into_iter().find(|status| status.word() == word)
    }
}
