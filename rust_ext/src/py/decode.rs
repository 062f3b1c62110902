//! `rust_ext.decode_bytes`.

use pyo3::prelude::*;

/// (text, declared charset, used charset, replacements) of a page's bytes.
#[pyfunction]
#[pyo3(signature = (body, http_charset = None))]
fn decode_bytes(
    py: Python<'_>,
    body: &[u8],
    http_charset: Option<&str>,
) -> (String, Option<String>, String, u64) {
    py.detach(|| {
        let decoded = bukvar_decode::decode(body, http_charset);
        (
            decoded.text.into_owned(),
            decoded.declared,
            decoded.charset,
            decoded.replaced,
        )
    })
}

/// Adds this file's functions.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decode_bytes, module)?)
}
