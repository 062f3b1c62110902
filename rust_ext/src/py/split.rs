//! Python bindings of `split`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use bukvar_split::{self as split, patterns};

/// A compiled split pattern.
#[pyclass(frozen, module = "rust_ext")]
pub struct Splitter {
    pub inner: split::Splitter,
}

#[pymethods]
impl Splitter {
    #[new]
    fn new(pattern: &str) -> PyResult<Self> {
        Ok(Self {
            inner: split::Splitter::new(pattern).map_err(to_python)?,
        })
    }

    /// True where the pattern is written out by hand.
    #[getter]
    fn by_hand(&self) -> bool {
        self.inner.is_by_hand()
    }

    fn split<'text>(&self, py: Python<'_>, text: &'text str) -> PyResult<Vec<&'text str>> {
        let ends = py.detach(|| self.inner.ends(text)).map_err(to_python)?;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        Ok(starts.zip(&ends).map(|(start, &end)| &text[start..end]).collect())
    }
}

#[pyfunction]
fn split_patterns() -> Vec<(&'static str, &'static str)> {
    patterns::NAMED.to_vec()
}

/// Names of patterns that tokenizer.json writes as several splits in a row, with these.
#[pyfunction]
fn split_sequences() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![("deepseek3", patterns::DEEPSEEK3_SPLITS.to_vec())]
}

#[pyfunction]
fn split_safe_cut(data: &[u8]) -> usize {
    split::Splitter::last_safe_cut(data)
}

pub fn to_python(error: split::SplitError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Splitter>()?;
    module.add_function(wrap_pyfunction!(split_safe_cut, module)?)?;
    module.add_function(wrap_pyfunction!(split_sequences, module)?)?;
    module.add_function(wrap_pyfunction!(split_patterns, module)?)
}
