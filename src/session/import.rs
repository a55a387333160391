//! Objects of files into a class that is there: window by window, what is newer stays, and every node
//! is asked for what it shows of them then.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::Value;

use super::{Export, Session};
use crate::change::{Change, Outcome};
use crate::error::{Code, Failure, Halt};
use crate::event::{Event, Reached};
use crate::survey::Survey;
use crate::text::count_objects;
use crate::transfer::{
    Imported, Lines, ObjectFiles, Others, Pass, Shown, Target, Verification, Window, import, verify,
};
use crate::weaviate::Node;

/// How long nobody must have been seen to write to a class before its objects are imported together.
const QUIET: Duration = Duration::from_secs(1);

/// How many windows are compared side by side.
const SIDE_BY_SIDE: usize = 2;

/// How many objects the server may refuse before the import is given up.
const MOST_FAILED: usize = 1_000;

/// How many of them are told with the error; each has a warning of its own.
const TOLD: usize = 5;

/// What is imported where.
struct Import<'a> {
    target: Target<'a>,
    files: &'a ObjectFiles,
    /// The first of them.
    file: String,
    objects: u64,
}

impl Session {
    /// Imports the objects that this run exported into the class that is there now. Whether every node
    /// shows every object then is told by a check for each.
    ///
    /// # Errors
    ///
    /// `invalid` where this run exported no such class; refused by the guard; `rejected` where the
    /// server does not take an object.
    pub fn import_class(&self, class: &str) -> Result<Imported, Halt> {
        self.remember(class, self.import_exported(class))
    }

    fn import_exported(&self, class: &str) -> Result<Imported, Halt> {
        let export = self.state.borrow().exported.get(class).cloned();
        let Some(export) = export else {
            let why = format!("this run has not exported `{class}`");
            return Err(Failure::new(Code::Invalid, why).hint("export_class does").into());
        };
        let found = self.class(class)?.ok_or_else(|| self.not_found(class))?;
        // Those of the moment in which it was deleted, whatever the runbook had read before.
        let deleted = self.state.borrow().deleted.get(class).cloned();
        if let Some(tenants) = deleted.and_then(|before| before.tenants) {
            self.add_tenants(class, &tenants)?;
        }
        self.import_export(class, &found.value, &export)
    }

    /// Imports an export. Where a node does not show an object then, the report ends with the
    /// command that brings it.
    pub(super) fn import_export(
        &self,
        class: &str,
        definition: &Value,
        export: &Export,
    ) -> Result<Imported, Halt> {
        let (imported, all_there) = self.import(class, definition, &export.files(class)?)?;
        if !all_there {
            self.advise(&self.restoring(class, export));
        }
        Ok(imported)
    }

    /// Imports files, later ones with what changed since, and checks what every node shows of them.
    /// Returns what was done, and whether every node that answers shows every object.
    pub(super) fn import(
        &self,
        class: &str,
        definition: &Value,
        files: &ObjectFiles,
    ) -> Result<(Imported, bool), Halt> {
        // Also sees to it that every line can be read before the first is written.
        let objects =
            Lines::open(files, class).and_then(Lines::count).map_err(|error| unreadable(&error))?;
        if objects == 0 {
            return Ok((Imported::default(), true));
        }
        let factor = definition["replicationConfig"]["factor"].as_u64().unwrap_or(1);
        let factor = usize::try_from(factor).unwrap_or(usize::MAX);
        if !self.wait_for_replicas(class, factor)? {
            self.say(&Event::Warning {
                text: format!("not every replica of {class} is there yet"),
            })?;
        }
        let file = files.paths.first().map_or_else(String::new, |file| file.display().to_string());
        let change = Change::ImportObjects { class: class.into(), objects, file: file.clone() };
        let survey = self.prepare(class, &|| change.imperative())?;
        let nodes = self.nodes_with(class, &survey);
        if nodes.is_empty() {
            let why = format!("no node that answers has {class}");
            return Err(Failure::new(Code::Unverifiable, why).into());
        }
        let references = references_of(definition);
        let target = Target { nodes: &nodes, class, references: &references };
        let import = Import { target, files, file, objects };
        let imported = self.import_files(&change, &import)?;
        let all_there = self.verify_files(class, files, &nodes, imported.newer)?;
        self.tell_unread(class, &survey)?;
        Ok((imported, all_there))
    }

    /// Imports the objects. A signal is heeded between two batches, never within one.
    fn import_files(&self, change: &Change, import: &Import) -> Result<Imported, Halt> {
        let class = change.class();
        let number = self.changes.get() + 1;
        self.changes.set(number);
        self.say(&Event::ChangeIntended {
            change: number,
            action: change.clone(),
            node: import.target.nodes[0].name().into(),
            rollback: self.is_restoring(),
        })?;
        let mut all = Imported::default();
        let ended = self.import_passes(import, &mut all);
        let told = format!("{} imported, {} kept", count_objects(all.imported), all.kept);
        for (id, why) in &all.failed {
            self.say(&Event::Warning { text: format!("object {id} was not taken: {why}") })?;
        }
        for (from, to) in &all.dangling {
            self.warn(&format!("the reference of {from} is left out, as {to} is nowhere"));
        }
        let answer = |outcome, detail| Event::ChangeAnswered { change: number, outcome, detail };
        if let Err(halt) = ended {
            self.say(&answer(Outcome::Partly, format!("{told}; {halt}")))?;
            return Err(halt);
        }
        if all.failed.is_empty() {
            self.say(&answer(Outcome::Done, told))?;
            if !self.is_restoring() {
                self.state.borrow_mut().import_done.insert(class.into());
            }
            return Ok(all);
        }
        let failed = count_objects(all.failed.len() as u64);
        self.say(&answer(Outcome::Partly, format!("{told}, {failed} not taken")))?;
        let some: Vec<_> =
            all.failed.iter().take(TOLD).map(|(id, why)| format!("{id} ({why})")).collect();
        let more = if all.failed.len() > TOLD { ", …" } else { "" };
        let why = format!("the server did not take {failed} of {class}: {}{more}", some.join(", "));
        Err(Failure::new(Code::Rejected, why)
            .hint("run it again when the reason is gone: what is there is not imported twice")
            .into())
    }

    fn import_passes(&self, import: &Import, all: &mut Imported) -> Result<(), Halt> {
        let before = self.state.borrow_mut().reached.remove(import.target.class);
        let before = before.filter(|it| it.file == import.file);
        if let Some(Reached { imported, kept, newer, postponed, .. }) = before {
            *all = Imported { imported, kept, newer, postponed, ..Imported::default() };
            let done = count_objects(imported + kept);
            self.say(&Event::Note { text: format!("going on after {done} that are done") })?;
        }
        if before.as_ref().is_none_or(|it| !it.references) {
            self.import_pass(import, Pass::Objects, before.as_ref(), all)?;
        }
        if !import.target.references.is_empty() {
            if all.postponed > 0 {
                let objects = count_objects(all.postponed);
                let text =
                    format!("{objects} refer to others that came later: their references follow");
                self.say(&Event::Note { text })?;
            }
            let before = before.filter(|it| it.references);
            self.import_pass(import, Pass::References, before.as_ref(), all)?;
        }
        Ok(())
    }

    fn import_pass(
        &self,
        of: &Import,
        pass: Pass,
        before: Option<&Reached>,
        all: &mut Imported,
    ) -> Result<(), Halt> {
        let Import { target, files, objects, .. } = *of;
        let class = target.class;
        let mut lines = Lines::open(files, class).map_err(|error| unreadable(&error))?;
        if let Some(before) = before {
            lines.pass(before.tenant.as_deref(), &before.id).map_err(|error| unreadable(&error))?;
        }
        let mut others = Others::look(QUIET.min(self.cluster.drain()));
        let mut done_now = 0;
        while let Some(window) = lines.window().map_err(|error| unreadable(&error))? {
            self.check_interrupt()?;
            // From here on objects may be there, whatever the answer says.
            self.state.borrow_mut().imported.entry(class.into()).or_default();
            let mut done = Imported::default();
            let seen = others.were_seen();
            let importing = import(target, &window, pass, &all.without, &mut others, &mut done);
            let made = self.runtime.block_on(importing);
            if others.were_seen() && !seen {
                let text =
                    format!("others write to {class}: its objects go one by one from here on");
                self.say(&Event::Note { text })?;
                self.measure_anew();
            }
            all.add(done, pass);
            let mut state = self.state.borrow_mut();
            // Where every answer was clean and nothing was written, there is nothing to keep.
            if all.imported == 0 && made.is_ok() {
                state.imported.remove(class);
            } else {
                state.imported.insert(class.into(), all.imported);
            }
            drop(state);
            made.map_err(|error| {
                Failure::from(error).hint("run it again: what is there is not imported twice")
            })?;
            done_now += window.lines.len() as u64;
            self.tell_reached(of, pass, &window, all)?;
            self.pace("importing", class, done_now, Some(objects))?;
            self.wait_for_vectors(class)?;
            if all.failed.len() >= MOST_FAILED {
                let why = format!("the server refused {} objects of {class}", all.failed.len());
                return Err(Failure::new(Code::Rejected, why).into());
            }
        }
        Ok(())
    }

    fn tell_reached(
        &self,
        import: &Import,
        pass: Pass,
        window: &Window,
        all: &Imported,
    ) -> Result<(), Halt> {
        let Some(last) = window.lines.last() else { return Ok(()) };
        self.say(&Event::ImportReached(Reached {
            class: import.target.class.into(),
            file: import.file.clone(),
            references: pass == Pass::References,
            tenant: last.tenant.clone(),
            id: last.id.clone(),
            imported: all.imported,
            kept: all.kept,
            newer: all.newer,
            postponed: all.postponed,
        }))
    }

    /// Tells what the nodes lack of what this run exported of a class; empty: nothing.
    pub(super) fn lacks(&self, class: &str, export: &Export) -> Result<String, Halt> {
        let survey = self.look()?;
        let nodes = self.nodes_with(class, &survey);
        let found = self.compare_with_files(class, &export.files(class)?, &nodes)?;
        let wrong = found.nodes.iter().filter(|shown| shown.missing + shown.differing > 0);
        let mut wrong: Vec<String> =
            wrong.map(|shown| format!("{}: {}", shown.node, told(shown, shown.newer))).collect();
        let unread = survey
            .nodes
            .iter()
            .filter(|seen| survey.node_has_class(&seen.node, class) != Some(true));
        wrong.extend(unread.map(|seen| format!("{}: it does not show the class", seen.node)));
        Ok(wrong.join("; "))
    }

    fn compare_with_files(
        &self,
        class: &str,
        files: &ObjectFiles,
        nodes: &[&Node],
    ) -> Result<Verification, Halt> {
        let mut lines = Lines::open(files, class).map_err(|error| unreadable(&error))?;
        let mut found = Verification::of(nodes);
        let mut done = 0;
        loop {
            let mut windows = vec![];
            while windows.len() < SIDE_BY_SIDE
                && let Some(window) = lines.large_window().map_err(|error| unreadable(&error))?
            {
                windows.push(window);
            }
            if windows.is_empty() {
                return Ok(found);
            }
            let seen = self.read(async |_| {
                try_join_all(windows.iter().map(|window| verify(nodes, class, window))).await
            })?;
            for seen in seen {
                found.add(seen);
            }
            done += windows.iter().map(|window| window.lines.len() as u64).sum::<u64>();
            self.pace("comparing", class, done, None)?;
        }
    }

    /// Checks that every node shows every object; `newer` were kept for being newer. Returns whether
    /// they do.
    fn verify_files(
        &self,
        class: &str,
        files: &ObjectFiles,
        nodes: &[&Node],
        newer: u64,
    ) -> Result<bool, Halt> {
        let found = self.compare_with_files(class, files, nodes)?;
        for shown in &found.nodes {
            let detail = told(shown, newer);
            self.say(&Event::Check {
                text: format!("{} shows every object of {class} in the backup", shown.node),
                passed: detail.is_empty(),
                detail,
            })?;
        }
        Ok(found.nodes.iter().all(|shown| shown.missing + shown.differing == 0))
    }

    /// Says which nodes could not be looked at.
    fn tell_unread(&self, class: &str, survey: &Survey) -> Result<(), Halt> {
        for seen in &survey.nodes {
            let detail = match survey.node_has_class(&seen.node, class) {
                Some(true) => continue,
                Some(false) => "its own schema lacks the class",
                None => "it does not answer",
            };
            let text = format!("{} shows every object of {class} in the backup", seen.node);
            self.say(&Event::Check { text, passed: false, detail: detail.into() })?;
        }
        Ok(())
    }

    pub(super) fn nodes_with(&self, class: &str, survey: &Survey) -> Vec<&Node> {
        let has = |node: &&Node| survey.node_has_class(node.name(), class) == Some(true);
        self.cluster.nodes().iter().filter(has).collect()
    }
}

/// Returns the properties of a class that are references: the type of such a one is a class.
fn references_of(definition: &Value) -> BTreeSet<String> {
    let is_class =
        |kind: &Value| kind.as_str().is_some_and(|it| it.starts_with(char::is_uppercase));
    let properties = definition["properties"].as_array().into_iter().flatten();
    properties
        .filter(|it| it["dataType"].as_array().is_some_and(|kinds| kinds.iter().any(is_class)))
        .filter_map(|it| it["name"].as_str().map(str::to_owned))
        .collect()
}

/// Returns what is wrong with what a node shows; empty: nothing.
fn told(shown: &Shown, newer: u64) -> String {
    let mut wrong = vec![];
    if shown.missing > 0 {
        wrong.push(format!("{} missing", shown.missing));
    }
    if shown.differing > 0 {
        wrong.push(format!("{} differ", shown.differing));
    }
    if shown.newer > newer {
        let more = shown.newer - newer;
        wrong.push(format!("{more} are other ones, written since or changed by the server"));
    }
    if !shown.told.is_empty() {
        let ids: Vec<_> = shown.told.iter().map(String::as_str).collect();
        let more = if shown.missing + shown.differing > ids.len() as u64 { ", …" } else { "" };
        wrong.push(format!("{}{more}", ids.join(", ")));
    }
    wrong.join(", ")
}

pub(super) fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(Code::Unexpected, format!("the backup can't be read: {error}"))
}
