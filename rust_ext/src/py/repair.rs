//! `rust_ext.repair_text`, `rust_ext.repair_rows`, `rust_ext.repair_single_byte`,
//! `rust_ext.repair_utf8`.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use bukvar_repair::{KINDS, Options, is_plain, repair, single, utf8};

/// (repaired text, one count a kind). `wanted` has bit n for the kind n.
#[pyfunction]
fn repair_text(py: Python<'_>, text: &str, wanted: u8) -> (String, [i32; KINDS]) {
    py.detach(|| {
        let (repaired, counts) = repair(text, &Options(wanted));
        (repaired.into_owned(), counts.0)
    })
}

/// A text with single-byte mix-ups undone in the lines that are broken, None where none proves to be: one layer,
/// without the gate (`is_plain`) before it. What `corpus/clean/reference_lines.py` says slowly.
#[pyfunction]
fn repair_single_byte(py: Python<'_>, text: &str) -> Option<String> {
    py.detach(|| single::undo_where(text, |_| true).map(|(undone, _)| undone))
}

/// The same for one layer of misread UTF-8; its slow twin is `corpus/clean/reference_utf8.py`.
#[pyfunction]
fn repair_utf8(py: Python<'_>, text: &str) -> Option<String> {
    py.detach(|| utf8::undo_where(text, |_| true).map(|(undone, _)| undone))
}

type Rows<'py> = (
    Option<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u8>>)>,
    Bound<'py, PyArray1<i32>>,
);

/// Repairs the rows of an Arrow large_string array: ((offsets, data) or None where nothing changed, counts of
/// KINDS a row, row after row). Row n is data[offsets[n]..offsets[n + 1]].
#[pyfunction]
fn repair_rows<'py>(
    py: Python<'py>,
    offsets: PyReadonlyArray1<'py, i64>,
    data: PyReadonlyArray1<'py, u8>,
    wanted: u8,
) -> PyResult<Rows<'py>> {
    let (offsets, data) = (offsets.as_slice()?, data.as_slice()?);
    let done = py.detach(|| rows(offsets, data, Options(wanted)));
    let (changed, counts) = done.map_err(PyValueError::new_err)?;
    let changed = changed.map(|(offsets, data)| (offsets.into_pyarray(py), data.into_pyarray(py)));
    Ok((changed, counts.into_pyarray(py)))
}

type Changed = Option<(Vec<i64>, Vec<u8>)>;

fn rows(offsets: &[i64], data: &[u8], options: Options) -> Result<(Changed, Vec<i32>), String> {
    let mut counts = Vec::with_capacity(offsets.len().saturating_sub(1) * KINDS);
    let mut changed: Changed = None;
    for (number, ends) in offsets.windows(2).enumerate() {
        let row = usize::try_from(ends[0])
            .ok()
            .zip(usize::try_from(ends[1]).ok())
            .and_then(|(start, end)| data.get(start..end))
            .ok_or_else(|| format!("row {number} lies outside of its buffer"))?;
        if is_plain(row) {
            counts.extend_from_slice(&[0; KINDS]);
            if let Some(out) = &mut changed {
                push(out, row);
            }
            continue;
        }
        let text = std::str::from_utf8(row).map_err(|error| format!("row {number} is not UTF-8: {error}"))?;
        let (repaired, count) = repair(text, &options);
        counts.extend_from_slice(&count.0);
        if changed.is_none() && repaired != text {
            let start = offsets[0] as usize;
            let before = &data[start..ends[0] as usize];
            let mut copy = Vec::with_capacity(data.len());
            copy.extend_from_slice(before);
            changed = Some((
                offsets[..=number].iter().map(|end| end - offsets[0]).collect(),
                copy,
            ));
        }
        if let Some(out) = &mut changed {
            push(out, repaired.as_bytes());
        }
    }
    Ok((changed, counts))
}

fn push((offsets, data): &mut (Vec<i64>, Vec<u8>), row: &[u8]) {
    data.extend_from_slice(row);
    offsets.push(data.len() as i64);
}

/// Adds this file's functions.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(repair_text, module)?)?;
    module.add_function(wrap_pyfunction!(repair_single_byte, module)?)?;
    module.add_function(wrap_pyfunction!(repair_utf8, module)?)?;
    module.add_function(wrap_pyfunction!(repair_rows, module)?)
}
