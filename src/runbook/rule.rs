//! The rules that `check` goes by: the one list of them, of which `docs/check-codes.md` is made.

use std::fmt;

/// How much breaking a rule matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `run` refuses such a runbook.
    Error,
    /// It can be run, and is likely not what was meant, or risky.
    Warning,
}

impl Severity {
    /// Returns the word as people and programs see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Declares the rules, their words, what they mean, and for each a text that breaks it.
macro_rules! rules {
    ($(#[doc = $doc:literal] $name:ident = $word:literal, $severity:ident, $example:literal;)*) => {
        /// A rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $(#[doc = $doc] $name,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the code as people and programs see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Returns how much breaking it matters.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Returns what is wrong where it is broken, a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $doc.trim_ascii(),)* }
            }

            /// Returns a text that breaks it; empty where no text can.
            #[must_use]
            pub fn example(self) -> &'static str {
                match self { $(Self::$name => $example,)* }
            }
        }
    };
}

rules! {
    /// The file is no text in UTF-8.
    NotText = "not-text", Error, "";
    /// The text is not Rhai.
    Syntax = "syntax", Error, "let 3 = x;";
    /// A statement lacks the `;` at its end.
    MissingSemicolon = "missing-semicolon", Error, "let x = 1\nstep \"A\" { x }";
    /// A bracket is not closed, or closed by another one.
    UnclosedBracket = "unclosed-bracket", Error, "step \"A\" { note(\"x\";";
    /// A text is not closed.
    UnclosedText = "unclosed-text", Error, "step \"A\" { note(\"x); }";
    /// A comment that is not closed takes everything to the end of the file with it.
    UnclosedComment = "unclosed-comment", Warning, "step \"A\" { nodes() }\n/* Looks.\nstep \"B\" { nodes() }";
    /// There is no such variable, or it can't be seen here.
    UnknownVariable = "unknown-variable", Error, "step \"A\" { count(clas) }";
    /// There is no such module.
    UnknownModule = "unknown-module", Error, "step \"A\" { replication::nodes_of(1) }";
    /// There is no such function.
    UnknownFunction = "unknown-function", Error, "step \"A\" { delet_class(\"X\"); }";
    /// A function is called with too many or too few arguments.
    ArgumentCount = "argument-count", Error, "step \"A\" { count() }";
    /// A primitive is called with a value of a kind that it can't take.
    ArgumentKind = "argument-kind", Error, "step \"A\" { count(3) }";
    /// `Fn` is given a name that is not known without running it.
    ComputedFunction = "computed-function", Error, "step \"A\" { Fn(\"nod\" + \"es\").call() }";
    /// `print` and `debug` show nothing.
    Print = "print", Error, "step \"A\" { print(\"x\"); }";
    /// `eval` is switched off.
    Eval = "eval", Error, "step \"A\" { eval(\"1\") }";
    /// A function has the name of a primitive.
    HiddenPrimitive = "hidden-primitive", Error, "fn count(class) { 0 }\nstep \"A\" { count(\"X\") }";
    /// `///` stands above something that is no function.
    DocComment = "doc-comment", Error, "/// Looks.\nstep \"A\" { nodes() }";
    /// An import leads nowhere, or out of the runbook's folder.
    Import = "import", Error, "import \"lib/none\" as none;\nstep \"A\" { 1 }";
    /// A runbook does nothing.
    EmptyRunbook = "empty-runbook", Error, "// Nothing yet.";
    /// A step's title is empty, or not known without running it.
    StepTitle = "step-title", Error, "step \" \" { nodes() }";
    /// Two steps have the same title.
    RepeatedStep = "repeated-step", Error, "step \"A\" { 1 }\nstep \"A\" { 2 }";
    /// A step stands where it can't be known without running the runbook, or in an imported file.
    MisplacedStep = "misplaced-step", Error, "for n in 0..2 { step \"A\" { n } }";
    /// A step or closure changes a variable that is declared outside of it.
    OuterAssignment = "outer-assignment", Error, "let x = 1;\nstep \"A\" { x = 2; }";
    /// A rollback calls an imported function.
    RollbackImport = "rollback-import", Error, "import \"lib/replication\" as it;\nstep \"A\" { 1 } rollback { it::nodes_of(#{ inactive: true }) }";
    /// A parameter does not stand at the top level, or stands in an imported file.
    MisplacedParameter = "misplaced-parameter", Error, "step \"A\" { param(\"f\", 1) }";
    /// A parameter's name, default or help is not known without running the runbook.
    ComputedParameter = "computed-parameter", Error, "let d = 3;\nlet f = param(\"f\", d);\nstep \"A\" { f }";
    /// A parameter is declared twice.
    RepeatedParameter = "repeated-parameter", Error, "let f = param(\"f\", 1);\nlet g = param(\"f\", 2);\nstep \"A\" { f + g }";
    /// A file of tests has none.
    NoTest = "no-test", Error, "//! Tests.";
    /// A test's title is empty.
    TestTitle = "test-title", Error, "test \" \" { expect(true); }";
    /// Two tests have the same title.
    RepeatedTest = "repeated-test", Error, "test \"A\" { expect(true); }\ntest \"A\" { expect(true); }";
    /// A test does not stand at the top level.
    MisplacedTest = "misplaced-test", Error, "if true { test \"A\" { expect(true); } }";
    /// The cluster is changed outside of the steps: a run that is resumed changes it again.
    ChangeOutsideStep = "change-outside-step", Warning, "create_class(#{ class: \"X\" });\nstep \"A\" { nodes() }";
    /// A step deletes a class and has no rollback.
    DeleteWithoutRollback = "delete-without-rollback", Warning, "step \"A\" { delete_class(\"X\"); }";
    /// The value of a parameter is never used.
    UnusedParameter = "unused-parameter", Warning, "let class = param(\"class\", \"X\");\nstep \"A\" { count(\"X\") }";
    /// The value of a variable is never used. One whose name begins with `_` needn't be.
    UnusedVariable = "unused-variable", Warning, "step \"A\" { let found = nodes(); 1 }";
    /// A text in double quotes has `${…}` in it, which is put into texts in back-ticks only.
    PlainInterpolation = "plain-interpolation", Warning, "step \"A\" { let a = nodes(); note(\"${a}\"); a }";
    /// What stands behind `return`, `throw`, `abort`, `break` or `continue` is never run.
    Unreachable = "unreachable", Warning, "step \"A\" { abort(\"no\"); nodes() }";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
