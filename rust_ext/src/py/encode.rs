//! Bindings of `bpe::encode`.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyBytes;

use crate::bpe::encode::{EncodeError, Encoder, Model, NO_MERGE, Options, derive_merges, slices};

type Batch<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>);

fn refused(error: EncodeError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn byte_slices(tokens: &[PyBackedBytes]) -> Vec<&[u8]> {
    tokens.iter().map(|token| &**token).collect()
}

fn str_slices(texts: &[PyBackedStr]) -> Vec<&str> {
    texts.iter().map(|text| &**text).collect()
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
    #[pyo3(signature = (tokens, merges, pattern, first_id = 0, cache_bytes = None, seed = None))]
    fn new(
        py: Python<'_>,
        tokens: Vec<PyBackedBytes>,
        merges: Option<Vec<(u32, u32)>>,
        pattern: &str,
        first_id: u32,
        cache_bytes: Option<usize>,
        seed: Option<u64>,
    ) -> PyResult<Self> {
        let cache_bytes = cache_bytes.unwrap_or(Options::default().cache_bytes);
        let build = || {
            let tokens = byte_slices(&tokens);
            let model = match &merges {
                Some(merges) => Model::ordered(&tokens, merges, first_id)?,
                None => Model::by_concatenation(&tokens, first_id)?,
            };
            Encoder::new(model, pattern, Options { cache_bytes, seed })
        };
        py.detach(build).map(|encoder| Self { encoder }).map_err(refused)
    }

    fn encode<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let ids = py.detach(|| self.encoder.encode(text)).map_err(refused)?;
        Ok(ids.into_pyarray(py))
    }

    fn count(&self, py: Python<'_>, text: &str) -> PyResult<u64> {
        py.detach(|| self.encoder.count(text)).map_err(refused)
    }

    fn encode_batch<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<PyBackedStr>,
        threads: usize,
    ) -> PyResult<Batch<'py>> {
        let (ids, offsets) = py
            .detach(|| self.encoder.encode_batch(&str_slices(&texts), threads))
            .map_err(refused)?;
        Ok((ids.into_pyarray(py), offsets.into_pyarray(py)))
    }

    fn count_batch<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<PyBackedStr>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let counts = py
            .detach(|| self.encoder.count_batch(&str_slices(&texts), threads))
            .map_err(refused)?;
        Ok(counts.into_pyarray(py))
    }

    fn encode_buffer<'py>(
        &self,
        py: Python<'py>,
        data: PyReadonlyArray1<'py, u8>,
        offsets: PyReadonlyArray1<'py, i64>,
        threads: usize,
    ) -> PyResult<Batch<'py>> {
        let (data, offsets) = (data.as_slice()?, offsets.as_slice()?);
        let work = || self.encoder.encode_batch(&slices(data, offsets)?, threads);
        let (ids, offsets) = py.detach(work).map_err(refused)?;
        Ok((ids.into_pyarray(py), offsets.into_pyarray(py)))
    }

    fn count_buffer<'py>(
        &self,
        py: Python<'py>,
        data: PyReadonlyArray1<'py, u8>,
        offsets: PyReadonlyArray1<'py, i64>,
        threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let (data, offsets) = (data.as_slice()?, offsets.as_slice()?);
        let work = || self.encoder.count_batch(&slices(data, offsets)?, threads);
        Ok(py.detach(work).map_err(refused)?.into_pyarray(py))
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
