//! Bindings of [`bukvar_encode`].

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyString};
use pyo3::{ffi, intern};

use super::texts::Column;
use bukvar_encode::{
    self as encode, Around, EncodeError, Encoder, Model, NO_MERGE, Options, Text, derive_merges, over_shares,
    slices,
};

type Arrays<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>);

fn refused(error: EncodeError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn byte_slices(tokens: &[PyBackedBytes]) -> Vec<&[u8]> {
    tokens.iter().map(|token| &**token).collect()
}

/// Characters of shorter strings are read as UTF-8, whatever that costs.
const SHORT: usize = 64;
/// Characters of longer ones, too: their copies would take more than the processor's caches hold.
const LONG: usize = 1 << 20;
/// Characters that are taken from Python together. Their UTF-16, 64 KiB, stays in the processor's second cache, and
/// is half of what glibc's malloc gives back to the system as soon as it is free, only to ask for it again.
const GROUP: usize = 1 << 15;
/// Russian has three characters an id and English four, about: room is made for the more ids, once.
const CHARACTERS_PER_ID: usize = 3;
/// Bytes that a string object takes beside its characters, at most (72 + 4 in CPython 3.11).
const HEADER: usize = 80;

/// A string's text, for as long as it is held.
enum Held {
    Utf8(PyBackedStr),
    Utf16(PyBackedBytes),
}

impl Held {
    /// What costs least: the UTF-8 of strings that have it (ASCII, and what was asked for it before), the UTF-16 of
    /// others, which CPython makes eight times as fast and does not keep. Which of them a string is, its size
    /// says; if it is mistaken about that, it costs time alone.
    fn new(text: &Bound<'_, PyString>) -> PyResult<Self> {
        let count = text.len()?;
        if (SHORT..=LONG).contains(&count) {
            let size: usize = text.call_method0(intern!(text.py(), "__sizeof__"))?.extract()?;
            let bare = |width: usize| (width * count..=width * count + HEADER).contains(&size);
            if (bare(2) || bare(4))
                && let Some(units) = utf16(text)
            {
                return Ok(Self::Utf16(units));
            }
        }
        Ok(Self::Utf8(text.clone().try_into()?))
    }

    fn text(&self) -> Text<'_> {
        match self {
            Self::Utf8(text) => Text::Utf8(text),
            // Behind the mark of the order of bytes.
            Self::Utf16(units) => Text::Utf16(&units[2..]),
        }
    }
}

/// A mark of the order of bytes and the units; none for what is no text (the UTF-8 then says so).
fn utf16(text: &Bound<'_, PyString>) -> Option<PyBackedBytes> {
    let py = text.py();
    // SAFETY: the pointer is that of a string, and the thread is attached; what comes back is a new reference to
    // bytes, or null with an exception set, which `from_owned_ptr_or_err` takes.
    let units = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_AsUTF16String(text.as_ptr())) };
    Some(units.ok()?.cast_into::<PyBytes>().ok()?.into())
}

/// A string and the number of its characters.
type Sized = (Py<PyString>, usize);

fn sized(texts: Vec<Bound<'_, PyString>>) -> PyResult<Vec<Sized>> {
    let sized = |text: Bound<'_, PyString>| Ok((text.clone().unbind(), text.len()?));
    texts.into_iter().map(sized).collect()
}

fn characters(texts: &[Sized]) -> usize {
    texts.iter().map(|(_, count)| count).sum()
}

/// Calls `work`, without the interpreter, with consecutive texts, some at a time: the interpreter is taken only to
/// get at them.
fn in_groups(
    texts: &[Sized],
    mut work: impl FnMut(&[Text<'_>]) -> Result<(), EncodeError> + Send,
) -> PyResult<()> {
    // A thread that the interpreter does not know is made known once, not for each group.
    Python::attach(|py| py.detach(|| in_known_thread(texts, &mut work)))
}

fn in_known_thread(
    texts: &[Sized],
    work: &mut impl FnMut(&[Text<'_>]) -> Result<(), EncodeError>,
) -> PyResult<()> {
    let mut held = Vec::new();
    let mut start = 0;
    while start < texts.len() {
        let mut end = start;
        let mut size = 0;
        while end < texts.len() && size < GROUP {
            size += texts[end].1;
            end += 1;
        }
        Python::attach(|py| {
            held.clear();
            texts[start..end].iter().try_for_each(|(text, _)| {
                held.push(Held::new(text.bind(py))?);
                PyResult::Ok(())
            })
        })?;
        work(&held.iter().map(Held::text).collect::<Vec<_>>()).map_err(refused)?;
        start = end;
    }
    Python::attach(|_| held.clear());
    Ok(())
}

fn arrays(py: Python<'_>, batch: encode::Batch) -> Arrays<'_> {
    (batch.ids.into_pyarray(py), batch.offsets.into_pyarray(py))
}

#[pyfunction(name = "derive_merges")]
fn py_derive_merges(py: Python<'_>, tokens: Vec<PyBackedBytes>) -> PyResult<Vec<(i64, i64)>> {
    let pairs = py
        .detach(|| derive_merges(&byte_slices(&tokens)))
        .map_err(refused)?;
    let signed = |pair: (u32, u32)| {
        if pair == NO_MERGE {
            (-1, -1)
        } else {
            (pair.0.into(), pair.1.into())
        }
    };
    Ok(pairs.into_iter().map(signed).collect())
}

#[pyclass(frozen, module = "rust_ext")]
struct BpeEncoder {
    encoder: Encoder,
}

#[pymethods]
impl BpeEncoder {
    #[new]
    #[pyo3(signature = (tokens, merges, pattern, first_id = 0, cache_bytes = None, seed = None, whole = true, nfc = false))]
    #[allow(clippy::too_many_arguments)] // each by name in Python
    fn new(
        py: Python<'_>,
        tokens: Vec<PyBackedBytes>,
        merges: Option<Vec<(u32, u32)>>,
        pattern: &str,
        first_id: u32,
        cache_bytes: Option<usize>,
        seed: Option<u64>,
        whole: bool,
        nfc: bool,
    ) -> PyResult<Self> {
        let cache_bytes = cache_bytes.unwrap_or(Options::default().cache_bytes);
        let build = || {
            let tokens = byte_slices(&tokens);
            let model = match &merges {
                Some(merges) => Model::ordered(&tokens, merges, first_id)?,
                None if whole => Model::by_concatenation(&tokens, first_id)?,
                None => Model::by_concatenation(&tokens, first_id)?.without_whole(),
            };
            Encoder::new(
                model,
                pattern,
                Options {
                    cache_bytes,
                    seed,
                    nfc,
                },
            )
        };
        py.detach(build).map(|encoder| Self { encoder }).map_err(refused)
    }

    fn encode<'py>(
        &self,
        py: Python<'py>,
        text: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let held = Held::new(text)?;
        let ids = py.detach(|| self.encoder.encode(held.text())).map_err(refused)?;
        Ok(ids.into_pyarray(py))
    }

    fn count(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> PyResult<u64> {
        let held = Held::new(text)?;
        py.detach(|| self.encoder.count(held.text())).map_err(refused)
    }

    #[pyo3(signature = (texts, threads, before = None, after = None))]
    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Bound<'py, PyString>>,
        threads: usize,
        before: Option<u32>,
        after: Option<u32>,
    ) -> PyResult<Arrays<'py>> {
        let texts = sized(texts)?;
        let around = Around { before, after };
        let parts = py.detach(|| {
            over_shares(
                &texts,
                |text| text.1,
                threads,
                |texts| {
                    let mut part = encode::Batch::default();
                    part.ids.reserve(characters(texts) / CHARACTERS_PER_ID);
                    in_groups(texts, |group| self.encoder.append(group, around, &mut part))?;
                    PyResult::Ok(part)
                },
            )
            .map(encode::Batch::joined)
        })?;
        Ok(arrays(py, parts))
    }

    fn count_batch<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Bound<'py, PyString>>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let texts = sized(texts)?;
        let counts = py.detach(|| {
            over_shares(
                &texts,
                |text| text.1,
                threads,
                |texts| {
                    let mut counts = Vec::with_capacity(texts.len());
                    in_groups(texts, |group| self.encoder.append_counts(group, &mut counts))?;
                    PyResult::Ok(counts)
                },
            )
        })?;
        Ok(counts.concat().into_pyarray(py))
    }

    #[pyo3(signature = (column, threads, before = None, after = None))]
    fn encode_buffer<'py>(
        &self,
        py: Python<'py>,
        column: Column<'py>,
        threads: usize,
        before: Option<u32>,
        after: Option<u32>,
    ) -> PyResult<Arrays<'py>> {
        let texts = column.texts()?;
        let around = Around { before, after };
        let work = || {
            self.encoder
                .encode_batch(&slices(texts.data, texts.offsets)?, around, threads)
        };
        Ok(arrays(py, py.detach(work).map_err(refused)?))
    }

    fn count_buffer<'py>(
        &self,
        py: Python<'py>,
        column: Column<'py>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let texts = column.texts()?;
        let work = || {
            self.encoder
                .count_batch(&slices(texts.data, texts.offsets)?, threads)
        };
        Ok(py.detach(work).map_err(refused)?.into_pyarray(py))
    }

    /// The ids of pretokens given as bytes, which need not be whole characters, and the offsets at which each begins.
    fn merge_bytes<'py>(&self, py: Python<'py>, pieces: Vec<PyBackedBytes>) -> Arrays<'py> {
        let batch = py.detach(|| {
            let (mut batch, mut one) = (encode::Batch::default(), Vec::new());
            for piece in &pieces {
                if piece.is_empty() {
                    one.clear();
                } else {
                    self.encoder.model().merge(piece, &mut one);
                }
                batch.ids.extend_from_slice(&one);
                batch.offsets.push(batch.ids.len() as i64);
            }
            batch
        });
        arrays(py, batch)
    }

    fn decode<'py>(&self, py: Python<'py>, ids: PyReadonlyArray1<'py, u32>) -> PyResult<Bound<'py, PyBytes>> {
        let ids = ids.as_slice()?;
        let bytes = py.detach(|| self.encoder.decode(ids)).map_err(refused)?;
        Ok(PyBytes::new(py, &bytes))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(py_derive_merges, module)?)?;
    module.add_class::<BpeEncoder>()
}
