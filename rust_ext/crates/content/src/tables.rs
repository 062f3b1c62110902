//! Tables of data: which rows are rows of data and not of a layout, and which column each of their cells is in.

use std::collections::HashMap;

use super::tags;
use super::tree::Page;

/// Letters and other characters of a cell of data; a layout's cells hold whole columns of text.
const CELL_CHARS: usize = 300;
/// Runs of text in a cell of data.
const CELL_BLOCKS: u32 = 12;
/// Columns of a table; what lies beyond is in the last one.
const MOST_COLUMNS: usize = 512;

/// A cell and its column.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub node: u32,
    pub column: usize,
}

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    pub node: u32,
    pub cells: Vec<Cell>,
    /// Index into [`Tables::columns`].
    pub table: usize,
    /// All cells are short and hold text only: a row of data.
    pub is_data: bool,
    /// All of its cells that say anything are header cells, or it stands in `thead`.
    pub is_header: bool,
}

/// The tables of a page.
#[derive(Debug, Default)]
pub struct Tables {
    pub rows: Vec<Row>,
    /// Of each table: which columns hold anything in a row of data.
    pub columns: Vec<Vec<bool>>,
    /// Row of each cell, by node.
    row_of: HashMap<u32, u32>,
}

/// Where cells of rows above reach down into: rows left by column.
#[derive(Default)]
struct Grid {
    table: usize,
    reach: Vec<u32>,
}

impl Tables {
    /// Finds the rows of a page's tables, in the order of their start tags.
    pub fn of(page: &Page) -> Self {
        let mut tables = Tables::default();
        let mut grids: HashMap<u32, Grid> = HashMap::new();
        let mut rows: HashMap<u32, usize> = HashMap::new();
        for (at, node) in page.nodes.iter().enumerate() {
            let at = at as u32;
            if node.tag == tags::TR {
                let table = table_of(page, at);
                let grid = grids.entry(table).or_insert_with(|| {
                    tables.columns.push(Vec::new());
                    Grid {
                        table: tables.columns.len() - 1,
                        reach: Vec::new(),
                    }
                });
                for left in &mut grid.reach {
                    *left = left.saturating_sub(1);
                }
                rows.insert(at, tables.rows.len());
                tables.rows.push(Row {
                    node: at,
                    cells: Vec::new(),
                    table: grid.table,
                    is_data: true,
                    is_header: page.nodes[node.parent as usize].tag == tags::THEAD,
                });
            } else if matches!(node.tag, tags::TD | tags::TH)
                && let Some(&row) = rows.get(&node.parent)
                && page.gutters.binary_search(&at).is_err()
            {
                let table = table_of(page, node.parent);
                if let Some(grid) = grids.get_mut(&table) {
                    let column = place(page, at, &tables.rows[row], grid);
                    tables.rows[row].cells.push(Cell { node: at, column });
                    tables.row_of.insert(at, row as u32);
                }
            }
        }
        tables.judge(page);
        tables
    }

    fn judge(&mut self, page: &Page) {
        for row in &mut self.rows {
            row.is_data = row.cells.len() > 1 && row.cells.iter().all(|cell| is_of_data(page, cell.node));
            let mut said = row
                .cells
                .iter()
                .filter(|cell| !is_empty(page, cell.node))
                .peekable();
            row.is_header |=
                said.peek().is_some() && said.all(|cell| page.nodes[cell.node as usize].tag == tags::TH);
            if row.is_data {
                let columns = &mut self.columns[row.table];
                for cell in row.cells.iter().filter(|cell| !is_empty(page, cell.node)) {
                    if columns.len() <= cell.column {
                        columns.resize(cell.column + 1, false);
                    }
                    columns[cell.column] = true;
                }
            }
        }
    }

    /// The row of data in which a block stands: its index.
    pub fn row_of_block(&self, page: &Page, block: usize) -> Option<usize> {
        if self.rows.is_empty() {
            return None;
        }
        let mut at = page.blocks[block].node;
        // Cells of data are not deep.
        for _ in 0..12 {
            match page.nodes[at as usize].tag {
                tags::TD | tags::TH => {
                    let row = *self.row_of.get(&at)? as usize;
                    return self.rows[row].is_data.then_some(row);
                }
                tags::TABLE => return None,
                _ if at == 0 => return None,
                _ => at = page.nodes[at as usize].parent,
            }
        }
        None
    }
}

/// The blocks of a node.
pub fn blocks_of(page: &Page, node: u32) -> std::ops::Range<usize> {
    let node = &page.nodes[node as usize];
    node.first as usize..node.last as usize
}

fn is_empty(page: &Page, cell: u32) -> bool {
    blocks_of(page, cell).is_empty()
}

fn table_of(page: &Page, row: u32) -> u32 {
    let mut at = page.nodes[row as usize].parent;
    while at != 0 && page.nodes[at as usize].tag != tags::TABLE {
        at = page.nodes[at as usize].parent;
    }
    at
}

/// The column of the next cell of a row; notes how far it reaches.
fn place(page: &Page, cell: u32, row: &Row, grid: &mut Grid) -> usize {
    let span_of = |node: u32| {
        page.spans
            .binary_search_by_key(&node, |span| span.node)
            .map_or((1, 1), |at| (page.spans[at].columns, page.spans[at].rows))
    };
    let mut column = row
        .cells
        .last()
        .map_or(0, |last| last.column + span_of(last.node).0 as usize);
    while grid.reach.get(column).is_some_and(|&left| left > 0) && column < MOST_COLUMNS {
        column += 1;
    }
    let column = column.min(MOST_COLUMNS - 1);
    let (columns, rows) = span_of(cell);
    let end = (column + columns as usize).min(MOST_COLUMNS);
    if rows > 1 {
        if grid.reach.len() < end {
            grid.reach.resize(end, 0);
        }
        // Counted down at the start of each row that follows.
        grid.reach[column..end].fill(u32::from(rows));
    }
    column
}

/// True for a cell that holds a little text and nothing that a layout would put there.
fn is_of_data(page: &Page, cell: u32) -> bool {
    let blocks = blocks_of(page, cell);
    if blocks.len() as u32 > CELL_BLOCKS {
        return false;
    }
    let mut chars = 0;
    for block in blocks {
        let (at, text) = (&page.blocks[block], page.block_text(block));
        let mut node = at.node;
        while node != cell {
            let tag = page.nodes[node as usize].tag;
            if tags::heading(tag) > 0
                || matches!(tag, tags::TABLE | tags::PRE | tags::FORM | tags::ARTICLE)
                || node == 0
            {
                return false;
            }
            node = page.nodes[node as usize].parent;
        }
        chars += text.chars().count();
        if chars > CELL_CHARS {
            return false;
        }
    }
    true
}

/// Chooses what is missing of rows of data that are chosen for the greater part, and the header of a table whose rows
/// are chosen.
pub fn complete(page: &Page, tables: &Tables, words: &[u32], chosen: &mut [bool]) {
    // (rows of data, those of them that are chosen) by table
    let mut counts = vec![(0u32, 0u32); tables.columns.len()];
    for row in tables.rows.iter().filter(|row| row.is_data && !row.is_header) {
        let blocks = blocks_of(page, row.node);
        let sum = |only_chosen: bool| -> u32 {
            blocks
                .clone()
                .filter(|&block| chosen[block] || !only_chosen)
                .map(|block| words[block].max(1))
                .sum()
        };
        let (all, taken) = (sum(false), sum(true));
        let is_chosen = taken * 2 >= all && taken > 0;
        let counts = &mut counts[row.table];
        *counts = (counts.0 + 1, counts.1 + u32::from(is_chosen));
        if is_chosen && tables.columns[row.table].iter().filter(|&&filled| filled).count() > 1 {
            chosen[blocks].fill(true);
        }
    }
    for row in tables.rows.iter().filter(|row| row.is_data && row.is_header) {
        let (rows, taken) = counts[row.table];
        if taken > 0 && taken * 2 >= rows {
            chosen[blocks_of(page, row.node)].fill(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    fn columns(html: &str) -> Vec<Vec<usize>> {
        let page = parse(html);
        let tables = Tables::of(&page);
        tables
            .rows
            .iter()
            .map(|row| row.cells.iter().map(|cell| cell.column).collect())
            .collect()
    }

    #[test]
    fn cells_that_span_push_others_aside() {
        let html = "<table><tr><td rowspan=2>a<td colspan=2>b<tr><td>c<td>d<tr><td>e<td>f<td>g</table>";
        assert_eq!(columns(html), [vec![0, 1], vec![1, 2], vec![0, 1, 2]]);
        assert_eq!(
            columns("<table><tr><td><table><tr><td>a<td>b</table><td>c</table>"),
            [vec![0, 1], vec![0, 1]]
        );
    }

    #[test]
    fn rows_are_completed_and_headers_kept() {
        let page = parse(
            "<table><tr><th>A<th>B<tr><td>один два три<td>5<tr><td>четыре пять<td>6</table><table><tr><th>C<th>D</table>",
        );
        let tables = Tables::of(&page);
        let mut chosen: Vec<bool> = (0..page.blocks.len()).map(|at| at == 2 || at == 4).collect();
        complete(&page, &tables, &vec![2; page.blocks.len()], &mut chosen);
        assert_eq!(chosen, [true, true, true, true, true, true, false, false]);
    }
}
