//! `rust_ext.Decontaminator`.

use super::texts::{Array, Column, Edited, PyEdited, Texts, utf8};
use bukvar_decontaminate::{Index, Scratch, cut, span};
use bukvar_dedup::text::word_spans;
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Matches row after row: how many stand before each row, then item, first byte, end and words of each.
type Matches<'py> = (
    Array<'py, i64>,
    Array<'py, u32>,
    Array<'py, i64>,
    Array<'py, i64>,
    Array<'py, i32>,
);
type Rows<'py> = (PyEdited<'py>, Array<'py, i32>, Matches<'py>);

/// Finds texts of benchmarks in documents.
#[pyclass(frozen)]
struct Decontaminator {
    index: Index,
}

struct Done<'a> {
    edited: Edited<'a>,
    covered: Vec<i32>,
    offsets: Vec<i64>,
    items: Vec<u32>,
    starts: Vec<i64>,
    ends: Vec<i64>,
    words: Vec<i32>,
}

impl Decontaminator {
    fn find_rows<'a>(&self, texts: Texts<'a>, cutting: bool) -> Result<Done<'a>, String> {
        let mut done = Done {
            edited: Edited::new(texts),
            covered: Vec::with_capacity(texts.len()),
            offsets: vec![0],
            items: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            words: Vec::new(),
        };
        let mut scratch = Scratch::default();
        for (number, bytes) in texts.bytes().enumerate() {
            let text = utf8(number, bytes)?;
            let matches = self.index.find(text, &mut scratch);
            let (mut covered, mut reached) = (0, 0);
            let spans = if matches.is_empty() {
                Vec::new()
            } else {
                word_spans(text)
            };
            for &found in &matches {
                covered += found.end.saturating_sub(found.start.max(reached));
                reached = reached.max(found.end);
                let range = span(&spans, found);
                done.items.push(found.item);
                done.starts.push(range.start as i64);
                done.ends.push(range.end as i64);
                done.words.push((found.end - found.start) as i32);
            }
            done.covered.push(covered as i32);
            done.offsets.push(done.items.len() as i64);
            let left = (cutting && !matches.is_empty()).then(|| cut(text, &spans, &matches));
            done.edited.push(left.as_deref());
        }
        Ok(done)
    }
}

#[pymethods]
impl Decontaminator {
    /// Reads texts of benchmarks, `items[k]` being the number of the item that text k is of.
    #[new]
    #[pyo3(signature = (column, items, *, n, min_words))]
    fn new(
        py: Python<'_>,
        column: Column<'_>,
        items: PyReadonlyArray1<'_, u32>,
        n: usize,
        min_words: usize,
    ) -> PyResult<Self> {
        let (texts, items) = (column.texts()?, items.as_slice()?);
        if texts.len() != items.len() {
            return Err(PyValueError::new_err("texts and items differ in number"));
        }
        let index = py.detach(|| {
            let read: Result<Vec<&str>, String> = (texts.bytes().enumerate())
                .map(|(number, bytes)| utf8(number, bytes))
                .collect();
            Index::new(items.iter().copied().zip(read?), n, min_words)
        });
        Ok(Self {
            index: index.map_err(PyValueError::new_err)?,
        })
    }

    /// Number of words of each text of the benchmarks.
    fn words<'py>(&self, py: Python<'py>) -> Array<'py, u32> {
        self.index.sizes().to_vec().into_pyarray(py)
    }

    /// Finds in a column: (the column without the sentences that matches touch, or None where nothing was cut;
    /// words of each row that lie in matches; (offsets, items, starts, ends, words) of the matches, starts and
    /// ends in bytes of the row).
    #[pyo3(signature = (column, *, cut))]
    fn rows<'py>(&self, py: Python<'py>, column: Column<'py>, cut: bool) -> PyResult<Rows<'py>> {
        let texts = column.texts()?;
        let done = py
            .detach(|| self.find_rows(texts, cut))
            .map_err(PyValueError::new_err)?;
        let matches = (
            done.offsets.into_pyarray(py),
            done.items.into_pyarray(py),
            done.starts.into_pyarray(py),
            done.ends.into_pyarray(py),
            done.words.into_pyarray(py),
        );
        Ok((
            done.edited.into_python(py),
            done.covered.into_pyarray(py),
            matches,
        ))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Decontaminator>()
}
