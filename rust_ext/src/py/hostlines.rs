//! `rust_ext.HostLinesWriter`, `rust_ext.HostLinesStripper`, `rust_ext.hostlines_count`.

use std::path::PathBuf;
use std::sync::Mutex;

use super::texts::{Column, Edited, PyEdited, Texts, utf8};
use bukvar_hostlines::{Stripper, Writer, count};
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

type Array<'py, T> = Bound<'py, PyArray1<T>>;
/// The edited column or None, lines dropped, characters dropped, by row.
type Rows<'py> = (PyEdited<'py>, Array<'py, i32>, Array<'py, i64>);

/// Two columns of equal length.
fn pages<'a>(hosts: &'a Column<'_>, texts: &'a Column<'_>) -> PyResult<(Texts<'a>, Texts<'a>)> {
    let (hosts, texts) = (hosts.texts()?, texts.texts()?);
    if hosts.len() != texts.len() {
        return Err(PyValueError::new_err("hosts and texts differ in length"));
    }
    Ok((hosts, texts))
}

enum Failed {
    Value(String),
    Os(std::io::Error),
}

impl From<String> for Failed {
    fn from(error: String) -> Self {
        Self::Value(error)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Os(error)
    }
}

impl From<Failed> for PyErr {
    fn from(error: Failed) -> Self {
        match error {
            Failed::Value(text) => PyValueError::new_err(text),
            Failed::Os(error) => PyOSError::new_err(error.to_string()),
        }
    }
}

/// Writes the digests of a shard's lines.
#[pyclass(frozen)]
struct HostLinesWriter {
    writer: Mutex<Option<Writer>>,
}

#[pymethods]
impl HostLinesWriter {
    #[new]
    fn new(path: PathBuf, buckets: usize) -> PyResult<Self> {
        let writer = Writer::create(&path, buckets).map_err(Failed::from)?;
        Ok(Self {
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Adds pages: hosts and texts, two Arrow large_string arrays of equal length.
    fn add(&self, py: Python<'_>, hosts: Column<'_>, texts: Column<'_>) -> PyResult<()> {
        let (hosts, texts) = pages(&hosts, &texts)?;
        py.detach(|| -> Result<(), Failed> {
            let mut writer = self.writer.lock().map_err(|e| e.to_string())?;
            let writer = writer.as_mut().ok_or_else(|| "the writer is closed".to_owned())?;
            for (row, (host, text)) in hosts.bytes().zip(texts.bytes()).enumerate() {
                writer.add(utf8(row, host)?, utf8(row, text)?)?;
            }
            Ok(())
        })
        .map_err(PyErr::from)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| -> Result<(), Failed> {
            let writer = self.writer.lock().map_err(|e| e.to_string())?.take();
            Ok(writer.map_or(Ok(()), Writer::close)?)
        })
        .map_err(PyErr::from)
    }
}

/// Takes lines that stand on many pages of a host out of texts.
#[pyclass(frozen)]
struct HostLinesStripper {
    stripper: Stripper,
}

#[pymethods]
impl HostLinesStripper {
    /// own: the shard's file of a writer; counted: the outputs of `hostlines_count`, one a bucket, in order.
    #[new]
    fn new(py: Python<'_>, own: PathBuf, counted: Vec<PathBuf>) -> PyResult<Self> {
        let stripper = py
            .detach(|| Stripper::open(&own, &counted))
            .map_err(Failed::from)?;
        Ok(Self { stripper })
    }

    fn rows<'py>(&self, py: Python<'py>, hosts: Column<'py>, texts: Column<'py>) -> PyResult<Rows<'py>> {
        let (hosts, texts) = pages(&hosts, &texts)?;
        let (edited, lines, chars) = py
            .detach(|| -> Result<_, Failed> {
                let mut edited = Edited::new(texts);
                let (mut lines, mut chars) = (vec![0i32; texts.len()], vec![0i64; texts.len()]);
                for (row, (host, text)) in hosts.bytes().zip(texts.bytes()).enumerate() {
                    let stripped = self.stripper.strip(utf8(row, host)?, utf8(row, text)?);
                    if let Some(stripped) = &stripped {
                        lines[row] = stripped.lines.try_into().unwrap_or(i32::MAX);
                        chars[row] = stripped.chars as i64;
                    }
                    edited.push(stripped.as_ref().map(|stripped| &*stripped.text));
                }
                Ok((edited, lines, chars))
            })
            .map_err(PyErr::from)?;
        Ok((
            edited.into_python(py),
            lines.into_pyarray(py),
            chars.into_pyarray(py),
        ))
    }
}

/// Writes the digests of one bucket that stand on more than `pages` pages: (lines, those of more pages).
#[pyfunction]
fn hostlines_count(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    bucket: usize,
    pages: usize,
    out: PathBuf,
) -> PyResult<(u64, u64)> {
    Ok(py
        .detach(|| count(&paths, bucket, pages, &out))
        .map_err(Failed::from)?)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<HostLinesWriter>()?;
    module.add_class::<HostLinesStripper>()?;
    module.add_function(wrap_pyfunction!(hostlines_count, module)?)
}
