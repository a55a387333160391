//! The same objects compared on every replica: properties with references, vectors, tenant.
//!
//! All nodes are read side by side in the order of the ids, page by page, each from its own
//! replicas. What differs is asked for again, replica by replica, until it differs no more or has
//! stayed as it is: an object that is being written is no difference.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::Value;

use super::{Holdings, Survey, read};
use crate::weaviate::{
    Cluster, Error, Node, ObjectName, PageAt, Replica, Tenant, as_bytes, content, uuid,
};

/// Objects in one page: bounded memory, whatever the size of a class.
const PAGE: usize = 200;

/// Objects in one page of a sample: a sample of many places tells more than one of few.
const SAMPLE_PAGE: usize = 20;

/// How many differing objects are asked for again and told.
const MOST: usize = 200;

/// How often, and after how long, an object that differs is asked for again.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(600);

/// How many objects to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Every one.
    All,
    /// So many, at places drawn at random.
    Some(usize),
}

/// What comparing came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Objects that were compared.
    pub objects: u64,
    /// Objects that differ, each told once for all replicas.
    pub differences: Vec<Difference>,
    /// How many more differ.
    pub more: usize,
    /// What could not be compared.
    pub unknown: Vec<String>,
    /// Tenants that are not active, whose objects nobody can read.
    pub inactive: usize,
}

impl Comparison {
    /// Adds what became of an object that differed: it does still, it does not any more, or it could
    /// not be read. No more are kept than are told.
    pub fn add(&mut self, looked_at: Result<Option<Difference>, String>) {
        match looked_at {
            Ok(None) => {}
            Ok(Some(difference)) if self.differences.len() < MOST => {
                self.differences.push(difference);
            }
            Ok(Some(_)) => self.more += 1,
            Err(error) => {
                self.unknown.push(format!("an object, as it could not be read: {error}"));
            }
        }
    }
}

/// One object that is not the same on every replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its id.
    pub id: String,
    /// Its tenant, in a multi-tenant class.
    pub tenant: Option<String>,
    /// The shards that it can be in: one, where that can be told.
    pub shards: BTreeSet<String>,
    /// What each replica has, by RAFT name: `missing`, or what differs.
    pub replicas: BTreeMap<String, String>,
}

/// Compares the objects of a class, or those of each of its active tenants.
pub async fn compare(
    cluster: &Cluster,
    survey: &Survey,
    class: &str,
    tenants: Option<&[Tenant]>,
    sample: Sample,
) -> Comparison {
    let mut found = Comparison::default();
    for (node, error) in survey.silent() {
        found.unknown.push(format!("what `{node}` holds: {}", error.reason()));
    }
    for member in survey.unseen_members() {
        found.unknown.push(format!("what {member} holds, which can't be seen"));
    }
    let scope = Comparing::new(cluster, survey, class);
    if scope.nodes.is_empty() {
        return found;
    }
    match tenants {
        None => scope.run(None, sample, &mut found).await,
        Some(tenants) => {
            found.inactive = tenants.iter().filter(|tenant| !tenant.is_active()).count();
            for tenant in tenants.iter().filter(|tenant| tenant.is_active()) {
                scope.run(Some(&tenant.name), sample, &mut found).await;
            }
        }
    }
    found
}

/// What one page of every node came to.
#[derive(Debug, Clone, Default)]
pub struct ComparedPage {
    /// Objects that were compared.
    pub objects: u64,
    /// Those that are not shown the same by all; they may just be being written.
    pub suspects: Vec<ObjectName>,
    /// The id up to which was compared, if there may be more.
    pub end: Option<String>,
}

/// What is compared, and who is asked.
pub struct Comparing<'a> {
    cluster: &'a Cluster,
    survey: &'a Survey,
    holdings: Holdings<'a>,
    class: &'a str,
    nodes: Vec<&'a Node>,
}

impl<'a> Comparing<'a> {
    /// Compares the objects of a class on the nodes that show it.
    #[must_use]
    pub fn new(cluster: &'a Cluster, survey: &'a Survey, class: &'a str) -> Self {
        let has = |node: &&Node| survey.node_has_class(node.name(), class) == Some(true);
        let nodes = cluster.nodes().iter().filter(has).collect();
        Self { cluster, survey, holdings: survey.holdings(), class, nodes }
    }

    async fn run(&self, tenant: Option<&str>, sample: Sample, found: &mut Comparison) {
        let compared = match sample {
            Sample::All => self.sweep(tenant, found).await,
            Sample::Some(number) => self.sample(tenant, number, found).await,
        };
        if let Err(error) = compared {
            let of = tenant.map_or_else(String::new, |tenant| format!(" of tenant {tenant}"));
            found.unknown.push(format!("the objects{of}, as they could not be read: {error}"));
        }
    }

    /// Compares all objects.
    async fn sweep(&self, tenant: Option<&str>, found: &mut Comparison) -> Result<(), Error> {
        let mut after = String::new();
        while let Some(last) = self.step(tenant, &after, PAGE, None, found).await? {
            after = last;
        }
        Ok(())
    }

    /// Compares objects at random places; all of a class that is not larger. Ids need not be spread
    /// over the whole range: what random places do not yield, the first objects do.
    async fn sample(
        &self,
        tenant: Option<&str>,
        number: usize,
        found: &mut Comparison,
    ) -> Result<(), Error> {
        let counts =
            join_all(self.nodes.iter().map(|node| node.aggregate(self.class, tenant))).await;
        let most = counts.into_iter().filter_map(Result::ok).max().unwrap_or(0);
        if most <= number as u64 {
            return self.sweep(tenant, found).await;
        }
        let mut seen = BTreeSet::new();
        for _ in 0..number.div_ceil(SAMPLE_PAGE) * 2 {
            let left = number.saturating_sub(seen.len());
            if left == 0 {
                break;
            }
            let place = uuid(fastrand::u128(..));
            self.step(tenant, &place, left.min(SAMPLE_PAGE), Some(&mut seen), found).await?;
        }
        let mut after = String::new();
        while seen.len() < number {
            match self.step(tenant, &after, PAGE, Some(&mut seen), found).await? {
                Some(last) => after = last,
                None => break,
            }
        }
        Ok(())
    }

    /// Compares one page, but for objects that were seen already; returns the id up to which it was
    /// compared, if there may be more.
    async fn step(
        &self,
        tenant: Option<&str>,
        after: &str,
        limit: usize,
        seen: Option<&mut BTreeSet<String>>,
        found: &mut Comparison,
    ) -> Result<Option<String>, Error> {
        let page = self.page(tenant, after, limit, seen).await?;
        found.objects += page.objects;
        let room = MOST.saturating_sub(found.differences.len());
        found.more += page.suspects.len().saturating_sub(room);
        let looked_at: Vec<_> = stream::iter(page.suspects.iter().take(room))
            .map(|name| self.difference_of(name))
            .buffered(8)
            .collect()
            .await;
        for looked_at in looked_at {
            found.add(looked_at);
        }
        Ok(page.end)
    }

    /// Compares the next objects behind an id as the nodes show them.
    ///
    /// # Errors
    ///
    /// A node could not be read.
    pub async fn next_page(
        &self,
        tenant: Option<&str>,
        after: &str,
    ) -> Result<ComparedPage, Error> {
        self.page(tenant, after, PAGE, None).await
    }

    async fn page(
        &self,
        tenant: Option<&str>,
        after: &str,
        limit: usize,
        seen: Option<&mut BTreeSet<String>>,
    ) -> Result<ComparedPage, Error> {
        let at = PageAt { class: self.class, tenant, after, limit };
        let pages = try_join_all(self.nodes.iter().map(|node| node.raw_page(at))).await?;
        // Behind the end of the shortest full page nothing is known of that node.
        let full = pages.iter().filter(|page| page.len() >= limit);
        let end = full.filter_map(|page| page.last()).map(|last| last.id.clone()).min();
        let mut objects: BTreeMap<String, Vec<Option<Value>>> = BTreeMap::new();
        for (at, page) in pages.into_iter().enumerate() {
            for object in page {
                if end.as_ref().is_some_and(|end| object.id > *end) {
                    continue;
                }
                let copies =
                    objects.entry(object.id).or_insert_with(|| vec![None; self.nodes.len()]);
                let object = serde_json::from_str(as_bytes(&object.raw).get()).unwrap_or_default();
                copies[at] = Some(content(object));
            }
        }
        if let Some(seen) = seen {
            objects.retain(|id, _| seen.insert(id.clone()));
        }
        let count = objects.len() as u64;
        let suspects = objects
            .into_iter()
            .filter(|(_, copies)| copies.iter().any(|copy| *copy != copies[0]))
            .map(|(id, _)| ObjectName {
                class: self.class.into(),
                id,
                tenant: tenant.map(Into::into),
            })
            .collect();
        Ok(ComparedPage { objects: count, suspects, end })
    }

    /// Asks every replica for one object until all are the same, or stay as they are.
    ///
    /// # Errors
    ///
    /// A replica could not be read; which, and why.
    pub async fn difference_of(&self, name: &ObjectName) -> Result<Option<Difference>, String> {
        let mut before: Option<BTreeMap<String, Option<Value>>> = None;
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
            let copies = self.copies(name).await?;
            let mut values = copies.values();
            let first = values.next();
            if values.all(|copy| Some(copy) == first) {
                return Ok(None);
            }
            if before.as_ref() == Some(&copies) {
                return Ok(Some(self.difference(name, &copies)));
            }
            before = Some(copies);
        }
        // It is written to all the time: what is read of it is of different moments.
        Ok(None)
    }

    /// Returns what each replica has, by RAFT name.
    ///
    /// # Errors
    ///
    /// A replica could not be read; which, and why.
    pub async fn copies(
        &self,
        name: &ObjectName,
    ) -> Result<BTreeMap<String, Option<Value>>, String> {
        let holders: BTreeSet<&str> = self
            .holdings
            .of(self.class)
            .iter()
            .filter(|(shard, _)| name.tenant.as_ref().is_none_or(|tenant| tenant == *shard))
            .flat_map(|(_, holders)| holders.keys().copied())
            .collect();
        let copies = holders.into_iter().map(|member| async move {
            let copy = read(self.cluster, self.survey, name, member).await;
            copy.map(|copy| (member.to_owned(), copy)).map_err(|why| format!("{member}: {why}"))
        });
        Ok(try_join_all(copies)
            .await?
            .into_iter()
            .filter_map(|(member, replica)| match replica {
                Replica::Copy(object) => Some((member, Some(content(object)))),
                Replica::Absent => Some((member, None)),
                Replica::NoReplica => None,
            })
            .collect())
    }

    fn difference(
        &self,
        name: &ObjectName,
        copies: &BTreeMap<String, Option<Value>>,
    ) -> Difference {
        // The one that most have is what the others are compared with.
        let times = |copy: &Option<Value>| copies.values().filter(|other| *other == copy).count();
        let usual = copies.values().filter(|copy| copy.is_some()).max_by_key(|copy| times(copy));
        let told = |copy: &Option<Value>| match (copy, usual) {
            (None, _) => "missing".to_owned(),
            (Some(copy), Some(Some(usual))) if copy == usual => "there".to_owned(),
            (Some(copy), Some(Some(usual))) => super::difference::places(copy, usual),
            (Some(_), _) => "there".to_owned(),
        };
        let replicas = copies.iter().map(|(node, copy)| (node.clone(), told(copy))).collect();
        let on: BTreeSet<&str> = copies.keys().map(String::as_str).collect();
        let shards = match &name.tenant {
            Some(tenant) => BTreeSet::from([tenant.clone()]),
            None => self
                .holdings
                .of(self.class)
                .iter()
                .filter(|(_, holders)| holders.keys().copied().collect::<BTreeSet<_>>() == on)
                .map(|(shard, _)| (*shard).to_owned())
                .collect(),
        };
        Difference { id: name.id.clone(), tenant: name.tenant.clone(), shards, replicas }
    }
}
