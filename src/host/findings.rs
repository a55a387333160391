//! Primitives that tell what was found: issues, tables, commands for the operator.

use rhai::plugin::{NativeCallContext, export_module};

use rhai::{Array, Dynamic, Position};

use super::throw::{Throws, json, throw};
use crate::error::{Code, Failure};
use crate::event::{Cell, CellState};

/// What was found: issues, tables, commands to be run.
#[expect(unreachable_pub, reason = "Rhai exports the public functions of this module")]
#[export_module]
pub(super) mod primitives {
    use rhai::{Array, Dynamic, INT, Map};

    use crate::error::{Code, Failure};
    use crate::event::Event;
    use crate::host::throw::{Throws, ask, json, run, throw};
    use crate::issue::Issue;

    /// Records something that was found: `#{ code, severity, text }` and where known `class`,
    /// `node`, `shard`, `remedy`, as `survey`, `collection_status` and `raft` return them. A
    /// `problem` makes the run end with findings, and where there is none, something `unknown`
    /// makes it end as failed: it could not be found out. A `note` does neither.
    ///
    /// Asks no node.
    ///
    /// Throws `invalid` if it is no issue.
    ///
    /// ```rhai
    /// for issue in collection_status("Author").issues { report(issue); }
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn report(context: NativeCallContext, issue: Map) -> Throws<()> {
        let issue: Issue = serde_json::from_value(json(&issue.into())?).map_err(|error| {
            let message = format!("this is no issue: {error}");
            throw(Failure::new(Code::Invalid, message).into(), context.call_position())
        })?;
        ask(&context, |session| session.report(issue))
    }

    /// Shows a table. Each row is a list with a cell for every column: a text, or `#{ text, state
    /// }` with the state `plain`, `good`, `unknown` or `bad`.
    ///
    /// Asks no node.
    ///
    /// Throws `invalid` if a row has another number of cells than there are columns, or a cell is
    /// none.
    ///
    /// ```rhai
    /// table("Nodes", ["node", "answers"], [["node1", #{ text: "yes", state: "good" }]]);
    /// ```
    #[rhai_fn(return_raw, volatile)]
    pub fn table(
        context: NativeCallContext,
        title: &str,
        columns: Array,
        rows: Array,
    ) -> Throws<()> {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        let rows = rows.into_iter().map(super::row).collect::<Throws<Vec<_>>>()?;
        ask(&context, |session| {
            if rows.iter().any(|row| row.len() != columns.len()) {
                let message = format!("a row of \"{title}\" has not {} cells", columns.len());
                return Err(Failure::new(Code::Invalid, message).into());
            }
            session.say(&Event::Table { title: title.into(), columns, rows })
        })
    }

    /// Adds a line to the commands that the operator is told to run when the run is over, in this
    /// order; one that begins with `#` says why.
    ///
    /// Asks no node.
    ///
    /// Throws nothing.
    ///
    /// ```rhai
    /// advise("# node2 lost its disk");
    /// advise("docker compose up -d node2");
    /// ```
    #[rhai_fn(volatile)]
    pub fn advise(context: NativeCallContext, command: &str) {
        run(&context).session.advise(command);
    }

    /// Returns the command line that runs a shipped runbook on this cluster.
    ///
    /// Asks no node.
    ///
    /// Throws nothing.
    ///
    /// ```rhai
    /// advise(run_command("config-replication", #{ class: "Author", factor: 3 }));
    /// ```
    #[rhai_fn(volatile)]
    pub fn run_command(context: NativeCallContext, runbook: &str, parameters: Map) -> String {
        let parameters: Vec<(String, String)> =
            parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let parameters: Vec<_> = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        run(&context).session.commands().run(runbook, &parameters)
    }

    /// Returns what gives `class`, which holds `objects` objects (`()`: not known), the factor
    /// `factor`: a class without objects is created anew, any other is copied in place.
    ///
    /// Asks no node.
    ///
    /// Throws nothing.
    ///
    /// ```rhai
    /// note(factor_command("Author", 3, collection_status("Author").data_count));
    /// ```
    #[rhai_fn(volatile)]
    pub fn factor_command(
        context: NativeCallContext,
        class: &str,
        factor: INT,
        objects: Dynamic,
    ) -> String {
        let objects = objects.as_int().ok().and_then(|objects| u64::try_from(objects).ok());
        run(&context).session.factor_command(class, factor, objects)
    }
}

/// Turns a script's row into cells.
fn row(row: Dynamic) -> Throws<Vec<Cell>> {
    let invalid = |why: String| throw(Failure::new(Code::Invalid, why).into(), Position::NONE);
    let cells = row.try_cast::<Array>().ok_or_else(|| invalid("a row is a list".into()))?;
    let cell = |cell: Dynamic| {
        if !cell.is_map() {
            return Ok(Cell { text: cell.to_string(), state: CellState::Plain });
        }
        serde_json::from_value(json(&cell)?)
            .map_err(|error| invalid(format!("this is no cell of a table: {error}")))
    };
    cells.into_iter().map(cell).collect()
}
