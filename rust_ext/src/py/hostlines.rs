//! `rust_ext.HostLinesWriter`, `rust_ext.HostLinesStripper`, `rust_ext.hostlines_count`.

use std::path::PathBuf;
use std::sync::Mutex;

use bukvar_hostlines::{Stripper, Writer, count};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

type Array<'py, T> = Bound<'py, PyArray1<T>>;
/// ((offsets, data) or None where nothing changed, lines dropped, characters dropped), by row.
type Rows<'py> = (
    Option<(Array<'py, i64>, Array<'py, u8>)>,
    Array<'py, i32>,
    Array<'py, i64>,
);

/// Rows of an Arrow large_string array.
struct Texts<'a> {
    offsets: &'a [i64],
    data: &'a [u8],
}

impl<'a> Texts<'a> {
    fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    fn get(&self, row: usize) -> Result<&'a str, String> {
        let bytes = (usize::try_from(self.offsets[row]).ok())
            .zip(usize::try_from(self.offsets[row + 1]).ok())
            .and_then(|(start, end)| self.data.get(start..end))
            .ok_or_else(|| format!("row {row} lies outside of its buffer"))?;
        std::str::from_utf8(bytes).map_err(|error| format!("row {row} is not UTF-8: {error}"))
    }
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
    fn add(
        &self,
        py: Python<'_>,
        host_offsets: PyReadonlyArray1<'_, i64>,
        host_data: PyReadonlyArray1<'_, u8>,
        offsets: PyReadonlyArray1<'_, i64>,
        data: PyReadonlyArray1<'_, u8>,
    ) -> PyResult<()> {
        let hosts = Texts {
            offsets: host_offsets.as_slice()?,
            data: host_data.as_slice()?,
        };
        let texts = Texts {
            offsets: offsets.as_slice()?,
            data: data.as_slice()?,
        };
        if hosts.rows() != texts.rows() {
            return Err(PyValueError::new_err("hosts and texts differ in length"));
        }
        py.detach(|| -> Result<(), Failed> {
            let mut writer = self.writer.lock().map_err(|e| e.to_string())?;
            let writer = writer.as_mut().ok_or_else(|| "the writer is closed".to_owned())?;
            for row in 0..texts.rows() {
                writer.add(hosts.get(row)?, texts.get(row)?)?;
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

    fn rows<'py>(
        &self,
        py: Python<'py>,
        host_offsets: PyReadonlyArray1<'py, i64>,
        host_data: PyReadonlyArray1<'py, u8>,
        offsets: PyReadonlyArray1<'py, i64>,
        data: PyReadonlyArray1<'py, u8>,
    ) -> PyResult<Rows<'py>> {
        let hosts = Texts {
            offsets: host_offsets.as_slice()?,
            data: host_data.as_slice()?,
        };
        let texts = Texts {
            offsets: offsets.as_slice()?,
            data: data.as_slice()?,
        };
        if hosts.rows() != texts.rows() {
            return Err(PyValueError::new_err("hosts and texts differ in length"));
        }
        let (changed, lines, chars) = py
            .detach(|| -> Result<_, Failed> {
                let mut changed = false;
                let (mut starts, mut out) = (vec![0i64], Vec::new());
                let (mut lines, mut chars) = (vec![0i32; texts.rows()], vec![0i64; texts.rows()]);
                for row in 0..texts.rows() {
                    let text = texts.get(row)?;
                    match self.stripper.strip(hosts.get(row)?, text) {
                        Some(stripped) => {
                            changed = true;
                            lines[row] = stripped.lines.try_into().unwrap_or(i32::MAX);
                            chars[row] = stripped.chars as i64;
                            out.extend_from_slice(stripped.text.as_bytes());
                        }
                        None => out.extend_from_slice(text.as_bytes()),
                    }
                    starts.push(out.len() as i64);
                }
                Ok((changed.then_some((starts, out)), lines, chars))
            })
            .map_err(PyErr::from)?;
        let changed = changed.map(|(starts, out)| (starts.into_pyarray(py), out.into_pyarray(py)));
        Ok((changed, lines.into_pyarray(py), chars.into_pyarray(py)))
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
