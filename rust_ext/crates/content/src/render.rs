//! Chosen blocks as text: paragraphs are lines, items begin with "- ", cells of a row of data are joined by " | ".

use super::tables::{Row, Tables, blocks_of};
use super::tags;
use super::tree::{NONE, Page};

/// The text of the chosen blocks.
pub fn render(page: &Page, tables: &Tables, chosen: &[bool]) -> String {
    let mut out = String::new();
    let mut block = 0;
    while block < page.blocks.len() {
        if !chosen[block] {
            block += 1;
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        if is_item_start(page, block) {
            out.push_str("- ");
        }
        match tables.row_of_block(page, block) {
            Some(row) => {
                let row = &tables.rows[row];
                print_row(page, tables, row, chosen, &mut out);
                block = blocks_of(page, row.node).end.max(block + 1);
            }
            None => {
                out.push_str(page.block_text(block));
                block += 1;
            }
        }
    }
    out
}

/// A row on one line: an empty cell keeps its place where its column holds anything in another row.
fn print_row(page: &Page, tables: &Tables, row: &Row, chosen: &[bool], out: &mut String) {
    let said: Vec<(usize, String)> = row
        .cells
        .iter()
        .map(|cell| {
            let texts = blocks_of(page, cell.node)
                .filter(|&block| chosen[block])
                .map(|block| page.block_text(block).replace('\n', " "));
            (cell.column, texts.collect::<Vec<_>>().join(" "))
        })
        .collect();
    if said.iter().filter(|(_, text)| !text.is_empty()).count() < 2 {
        let texts: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).collect();
        return out.push_str(&texts.concat());
    }
    let is_left_out = |column: usize| {
        row.cells.iter().any(|cell| {
            let blocks = blocks_of(page, cell.node);
            cell.column == column && !blocks.is_empty() && !blocks.into_iter().any(|block| chosen[block])
        })
    };
    let begin = out.len();
    let mut first = true;
    for (column, &is_filled) in tables.columns[row.table].iter().enumerate() {
        if !is_filled || is_left_out(column) {
            continue;
        }
        let text = said
            .binary_search_by_key(&column, |(column, _)| *column)
            .map_or("", |at| said[at].1.as_str());
        out.push_str(if first { "" } else { " | " });
        out.push_str(text);
        first = false;
    }
    let line = out[begin..].trim_matches(' ').to_owned();
    out.truncate(begin);
    out.push_str(&line);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    fn shown(html: &str) -> String {
        let page = parse(html);
        render(&page, &Tables::of(&page), &vec![true; page.blocks.len()])
    }

    #[test]
    fn lists_and_tables_stay_readable() {
        assert_eq!(
            shown("<h1>T</h1><ul><li>a<li><p>b<p>c</ul><table><tr><td>1<td>2<tr><td>3<td>4</table>"),
            "T\n- a\n- b\nc\n1 | 2\n3 | 4"
        );
    }

    #[test]
    fn empty_cells_keep_their_places_where_the_column_is_one() {
        let html = "<table><tr><th><th>Улов<th>Цена<tr><td>2018<td><td>110<tr><td>2019<td>31<td></table>";
        assert_eq!(shown(html), "| Улов | Цена\n2018 |  | 110\n2019 | 31 |");
        let spacers = "<table><tr><td>a<td><td>b<tr><td>c<td><td>d</table>";
        assert_eq!(shown(spacers), "a | b\nc | d");
        let spans = "<table><tr><th rowspan=2>Год<th colspan=2>Улов<tr><th>весна<th>осень<tr><td>2018<td>1<td>2</table>";
        assert_eq!(shown(spans), "Год | Улов |\n| весна | осень\n2018 | 1 | 2");
    }

    #[test]
    fn breaks_and_paragraphs_do_not_tear_a_row() {
        let html = "<table><tr><td>a<br>b<td><p>c</p><p>d</p><td>e</table>";
        assert_eq!(shown(html), "a b | c d | e");
        let wide: String = (0..30).map(|n| format!("<td>{n}")).collect();
        assert_eq!(
            shown(&format!("<table><tr>{wide}</table>"))
                .matches(" | ")
                .count(),
            29
        );
    }

    #[test]
    fn a_layout_is_no_table() {
        let long = "слово ".repeat(100);
        let html = format!("<table><tr><td>меню<td>{long}</table>");
        assert_eq!(shown(&html), format!("меню\n{}", long.trim()));
        assert_eq!(shown("<table><tr><td><h2>A</h2>b<td>c</table>"), "A\nb\nc");
    }
}
