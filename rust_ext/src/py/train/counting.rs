//! Counting pretokens, and counts files.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use super::super::{split, texts::Column};
use super::{interruptible, to_python};
use bukvar_train::count;
use bukvar_train::counts::{self, Header, Keep, Piece, Reader};
use bukvar_train::table::CountTable;

/// Counts pretokens of documents.
#[pyclass(module = "rust_ext")]
pub struct PretokenCounter {
    inner: Option<count::Counter>,
}

impl PretokenCounter {
    fn inner(&mut self) -> PyResult<&mut count::Counter> {
        let gone = || PyValueError::new_err("this counter has given its counts away");
        self.inner.as_mut().ok_or_else(gone)
    }

    fn take(&mut self) -> PyResult<count::Counter> {
        self.inner
            .take()
            .ok_or_else(|| PyValueError::new_err("this counter has given its counts away"))
    }
}

#[pymethods]
impl PretokenCounter {
    #[new]
    #[pyo3(signature = (pattern, threads, memory, spill=None))]
    fn new(pattern: &str, threads: usize, memory: usize, spill: Option<PathBuf>) -> PyResult<Self> {
        let inner = count::Counter::new(pattern, threads, memory, spill.as_deref());
        Ok(Self {
            inner: Some(inner.map_err(split::to_python)?),
        })
    }

    fn add(&mut self, py: Python<'_>, column: Column<'_>) -> PyResult<()> {
        let inner = self.inner()?;
        let texts = column.texts()?;
        let offsets: Vec<usize> = texts.offsets.iter().map(|&offset| offset as usize).collect();
        interruptible(py, None, |progress| inner.add(texts.data, &offsets, progress))
    }

    /// Counts documents, now or on another thread later.
    fn add_texts(&mut self, py: Python<'_>, texts: Vec<PyBackedBytes>) -> PyResult<()> {
        let inner = self.inner()?;
        let documents = texts.into_iter().map(|text| Box::new(text) as count::Document);
        let documents = documents.collect();
        interruptible(py, None, |progress| inner.hand_over(documents, progress))
    }

    #[pyo3(signature = (path, progress=None))]
    fn finish(&mut self, py: Python<'_>, path: PathBuf, progress: Option<Py<PyAny>>) -> PyResult<()> {
        let inner = self.take()?;
        interruptible(py, progress.as_ref(), |progress| inner.finish(&path, progress))?;
        Ok(())
    }

    fn counts(&mut self, py: Python<'_>) -> PyResult<PretokenCounts> {
        let inner = self.take()?;
        let (tables, header) = interruptible(py, None, |progress| inner.into_tables(progress))?;
        Ok(PretokenCounts { tables, header })
    }
}

/// Counts held in memory.
#[pyclass(module = "rust_ext")]
pub struct PretokenCounts {
    /// One of each thread that counted; their counts are to be added up.
    pub(super) tables: Vec<CountTable>,
    header: Header,
}

impl PretokenCounts {
    /// All counts in one table.
    fn table(&mut self) -> &CountTable {
        let table = CountTable::joined(std::mem::take(&mut self.tables));
        self.tables.push(table);
        &self.tables[0]
    }
}

#[pymethods]
impl PretokenCounts {
    fn __len__(&mut self, py: Python<'_>) -> usize {
        py.detach(|| self.table().types())
    }

    fn write(&mut self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        interruptible(py, None, |progress| {
            let header = self.header.clone();
            counts::write(&path, self.table(), &header, progress)
        })?;
        Ok(())
    }
}

#[pyfunction]
#[pyo3(signature = (paths, out_path, min_count, max_types, weights, progress=None))]
pub(super) fn counts_merge(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    out_path: PathBuf,
    min_count: u64,
    max_types: u64,
    weights: Vec<f64>,
    progress: Option<Py<PyAny>>,
) -> PyResult<()> {
    let wrong = weights.iter().any(|weight| !weight.is_finite() || *weight < 0.0);
    if wrong || !weights.is_empty() && weights.len() != paths.len() {
        return Err(PyValueError::new_err(
            "weights must be as many as the counts files, and none negative",
        ));
    }
    let keep = Keep { min_count, max_types };
    interruptible(py, progress.as_ref(), |progress| {
        counts::merge(&paths, &weights, &out_path, keep, progress)
    })?;
    Ok(())
}

#[pyfunction]
pub(super) fn counts_header<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyDict>> {
    let reader = Reader::open(&path).map_err(to_python)?;
    let header = reader.header();
    let about = PyDict::new(py);
    about.set_item("pattern", &header.pattern)?;
    for (name, value) in [
        ("documents", header.documents),
        ("bytes", header.bytes),
        ("pretokens", header.pretokens),
        ("dropped_pretokens", header.dropped_pretokens),
        ("dropped_types", header.dropped_types),
        ("types", header.short_types + header.long_types),
    ] {
        about.set_item(name, value)?;
    }
    Ok(about)
}

#[pyfunction]
pub(super) fn counts_items<'py>(py: Python<'py>, path: PathBuf) -> PyResult<Vec<(Bound<'py, PyBytes>, u64)>> {
    let mut reader = Reader::open(&path).map_err(to_python)?;
    let mut items = Vec::new();
    while let Some((piece, count)) = reader.read().map_err(to_python)? {
        let mut short = [0; 32];
        let bytes = match &piece {
            Piece::Short(key) => {
                let len = key.decode(&mut short);
                &short[..len]
            }
            Piece::Long(long) => long,
        };
        items.push((PyBytes::new(py, bytes), count));
    }
    Ok(items)
}
