//! The bridge between Arrow's text columns and the kernels, in both directions. Its other side is
//! `rust_ext/arrow.py`.

use std::borrow::Cow;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A NumPy array of one dimension that goes to Python.
pub type Array<'py, T> = Bound<'py, PyArray1<T>>;

/// A text column as it comes from Python: the data and the n + 1 offsets of an Arrow large_string array.
#[derive(FromPyObject)]
pub struct Column<'py>(PyReadonlyArray1<'py, u8>, PyReadonlyArray1<'py, i64>);

impl Column<'_> {
    /// The texts, without a copy. Raises ValueError where the offsets do not rise or leave the data.
    pub fn texts(&self) -> PyResult<Texts<'_>> {
        let data = if self.0.len() == 0 {
            &[]
        } else {
            self.0.as_slice()?
        };
        Texts::new(data, self.1.as_slice()?)
    }
}

/// The texts of a column.
#[derive(Clone, Copy)]
pub struct Texts<'a> {
    pub data: &'a [u8],
    pub offsets: &'a [i64],
}

impl<'a> Texts<'a> {
    fn new(data: &'a [u8], offsets: &'a [i64]) -> PyResult<Self> {
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

    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The bytes of each text.
    pub fn bytes(self) -> impl Iterator<Item = &'a [u8]> {
        let range = |pair: &[i64]| pair[0] as usize..pair[1] as usize;
        self.offsets.windows(2).map(move |pair| &self.data[range(pair)])
    }

    /// Each text; bytes that are not UTF-8 read as U+FFFD.
    pub fn lossy(self) -> impl Iterator<Item = Cow<'a, str>> {
        // The strict check is many times as fast as the lenient one, and nearly always enough.
        self.bytes().map(|bytes| {
            simdutf8::basic::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
        })
    }
}

/// One text of a column; an error, with its number, where it is not UTF-8.
pub fn utf8(number: usize, bytes: &[u8]) -> Result<&str, String> {
    simdutf8::compat::from_utf8(bytes).map_err(|error| format!("row {number} is not UTF-8: {error}"))
}

/// A column some of whose texts are replaced, given in order. Nothing is copied before the first replacement.
pub struct Edited<'a> {
    texts: Texts<'a>,
    rows: usize,
    changed: Option<(Vec<u8>, Vec<i64>)>,
}

/// The data and the offsets of an edited column, None where nothing was replaced.
pub type PyEdited<'py> = Option<(Array<'py, u8>, Array<'py, i64>)>;

impl<'a> Edited<'a> {
    pub fn new(texts: Texts<'a>) -> Self {
        Self {
            texts,
            rows: 0,
            changed: None,
        }
    }

    /// The next text: as it is in the column, or replaced.
    pub fn push(&mut self, replaced: Option<&str>) {
        let Texts { data, offsets } = self.texts;
        let (start, end) = (offsets[self.rows] as usize, offsets[self.rows + 1] as usize);
        if self.changed.is_none() && replaced.is_some() {
            let first = offsets[0];
            let mut copy = Vec::with_capacity(data.len());
            copy.extend_from_slice(&data[first as usize..start]);
            let ends = offsets[..=self.rows].iter().map(|end| end - first);
            self.changed = Some((copy, ends.collect()));
        }
        if let Some((copy, ends)) = &mut self.changed {
            copy.extend_from_slice(replaced.map_or(&data[start..end], str::as_bytes));
            ends.push(copy.len() as i64);
        }
        self.rows += 1;
    }

    pub fn into_python(self, py: Python<'_>) -> PyEdited<'_> {
        self.changed
            .map(|(data, offsets)| (data.into_pyarray(py), offsets.into_pyarray(py)))
    }
}
