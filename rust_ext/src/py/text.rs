//! Bindings of `text`: Arrow string buffers in, numpy arrays out.

use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::texts::Column;
use bukvar_text::{letters, signals};

/// Fills a matrix of one row a name and one column a text.
pub(super) fn matrix<'py, T: numpy::Element + Copy + Default + Send, const N: usize>(
    py: Python<'py>,
    column: &Column<'py>,
    mut measure: impl FnMut(&str) -> [T; N] + Send,
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let texts = column.texts()?;
    let count = texts.len();
    let values = py.detach(|| {
        let mut values = vec![T::default(); N * count];
        for (number, text) in texts.lossy().enumerate() {
            for (row, value) in measure(&text).into_iter().enumerate() {
                values[row * count + number] = value;
            }
        }
        values
    });
    numpy::PyArray1::from_vec(py, values).reshape([N, count])
}

#[pyfunction]
fn text_signals<'py>(
    py: Python<'py>,
    column: Column<'py>,
    stop_words: Vec<String>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let mut maker = signals::SignalMaker::new(&stop_words);
    matrix(py, &column, |text| maker.measure(text))
}

#[pyfunction]
fn letter_counts<'py>(py: Python<'py>, column: Column<'py>) -> PyResult<Bound<'py, PyArray2<u64>>> {
    matrix(py, &column, letters::evidence)
}

#[pyfunction]
fn text_samples(
    py: Python<'_>,
    column: Column<'_>,
    cyrillic_only: PyReadonlyArray1<'_, bool>,
    windows: usize,
    chars: usize,
) -> PyResult<Vec<String>> {
    let texts = column.texts()?;
    let only = cyrillic_only.as_slice()?;
    if only.len() != texts.len() {
        return Err(PyValueError::new_err("cyrillic_only must have one value a text"));
    }
    Ok(py.detach(|| {
        texts
            .lossy()
            .zip(only)
            .map(|(text, &only)| letters::sample(&text, windows, chars, only))
            .collect()
    }))
}

#[pyfunction]
fn text_tokens(py: Python<'_>, text: String) -> Vec<String> {
    py.detach(|| {
        bukvar_text::words::tokens(&text)
            .map(|t| text[t.start..t.end].to_owned())
            .collect()
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SIGNAL_NAMES", signals::NAMES)?;
    module.add("LETTER_NAMES", letters::NAMES)?;
    module.add_function(wrap_pyfunction!(text_signals, module)?)?;
    module.add_function(wrap_pyfunction!(letter_counts, module)?)?;
    module.add_function(wrap_pyfunction!(text_samples, module)?)?;
    module.add_function(wrap_pyfunction!(text_tokens, module)?)
}
