//! Bindings of `text`: Arrow string buffers in, numpy arrays out.

use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use bukvar_text::{letters, signals};

/// The texts of an Arrow `large_string` column: its data and offset buffers.
pub(super) struct Texts<'a> {
    data: &'a [u8],
    offsets: &'a [i64],
}

impl<'a> Texts<'a> {
    pub(super) fn new(data: &'a [u8], offsets: &'a [i64]) -> PyResult<Self> {
        let ordered = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        let inside = offsets.first().is_none_or(|&first| first >= 0)
            && offsets
                .last()
                .is_none_or(|&last| last as u64 <= data.len() as u64);
        if offsets.is_empty() || !ordered || !inside {
            return Err(PyValueError::new_err(
                "offsets must be n + 1 ascending positions in the data",
            ));
        }
        Ok(Self { data, offsets })
    }

    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Each text; bytes that are not UTF-8 read as U+FFFD.
    pub(super) fn iter(&self) -> impl Iterator<Item = std::borrow::Cow<'a, str>> {
        let data = self.data;
        self.offsets.windows(2).map(move |pair| {
            let bytes = &data[pair[0] as usize..pair[1] as usize];
            // The strict check is twice as fast as the lenient one, and nearly always enough.
            std::str::from_utf8(bytes)
                .map_or_else(|_| String::from_utf8_lossy(bytes), std::borrow::Cow::Borrowed)
        })
    }
}

/// Fills a matrix of one row a name and one column a text.
pub(super) fn matrix<'py, T: numpy::Element + Copy + Default + Send, const N: usize>(
    py: Python<'py>,
    data: &PyReadonlyArray1<'py, u8>,
    offsets: &PyReadonlyArray1<'py, i64>,
    mut measure: impl FnMut(&str) -> [T; N] + Send,
) -> PyResult<Bound<'py, PyArray2<T>>> {
    let texts = Texts::new(data.as_slice()?, offsets.as_slice()?)?;
    let count = texts.len();
    let values = py.detach(|| {
        let mut values = vec![T::default(); N * count];
        for (column, text) in texts.iter().enumerate() {
            for (row, value) in measure(&text).into_iter().enumerate() {
                values[row * count + column] = value;
            }
        }
        values
    });
    numpy::PyArray1::from_vec(py, values).reshape([N, count])
}

#[pyfunction]
fn text_signals<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'py, u8>,
    offsets: PyReadonlyArray1<'py, i64>,
    stop_words: Vec<String>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let mut maker = signals::SignalMaker::new(&stop_words);
    matrix(py, &data, &offsets, |text| maker.measure(text))
}

#[pyfunction]
fn letter_counts<'py>(
    py: Python<'py>,
    data: PyReadonlyArray1<'py, u8>,
    offsets: PyReadonlyArray1<'py, i64>,
) -> PyResult<Bound<'py, PyArray2<u64>>> {
    matrix(py, &data, &offsets, letters::evidence)
}

#[pyfunction]
fn text_samples(
    py: Python<'_>,
    data: PyReadonlyArray1<'_, u8>,
    offsets: PyReadonlyArray1<'_, i64>,
    cyrillic_only: PyReadonlyArray1<'_, bool>,
    windows: usize,
    chars: usize,
) -> PyResult<Vec<String>> {
    let texts = Texts::new(data.as_slice()?, offsets.as_slice()?)?;
    let only = cyrillic_only.as_slice()?;
    if only.len() != texts.len() {
        return Err(PyValueError::new_err("cyrillic_only must have one value a text"));
    }
    Ok(py.detach(|| {
        texts
            .iter()
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
