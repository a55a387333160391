//! What a runbook can say, as data: read at run time from the signatures and doc comments of the
//! primitives, which are its only source.
//!
//! A doc comment is paragraphs: what the primitive does; one that begins with `Changes`, `Reads` or
//! `Asks no node`; perhaps one with `Refused`; one with `Throws`; an example. Of several functions of
//! one name, one has all of them, the others what differs and an example. Knows no format.

mod doc;
mod kind;

pub use kind::Kind;

use std::collections::{BTreeMap, BTreeSet};

use rhai::{Engine, FuncInfo, Module};
use serde::Serialize;

use doc::{Doc, codes};

/// Everything that a runbook can say beyond Rhai itself.
#[derive(Debug, Clone, Serialize)]
pub struct Reference {
    /// Of what is told as JSON: a new one where a field changes its meaning or goes.
    pub version: u32,
    /// What holds for all primitives, a paragraph each.
    pub about: Vec<String>,
    /// The syntax of our own; `None` where it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Syntax>,
    /// The primitives.
    pub topics: Vec<Topic>,
}

/// A piece of syntax.
#[derive(Debug, Clone, Serialize)]
pub struct Syntax {
    /// How it is written.
    pub signature: String,
    /// What it does, a paragraph each.
    pub about: Vec<String>,
    /// How it is used.
    pub example: String,
}

/// The primitives of one file.
#[derive(Debug, Clone, Serialize)]
pub struct Topic {
    /// One word.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// The primitives, by name.
    pub primitives: Vec<Primitive>,
}

/// A primitive: one or more functions of one name.
#[derive(Debug, Clone, Serialize)]
pub struct Primitive {
    /// Its name.
    pub name: String,
    /// What it does to the cluster.
    pub effect: Effect,
    /// The same in a sentence that says to what.
    pub effect_text: String,
    /// When the host refuses it, which no script can catch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The codes of what it throws, in the order of the text.
    pub throws: Vec<String>,
    /// The same in a sentence that says when.
    pub throws_text: String,
    /// The functions, the fully documented one first.
    pub calls: Vec<Call>,
}

/// What a primitive does to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes it, or its documentation does not say that it does not.
    Changes,
    /// Reads it.
    Reads,
    /// Asks no node.
    Nothing,
}

/// One function.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// How it is called: `name(parameter: kind) -> kind`.
    pub signature: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The kind of its value.
    pub returns: Kind,
    /// What it does, a paragraph each.
    pub about: Vec<String>,
    /// How it is used.
    pub example: String,
}

/// A parameter.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The kind of its value.
    pub kind: Kind,
}

/// What holds for all primitives.
const ABOUT: [&str; 3] = [
    "A primitive that can't do its work throws a map with `error` (a code such as `not_found`), `message`, \
     and where known `node`, `status`, `hint`. Besides what each says, whoever asks a node throws \
     `unreachable` if none answers, `denied` if the key is not taken, `unexpected` for an answer that is \
     not Weaviate's, and `invalid` for a name that no class can have.",
    "What is refused ends the run and can't be caught. Changes are refused while the cluster can't agree: \
     more than one RAFT leader, or none, a member that does not answer, nodes whose own schemas differ.",
    "`text`, `int`, `float`, `bool`, `list`, `map` and `function` are Rhai's string, integer, \
     floating-point number, boolean, array, object map and function pointer or closure. `()` is nothing, \
     or unknown. `any` is one of several, as the text says.",
];

impl Reference {
    /// Returns everything.
    #[must_use]
    pub fn of_all() -> Self {
        let doc = Doc::parse(super::step::REFERENCE);
        let step = Syntax {
            signature: "step \"title\" { … } rollback { … }".into(),
            about: doc.about,
            example: doc.example,
        };
        let topics = super::topics().map(|(name, primitives)| Topic::new(name, primitives)).into();
        Self { version: 1, about: ABOUT.map(Into::into).into(), step: Some(step), topics }
    }

    /// Returns the names of the primitives, the topics, and the syntax.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let primitives = self.topics.iter().flat_map(|topic| &topic.primitives);
        let primitives = primitives.map(|primitive| primitive.name.as_str());
        let topics = self.topics.iter().map(|topic| topic.name.as_str());
        primitives.chain(topics).chain(self.step.as_ref().map(|_| "step"))
    }

    /// Leaves only what has one of these names.
    pub fn retain(&mut self, names: &[String]) {
        let wanted = |one: &str| names.iter().any(|name| name == one);
        self.step = self.step.take().filter(|_| wanted("step"));
        for topic in self.topics.iter_mut().filter(|topic| !wanted(&topic.name)) {
            topic.primitives.retain(|primitive| wanted(&primitive.name));
        }
        self.topics.retain(|topic| !topic.primitives.is_empty());
    }
}

/// Returns the names of the primitives that change the cluster.
#[must_use]
pub fn changing(engine: &Engine) -> BTreeSet<String> {
    let mut effects: BTreeMap<String, Option<Effect>> = BTreeMap::new();
    for (name, _, doc) in functions(engine) {
        let effect = effects.entry(name).or_default();
        *effect = effect.or(doc.effect());
    }
    let changes = |effect: Option<Effect>| effect.unwrap_or(Effect::Changes) == Effect::Changes;
    effects.into_iter().filter(|(_, effect)| changes(*effect)).map(|(name, _)| name).collect()
}

/// For each function of one name the kinds of its parameters.
pub type Kinds = BTreeMap<String, Vec<Vec<Kind>>>;

/// Returns the kinds of the parameters of every primitive. Where the language has a function of the same
/// name, that is among them.
#[must_use]
pub fn kinds(engine: &Engine) -> Kinds {
    let primitives = super::primitives(engine);
    let each = |function: FuncInfo| {
        let about = function.metadata;
        let parameters = about.params_info.iter().map(|it| Parameter::parse(it).kind);
        // What is not told can be any.
        let kinds = parameters.chain(std::iter::repeat(Kind::Any)).take(about.num_params);
        Some((about.name.to_string(), kinds.collect()))
    };
    let mut kinds = Kinds::new();
    for (name, parameters) in engine.collect_fn_metadata(None, each, true) {
        if primitives.contains(&name) {
            kinds.entry(name).or_default().push(parameters);
        }
    }
    kinds
}

impl Topic {
    fn new(name: &str, primitives: Module) -> Self {
        let about = primitives.doc().trim_start_matches('/').trim().to_owned();
        let mut engine = Engine::new_raw();
        engine.register_global_module(primitives.into());
        let mut by_name: BTreeMap<String, Vec<(Call, Doc)>> = BTreeMap::new();
        for (name, call, doc) in functions(&engine) {
            by_name.entry(name).or_default().push((call, doc));
        }
        let primitives =
            by_name.into_iter().map(|(name, calls)| Primitive::new(name, calls)).collect();
        Self { name: name.into(), about, primitives }
    }
}

impl Primitive {
    fn new(name: String, mut calls: Vec<(Call, Doc)>) -> Self {
        calls.sort_by_key(|(call, doc)| {
            (doc.effect().is_none(), call.parameters.len(), call.signature.clone())
        });
        let doc = calls.first().map(|(_, doc)| doc.clone()).unwrap_or_default();
        let throws_text = doc.paragraph(&["Throws"]).unwrap_or_default();
        Self {
            name,
            effect: doc.effect().unwrap_or(Effect::Changes),
            effect_text: doc.effect_text().unwrap_or_default(),
            refused: doc.paragraph(&["Refused"]),
            throws: codes(&throws_text),
            throws_text,
            calls: calls.into_iter().map(|(call, _)| call).collect(),
        }
    }

    /// Returns the first sentence of what it does.
    #[must_use]
    pub fn summary(&self) -> &str {
        let about = self.calls.first().and_then(|call| call.about.first());
        let about = about.map(String::as_str).unwrap_or_default();
        about.split_once(". ").map_or(about, |(first, _)| first).trim_end_matches('.')
    }
}

/// Returns every function of an engine but those of the language.
fn functions(engine: &Engine) -> Vec<(String, Call, Doc)> {
    let function = |function: FuncInfo| {
        let about = function.metadata;
        let lines: Vec<&str> = about.comments.iter().flat_map(|it| it.lines()).collect();
        let line = |line: &str| {
            let line = line.trim_start().trim_start_matches('/');
            line.strip_prefix(' ').unwrap_or(line).to_owned()
        };
        let doc = Doc::parse(&lines.into_iter().map(line).collect::<Vec<_>>().join("\n"));
        let parameters = about.params_info.iter().map(|it| Parameter::parse(it)).collect();
        let returns = Kind::of(&about.return_type);
        Some((about.name.to_string(), Call::new(&about.name, parameters, returns, &doc), doc))
    };
    engine.collect_fn_metadata(None, function, false)
}

impl Call {
    fn new(name: &str, parameters: Vec<Parameter>, returns: Kind, doc: &Doc) -> Self {
        let each: Vec<_> =
            parameters.iter().map(|it| format!("{}: {}", it.name, it.kind)).collect();
        let signature = match returns {
            Kind::Unit => format!("{name}({})", each.join(", ")),
            returns => format!("{name}({}) -> {returns}", each.join(", ")),
        };
        let (about, example) = (doc.own(), doc.example.clone());
        Self { signature, parameters, returns, about, example }
    }
}

impl Parameter {
    /// Reads `name: &type` as Rhai keeps it.
    fn parse(text: &str) -> Self {
        let (name, kind) = text.split_once(':').unwrap_or((text, ""));
        Self { name: name.trim().trim_start_matches('_').into(), kind: Kind::of(kind) }
    }
}
