//! `rust_ext.PiiMask`.

use bukvar_pii::{Finder, Kind, Mask, Scratch, Style};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Rows that changed: Arrow's offsets and data of all rows.
type Changed<'py> = Option<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u8>>)>;
/// Finds row after row: the number of finds before each row, then start, end and kind of each.
type Spans<'py> = (
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<i8>>,
);
type Rows<'py> = (Changed<'py>, Bound<'py, PyArray1<i32>>, Spans<'py>);

/// Finds personal data and masks it.
#[pyclass(frozen)]
struct PiiMask {
    mask: Mask,
}

#[derive(Default)]
struct Done {
    changed: Option<(Vec<i64>, Vec<u8>)>,
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
    fn mask_rows(&self, offsets: &[i64], data: &[u8]) -> Result<Done, String> {
        let rows = offsets.len().saturating_sub(1);
        let mut done = Done {
            counts: vec![0; rows * Kind::ALL.len()],
            offsets: vec![0],
            ..Done::default()
        };
        let mut scratch = Scratch::default();
        for (number, ends) in offsets.windows(2).enumerate() {
            let row = (usize::try_from(ends[0]).ok())
                .zip(usize::try_from(ends[1]).ok())
                .and_then(|(start, end)| data.get(start..end))
                .ok_or_else(|| format!("row {number} lies outside of its buffer"))?;
            let text =
                std::str::from_utf8(row).map_err(|error| format!("row {number} is not UTF-8: {error}"))?;
            let masked = self.mask.mask(text, &mut scratch);
            if done.changed.is_none() && masked.is_some() {
                let before = data[offsets[0] as usize..ends[0] as usize].to_vec();
                done.changed = Some((
                    offsets[..=number].iter().map(|end| end - offsets[0]).collect(),
                    before,
                ));
            }
            for &(start, end, kind) in masked.iter().flat_map(|m| &m.spans) {
                done.counts[number * Kind::ALL.len() + kind as usize] += 1;
                done.starts.push(int(start)?);
                done.ends.push(int(end)?);
                done.kinds.push(kind as i8);
            }
            done.offsets.push(int(done.starts.len())?);
            if let Some((starts, texts)) = &mut done.changed {
                texts.extend_from_slice(masked.as_ref().map_or(text, |m| &m.text).as_bytes());
                starts.push(texts.len() as i64);
            }
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

    /// Masks the rows of an Arrow large_string array: ((offsets, data) or None where nothing changed, finds by
    /// kind row after row, (offsets, starts, ends, kinds) of the masks in characters of the masked text).
    fn rows<'py>(
        &self,
        py: Python<'py>,
        offsets: PyReadonlyArray1<'py, i64>,
        data: PyReadonlyArray1<'py, u8>,
    ) -> PyResult<Rows<'py>> {
        let (offsets, data) = (offsets.as_slice()?, data.as_slice()?);
        let done = py
            .detach(|| self.mask_rows(offsets, data))
            .map_err(PyValueError::new_err)?;
        let changed = done
            .changed
            .map(|(offsets, data)| (offsets.into_pyarray(py), data.into_pyarray(py)));
        let spans = (
            done.offsets.into_pyarray(py),
            done.starts.into_pyarray(py),
            done.ends.into_pyarray(py),
            done.kinds.into_pyarray(py),
        );
        Ok((changed, done.counts.into_pyarray(py), spans))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("PII_KINDS", Kind::ALL.map(Kind::name).to_vec())?;
    module.add("PII_PLACEHOLDERS", Kind::ALL.map(Kind::placeholder).to_vec())?;
    module.add_class::<PiiMask>()
}
