//! Chosen blocks as text: paragraphs are lines, items begin with "- ", cells of a row are joined by " | ".

use super::tags;
use super::tree::{NONE, Page};

/// Cells joined in one line: rows of a data table, not of a layout (its cells hold whole columns of text).
const ROW_BLOCKS: u32 = 24;
const CELL_BYTES: usize = 200;

/// The text of the chosen blocks.
pub fn render(page: &Page, chosen: &[bool]) -> String {
    let mut out = String::new();
    let mut last: Option<usize> = None;
    for block in (0..page.blocks.len()).filter(|&b| chosen[b]) {
        let text = page.block_text(block);
        if let Some(last) = last {
            out.push_str(if same_row(page, last, block) { " | " } else { "\n" });
        }
        let joined = out.ends_with(" | ");
        if !joined && is_item_start(page, block) {
            out.push_str("- ");
        }
        out.push_str(text);
        last = Some(block);
    }
    out
}

/// The nearest node with one of the tags, at or above `node`, within a few levels.
fn within(page: &Page, node: u32, wanted: &[u8], stop: u8) -> u32 {
    let mut at = node;
    for _ in 0..8 {
        let tag = page.nodes[at as usize].tag;
        if wanted.contains(&tag) {
            return at;
        }
        if at == 0 || tag == stop {
            break;
        }
        at = page.nodes[at as usize].parent;
    }
    NONE
}

fn is_item_start(page: &Page, block: usize) -> bool {
    let item = within(page, page.blocks[block].node, &[tags::LI], tags::TABLE);
    item != NONE && page.nodes[item as usize].first == block as u32
}

fn same_row(page: &Page, last: usize, next: usize) -> bool {
    let cell = |block: usize| within(page, page.blocks[block].node, &[tags::TD, tags::TH], tags::TABLE);
    let (from, to) = (cell(last), cell(next));
    if from == NONE || to == NONE || from == to {
        return false;
    }
    let row = page.nodes[from as usize].parent;
    let nodes = &page.nodes;
    row == nodes[to as usize].parent
        && nodes[row as usize].tag == tags::TR
        && nodes[row as usize].last - nodes[row as usize].first <= ROW_BLOCKS
        && page.block_text(last).len() <= CELL_BYTES
        && page.block_text(next).len() <= CELL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    #[test]
    fn lists_and_tables_stay_readable() {
        let page = parse("<h1>T</h1><ul><li>a<li><p>b<p>c</ul><table><tr><td>1<td>2<tr><td>3<td>4</table>");
        assert_eq!(
            render(&page, &vec![true; page.blocks.len()]),
            "T\n- a\n- b\nc\n1 | 2\n3 | 4"
        );
    }
}
