//! The nodes and shards before and after, as squares in a table: the table is its own text for whoever
//! can't see it.

use std::fmt::{self, Write};

use super::safe::Safe;
use crate::report::grid::{Grid, Holding};
use crate::report::model::Report;
use crate::report::time::moment;

pub(super) fn write_grids(page: &mut String, report: &Report) -> fmt::Result {
    let grids = [("Before", &report.before), ("After", &report.after)];
    if grids.iter().all(|(_, grid)| grid.is_none()) {
        return Ok(());
    }
    writeln!(page, "<h2>Nodes and shards</h2>")?;
    let signs = [Holding::Has, Holding::Lacks, Holding::None, Holding::Unknown];
    let legend = signs.map(|sign| format!("{} {}", sign.sign(), sign.word())).join(", ");
    writeln!(page, "<p class=\"quiet\">{}</p>\n<div class=\"grids\">", Safe(&legend))?;
    for (when, grid) in grids {
        match grid {
            Some(grid) => write_grid(page, when, grid)?,
            // A run that changed nothing looks once.
            None if report.changes.is_empty() => {}
            None => writeln!(page, "<p class=\"quiet\">{when}: not recorded</p>")?,
        }
    }
    writeln!(page, "</div>")
}

fn write_grid(page: &mut String, when: &str, grid: &Grid) -> fmt::Result {
    writeln!(
        page,
        "<figure>\n<figcaption><strong>{when}</strong> <span class=\"quiet\">{}</span></figcaption>\n\
         <div class=\"wide\"><table class=\"grid\">\n<thead><tr><td></td>",
        Safe(&moment(&grid.taken))
    )?;
    for node in &grid.nodes {
        writeln!(page, "<th scope=\"col\">{}</th>", Safe(node))?;
    }
    writeln!(page, "</tr></thead>\n<tbody>")?;
    let width = grid.nodes.len() + 1;
    let wide = |page: &mut String, text: &str| {
        writeln!(page, "<tr><td colspan=\"{width}\" class=\"quiet\">{}</td></tr>", Safe(text))
    };
    for class in &grid.classes {
        let factor = class.factor.map(|factor| format!(" factor {factor}")).unwrap_or_default();
        writeln!(
            page,
            "<tr class=\"class\"><th colspan=\"{width}\" scope=\"rowgroup\">{}<span class=\"quiet\">{factor}</span></th></tr>",
            Safe(&class.class)
        )?;
        write_row(page, "own schema", &class.own_schema)?;
        for shard in &class.shards {
            write_row(page, &shard.shard, &shard.cells)?;
        }
        if class.other_shards > 0 {
            wide(page, &format!("more shards, not drawn: {}", class.other_shards))?;
        }
    }
    if grid.other_classes > 0 {
        wide(page, &format!("other classes, not drawn: {}", grid.other_classes))?;
    }
    writeln!(page, "</tbody></table></div>\n</figure>")
}

fn write_row(page: &mut String, name: &str, cells: &[Holding]) -> fmt::Result {
    write!(page, "<tr><th scope=\"row\">{}</th>", Safe(name))?;
    for cell in cells {
        let class = match cell {
            Holding::Has => "has",
            Holding::Lacks => "lacks",
            Holding::None => "none",
            Holding::Unknown => "unknown",
        };
        let (sign, word) = (cell.sign(), cell.word());
        write!(
            page,
            "<td class=\"{class}\"><span title=\"{word}\"><span class=\"unseen\">{word}</span><i aria-hidden=\"true\">{sign}</i></span></td>"
        )?;
    }
    writeln!(page, "</tr>")
}
