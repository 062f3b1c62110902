//! `rust_ext.WarcReader`, `rust_ext.warc_layout`, `rust_ext.gate_judge`, `rust_ext.gate_judge_beginning`, `rust_ext.gate_tables`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use bukvar_gate as gate;
use bukvar_warc::{Dropped, Layout, Limits, Page, PartReader, Record};

/// Bytes read of a local file at a time: few enough that they are still in the processor's cache when they are
/// inflated.
const LOCAL_STEP: usize = 256 << 10;

/// A local file, or a Python object whose `read(n)` gives at most n bytes and b"" at the end; parts ask for `seek(n)`, too.
enum Source {
    Local(File),
    Python(Py<PyAny>),
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Local(file) => {
                let step = buffer.len().min(LOCAL_STEP);
                file.read(&mut buffer[..step])
            }
            Source::Python(file) => Python::attach(|py| {
                let bytes = file.call_method1(py, "read", (buffer.len(),))?;
                let bytes: &[u8] = bytes.extract(py).map_err(PyErr::from)?;
                let Some(space) = buffer.get_mut(..bytes.len()) else {
                    return Err(io::Error::other("read(n) of the source gave more than n bytes"));
                };
                space.copy_from_slice(bytes);
                Ok(bytes.len())
            }),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match (self, to) {
            (Source::Local(file), _) => file.seek(to),
            (Source::Python(file), SeekFrom::Start(offset)) => Python::attach(|py| {
                file.call_method1(py, "seek", (offset,))?;
                Ok(offset)
            }),
            (Source::Python(_), _) => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }
}

/// Iterates over a crawl file in batches of records.
#[pyclass(module = "rust_ext._native")]
struct WarcReader {
    // Taken while a batch is read without the GIL; back afterwards.
    reader: Option<PartReader<Source>>,
}

/// Rows of one kind, column by column: strings as (int32 offsets, bytes), numbers as little-endian bytes.
#[derive(Default)]
struct Strings {
    offsets: Vec<u8>,
    bytes: Vec<u8>,
}

impl Strings {
    fn push(&mut self, text: &str) {
        if self.offsets.is_empty() {
            self.offsets.extend_from_slice(&0i32.to_le_bytes());
        }
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets
            .extend_from_slice(&(self.bytes.len() as i32).to_le_bytes());
    }
}

#[derive(Default)]
struct Rows {
    records: usize,
    bytes: usize,
    pages: Vec<Page>,
    skipped: Vec<(String, u64)>,
    url: Strings,
    record_id: Strings,
    detail: Strings,
    offset: Vec<u8>,
    fetched_at: Vec<u8>,
    reason: Vec<u8>,
}

/// Stands for "no date" in the dropped records' column; no real date is that far away.
const NO_DATE: i64 = i64::MIN;

impl Rows {
    fn push(&mut self, record: Record) {
        self.records += 1;
        match record {
            Record::Page(page) => {
                self.bytes += page.body.len();
                self.pages.push(*page);
            }
            Record::Dropped(dropped) => self.push_dropped(&dropped),
            Record::Skipped(name) => match self.skipped.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => self.skipped.push((name, 1)),
            },
        }
    }

    fn push_dropped(&mut self, dropped: &Dropped) {
        self.bytes += dropped.url.len() + dropped.detail.len() + dropped.record_id.len();
        self.url.push(&dropped.url);
        self.record_id.push(&dropped.record_id);
        self.detail.push(&dropped.detail);
        self.offset.extend_from_slice(&dropped.offset.to_le_bytes());
        self.fetched_at
            .extend_from_slice(&dropped.fetched_at.unwrap_or(NO_DATE).to_le_bytes());
        self.reason.push(dropped.reason as u8);
    }

    fn read(reader: &mut PartReader<Source>, max_records: usize, max_bytes: usize) -> io::Result<Self> {
        let mut rows = Rows::default();
        while rows.records < max_records && rows.bytes < max_bytes {
            match reader.next_record()? {
                Some(record) => rows.push(record),
                None => break,
            }
        }
        Ok(rows)
    }

    fn into_dict<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let pages: Vec<_> = self
            .pages
            .into_iter()
            .map(|page| page_fields(py, page))
            .collect::<PyResult<_>>()?;
        let strings = |s: &Strings| (PyBytes::new(py, &s.offsets), PyBytes::new(py, &s.bytes));
        let dict = PyDict::new(py);
        dict.set_item("records", self.records)?;
        dict.set_item("pages", pages)?;
        dict.set_item("skipped", self.skipped)?;
        dict.set_item("url", strings(&self.url))?;
        dict.set_item("record_id", strings(&self.record_id))?;
        dict.set_item("detail", strings(&self.detail))?;
        dict.set_item("offset", PyBytes::new(py, &self.offset))?;
        dict.set_item("fetched_at", PyBytes::new(py, &self.fetched_at))?;
        dict.set_item("reason", PyBytes::new(py, &self.reason))?;
        Ok(dict)
    }
}

/// A page's fields by the names of `corpus.extract.warc.Page`.
fn page_fields<'py>(py: Python<'py>, page: Page) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("url", page.url)?;
    fields.set_item("host", page.host)?;
    fields.set_item("fetched_at", page.fetched_at)?;
    fields.set_item("record_id", page.record_id)?;
    fields.set_item("offset", page.offset)?;
    fields.set_item("record_type", page.record_type)?;
    fields.set_item("status", page.status)?;
    fields.set_item("content_type", page.content_type)?;
    fields.set_item("http_charset", page.http_charset)?;
    fields.set_item("rights", page.rights)?;
    fields.set_item("damage", page.damage)?;
    fields.set_item("truncated", page.truncated)?;
    fields.set_item("is_text", page.is_text)?;
    fields.set_item("body", PyBytes::new(py, &page.body))?;
    Ok(fields)
}

#[pymethods]
impl WarcReader {
    /// `source` is a path or an object with `read(n)`. Pages may be dropped by their records' first `look` bytes,
    /// with `skim` if the rest surely holds no Cyrillic; with 0 all are read whole. `part` is the range of offsets of
    /// the part of the file that is to be read, None for all of it.
    #[new]
    #[pyo3(signature = (source, gate, max_record_bytes, look = 0, skim = false, part = None))]
    fn new(
        source: &Bound<'_, PyAny>,
        gate: bool,
        max_record_bytes: usize,
        look: usize,
        skim: bool,
        part: Option<(u64, u64)>,
    ) -> PyResult<Self> {
        let local = match source.extract::<std::path::PathBuf>() {
            Ok(path) => Source::Local(File::open(path)?),
            Err(_) => Source::Python(source.clone().unbind()),
        };
        let limits = Limits {
            max_record_bytes,
            gate,
            look,
            skim,
        };
        let reader = match part {
            Some((start, stop)) => source
                .py()
                .detach(|| PartReader::new(local, limits, start, stop))?,
            None => PartReader::whole(local, limits),
        };
        Ok(WarcReader { reader: Some(reader) })
    }

    /// Up to `max_records` records, fewer where their pages pass `max_bytes`; `records` is 0 at the end.
    fn next_batch<'py>(
        &mut self,
        py: Python<'py>,
        max_records: usize,
        max_bytes: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let Some(reader) = self.reader.as_mut() else {
            return Err(PyRuntimeError::new_err("the reader is closed"));
        };
        let rows = py.detach(|| Rows::read(reader, max_records, max_bytes))?;
        rows.into_dict(py)
    }

    /// Lets go of the source.
    fn close(&mut self) {
        self.reader = None;
    }
}

/// How the records of a crawl file lie in it, by its first bytes: "plain", "members" or "whole"; None for what is no
/// crawl file, or packed otherwise.
#[pyfunction]
fn warc_layout(py: Python<'_>, head: &[u8]) -> Option<&'static str> {
    match py.detach(|| Layout::of(head)) {
        Layout::Plain => Some("plain"),
        Layout::Members => Some("members"),
        Layout::Whole => Some("whole"),
        Layout::Other => None,
    }
}

/// (keep, Cyrillic letters, ASCII letters, charset, pair cost) of a payload's bytes.
#[pyfunction]
#[pyo3(signature = (body, http_charset = None))]
fn gate_judge(
    py: Python<'_>,
    body: &[u8],
    http_charset: Option<&str>,
) -> (bool, u32, u32, &'static str, u32) {
    fields(py.detach(|| gate::judge(body, http_charset)))
}

fn fields(verdict: gate::Verdict) -> (bool, u32, u32, &'static str, u32) {
    let gate::Verdict {
        keep,
        cyrillic,
        latin,
        charset,
        pair_cost,
    } = verdict;
    (keep, cyrillic, latin, charset, pair_cost)
}

/// The same of the beginning of a page, where that suffices to drop it; None where the whole page has to be judged.
#[pyfunction]
#[pyo3(signature = (beginning, url = "", http_charset = None))]
fn gate_judge_beginning(
    py: Python<'_>,
    beginning: &[u8],
    url: &str,
    http_charset: Option<&str>,
) -> Option<(bool, u32, u32, &'static str, u32)> {
    match py.detach(|| gate::judge_beginning(beginning, url, http_charset)) {
        gate::Beginning::Foreign(verdict) => Some(fields(verdict)),
        gate::Beginning::Silent | gate::Beginning::Open => None,
    }
}

/// Name and byte symbols of a charset.
type Charset = (&'static str, Vec<u8>);

/// What the gate's oracle needs of the letter model: (name, symbol of each byte) of each single-byte charset, the
/// first symbol that is a letter, the number of symbols n, and the n * n costs in tenths of a nat.
#[pyfunction]
fn gate_tables() -> (Vec<Charset>, u8, usize, Vec<u32>) {
    gate::tables()
}

/// Adds this file's names.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<WarcReader>()?;
    module.add("WARC_REASONS", bukvar_warc::REASONS.to_vec())?;
    module.add_function(wrap_pyfunction!(warc_layout, module)?)?;
    module.add_function(wrap_pyfunction!(gate_judge, module)?)?;
    module.add_function(wrap_pyfunction!(gate_judge_beginning, module)?)?;
    module.add_function(wrap_pyfunction!(gate_tables, module)?)
}
