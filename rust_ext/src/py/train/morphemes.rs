//! Segmented words, by which merges across morphemes are counted.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::interruptible;
use bukvar_train::boundaries::Boundaries;

/// Segmented words.
#[pyclass(frozen, module = "rust_ext", name = "MorphemeBoundaries")]
pub struct MorphemeBoundaries {
    pub(super) inner: Boundaries,
}

#[pymethods]
impl MorphemeBoundaries {
    #[new]
    fn new(py: Python<'_>, lines: &str) -> PyResult<Self> {
        Ok(Self {
            inner: interruptible(py, None, |progress| Boundaries::parse(lines, 1, progress))?,
        })
    }

    /// Reads a file of such lines.
    #[staticmethod]
    #[pyo3(signature = (path, threads=1))]
    fn read(py: Python<'_>, path: PathBuf, threads: usize) -> PyResult<Self> {
        Ok(Self {
            inner: interruptible(py, None, |progress| Boundaries::read(&path, threads, progress))?,
        })
    }

    fn __len__(&self) -> usize {
        self.inner.words()
    }

    /// The byte offsets above 0 at which a morpheme begins in a pretoken.
    fn starts(&self, piece: &[u8]) -> Vec<usize> {
        let mut starts = Vec::new();
        if !piece.is_empty() {
            self.inner.find(piece, &mut starts);
        }
        starts
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, start)| **start)
            .map(|(at, _)| at)
            .collect()
    }
}
