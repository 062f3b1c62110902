//! Bindings of [`bukvar_dedup`].

use super::texts::Column;
use bukvar_dedup::format::{ID, Scheme};
use bukvar_dedup::sign::{ShardSigner, TextSigner, exact_hash};
use bukvar_dedup::text::Normalised;
use bukvar_dedup::{DedupError, group, minhash, resolve};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::io;
use std::path::PathBuf;

fn refused(error: DedupError) -> PyErr {
    match error {
        // Keeps the number, so that Python raises FileNotFoundError and the like.
        DedupError::Io(path, io_error) => match io_error.raw_os_error() {
            Some(number) => {
                let name = path.display().to_string();
                PyOSError::new_err((number, plain(&io_error), name))
            }
            None => PyOSError::new_err(format!("{}: {io_error}", path.display())),
        },
        other => PyValueError::new_err(other.to_string()),
    }
}

/// An error's words without Rust's "(os error 2)": Python shows the number itself.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Signs the documents of one shard.
#[pyclass(module = "rust_ext")]
struct DedupSigner(ShardSigner);

#[pymethods]
impl DedupSigner {
    #[new]
    #[pyo3(signature = (*, bands, rows, ngram, seed, buckets, keep_signatures))]
    fn new(
        bands: u32,
        rows: u32,
        ngram: u32,
        seed: u64,
        buckets: u32,
        keep_signatures: bool,
    ) -> PyResult<Self> {
        let scheme = Scheme {
            shard: 0,
            bands,
            rows,
            ngram,
            buckets,
            seed,
            keep_signatures,
        };
        Ok(Self(ShardSigner::new(scheme).map_err(refused)?))
    }

    /// Adds documents: `ids` holds 16 bytes each.
    fn add(&mut self, py: Python<'_>, ids: PyReadonlyArray1<'_, u8>, column: Column<'_>) -> PyResult<()> {
        let texts = column.texts()?;
        let (ids, odd) = ids.as_slice()?.as_chunks::<ID>();
        if !odd.is_empty() || ids.len() != texts.len() {
            return Err(PyValueError::new_err(
                "ids and texts are of different numbers of documents",
            ));
        }
        let signer = &mut self.0;
        py.detach(|| {
            ids.iter()
                .zip(texts.bytes())
                .try_for_each(|(id, text)| signer.add(id, text))
        })
        .map_err(refused)
    }

    /// Writes the `.sign` file, atomically.
    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.write(&path).map_err(refused))
    }

    fn __len__(&self) -> usize {
        self.0.documents()
    }
}

type SignatureAndBands<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u64>>);

/// A text's signature and its band hashes. The signature has one value a function, all 2^32 - 1 where
/// the text has no words.
#[pyfunction]
#[pyo3(signature = (text, *, bands, rows, ngram, seed))]
fn dedup_signature<'py>(
    py: Python<'py>,
    text: &str,
    bands: u32,
    rows: u32,
    ngram: u32,
    seed: u64,
) -> PyResult<SignatureAndBands<'py>> {
    let scheme = Scheme {
        shard: 0,
        bands,
        rows,
        ngram,
        buckets: 1,
        seed,
        keep_signatures: false,
    };
    scheme.check().map_err(refused)?;
    let (signature, hashes) = py.detach(|| {
        let mut signer = TextSigner::new(&scheme);
        signer.read(text);
        (
            signer.signature().to_vec(),
            signer.band_hashes().collect::<Vec<_>>(),
        )
    });
    Ok((PyArray1::from_vec(py, signature), PyArray1::from_vec(py, hashes)))
}

/// A text normalised as the exact hash sees it, and its words.
#[pyfunction]
fn dedup_words(text: &str) -> (String, Vec<String>) {
    let mut normalised = Normalised::default();
    normalised.read(text);
    let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        string(normalised.bytes()),
        normalised.words().map(string).collect(),
    )
}

/// 16-byte hash of a text, normalised.
#[pyfunction]
fn dedup_exact_hash<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyBytes> {
    let hash = py.detach(|| {
        let mut normalised = Normalised::default();
        normalised.read(text);
        exact_hash(normalised.bytes())
    });
    PyBytes::new(py, &hash)
}

/// Phase 2: writes the edges of one bucket of all shards; returns the numbers of exact and near edges.
#[pyfunction]
#[pyo3(signature = (bucket, paths, out_path, *, verify))]
fn dedup_group(
    py: Python<'_>,
    bucket: u32,
    paths: Vec<PathBuf>,
    out_path: PathBuf,
    verify: f64,
) -> PyResult<(u64, u64)> {
    let edges = py
        .detach(|| group::group(bucket, &paths, &out_path, verify))
        .map_err(refused)?;
    Ok((edges.exact, edges.near))
}

/// Phase 3: writes each shard's marks; returns documents, clusters, exact, near, largest cluster.
#[pyfunction]
fn dedup_resolve(
    py: Python<'_>,
    signs: Vec<PathBuf>,
    edges: Vec<PathBuf>,
    marks: Vec<PathBuf>,
) -> PyResult<(u64, u64, u64, u64, u32)> {
    let found = py
        .detach(|| resolve::resolve(&signs, &edges, &marks))
        .map_err(refused)?;
    Ok((
        found.documents,
        found.clusters,
        found.exact,
        found.near,
        found.largest,
    ))
}

/// Names of the signature kernels that this machine can run, the one in use first.
#[pyfunction]
fn dedup_kernels() -> Vec<&'static str> {
    minhash::kernels().into_iter().map(|(name, _)| name).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<DedupSigner>()?;
    module.add_function(wrap_pyfunction!(dedup_signature, module)?)?;
    module.add_function(wrap_pyfunction!(dedup_words, module)?)?;
    module.add_function(wrap_pyfunction!(dedup_exact_hash, module)?)?;
    module.add_function(wrap_pyfunction!(dedup_group, module)?)?;
    module.add_function(wrap_pyfunction!(dedup_resolve, module)?)?;
    module.add_function(wrap_pyfunction!(dedup_kernels, module)?)?;
    Ok(())
}
