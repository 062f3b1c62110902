//! `rust_ext.PiiMask`.

use super::texts::{Array, Column, Edited, PyEdited, Texts, utf8};
use bukvar_pii::{Finder, Kind, Mask, Scratch, Style};
use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Finds row after row: the number of finds before each row, then start, end and kind of each.
type Spans<'py> = (Array<'py, i32>, Array<'py, i32>, Array<'py, i32>, Array<'py, i8>);
type Rows<'py> = (PyEdited<'py>, Array<'py, i32>, Spans<'py>);

/// Finds personal data and masks it.
#[pyclass(frozen)]
struct PiiMask {
    mask: Mask,
}

struct Done<'a> {
    edited: Edited<'a>,
    counts: Vec<i32>,
    offsets: Vec<i32>,
    starts: Vec<i32>,
    ends: Vec<i32>,
    kinds: Vec<i8>,
}

/// A count of characters; a text that passes the range of Arrow's int32 is not one that a list can index.
fn int(value: usize) -> Result<i32, String> {
    i32::try_from(value).map_err(|_| "a text is longer than 2,147,483,647 characters".to_owned())
}

impl PiiMask {
    fn mask_rows<'a>(&self, texts: Texts<'a>) -> Result<Done<'a>, String> {
        let mut done = Done {
            edited: Edited::new(texts),
            counts: vec![0; texts.len() * Kind::ALL.len()],
            offsets: vec![0],
            starts: Vec::new(),
            ends: Vec::new(),
            kinds: Vec::new(),
        };
        let mut scratch = Scratch::default();
        for (number, bytes) in texts.bytes().enumerate() {
            let masked = self.mask.mask(utf8(number, bytes)?, &mut scratch);
            done.edited.push(masked.as_ref().map(|masked| &*masked.text));
            for &(start, end, kind) in masked.iter().flat_map(|m| &m.spans) {
                done.counts[number * Kind::ALL.len() + kind as usize] += 1;
                done.starts.push(int(start)?);
                done.ends.push(int(end)?);
                done.kinds.push(kind as i8);
            }
            done.offsets.push(int(done.starts.len())?);
        }
        Ok(done)
    }
}

#[pymethods]
impl PiiMask {
    /// Masks `kinds`; style: "type", "stars" or "pseudonym" (with a key of 1 to 64 bytes).
    #[new]
    #[pyo3(signature = (kinds, style = "type", key = None))]
    fn new(py: Python<'_>, kinds: Vec<String>, style: &str, key: Option<Vec<u8>>) -> PyResult<Self> {
        let named: Result<Vec<Kind>, String> = (kinds.iter())
            .map(|name| Kind::of_name(name).ok_or_else(|| format!("{name:?} is no kind of personal data")))
            .collect();
        let named = named.map_err(PyValueError::new_err)?;
        let style = match (style, key) {
            ("type", _) => Style::Type,
            ("stars", _) => Style::Stars,
            ("pseudonym", Some(key)) if (1..=64).contains(&key.len()) => Style::Pseudonym(key),
            ("pseudonym", _) => {
                return Err(PyValueError::new_err(
                    "style \"pseudonym\" needs a key of 1 to 64 bytes",
                ));
            }
            _ => {
                return Err(PyValueError::new_err(
                    "style is \"type\", \"stars\" or \"pseudonym\"",
                ));
            }
        };
        let finder = py.detach(|| Finder::new(&named)).map_err(PyValueError::new_err)?;
        Ok(Self {
            mask: Mask { finder, style },
        })
    }

    /// Finds of one text: (start, end, kind, rank), in characters, in order.
    fn find(&self, py: Python<'_>, text: &str) -> Vec<(usize, usize, &'static str, u8)> {
        py.detach(|| {
            let (mut at, mut chars) = (0, 0);
            let mut out = Vec::new();
            for found in self.mask.finder.find(text, &mut Scratch::default()) {
                chars += text[at..found.start].chars().count();
                let start = chars;
                chars += text[found.start..found.end].chars().count();
                at = found.end;
                out.push((start, chars, found.kind.name(), found.rank));
            }
            out
        })
    }

    /// One text masked.
    fn mask(&self, py: Python<'_>, text: &str) -> Option<String> {
        py.detach(|| self.mask.mask(text, &mut Scratch::default()).map(|m| m.text))
    }

    /// Masks a column: (the edited column or None, finds by kind row after row, (offsets, starts, ends, kinds) of
    /// the masks in characters of the masked text).
    fn rows<'py>(&self, py: Python<'py>, column: Column<'py>) -> PyResult<Rows<'py>> {
        let texts = column.texts()?;
        let done = py
            .detach(|| self.mask_rows(texts))
            .map_err(PyValueError::new_err)?;
        let spans = (
            done.offsets.into_pyarray(py),
            done.starts.into_pyarray(py),
            done.ends.into_pyarray(py),
            done.kinds.into_pyarray(py),
        );
        Ok((done.edited.into_python(py), done.counts.into_pyarray(py), spans))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("PII_KINDS", Kind::ALL.map(Kind::name).to_vec())?;
    module.add("PII_PLACEHOLDERS", Kind::ALL.map(Kind::placeholder).to_vec())?;
    module.add_class::<PiiMask>()
}
