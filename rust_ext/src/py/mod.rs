//! Every Python binding, a file or folder a kernel; each file's `register` adds its functions to the module.

mod addresses;
mod boilerplate;
mod content;
mod decode;
mod decontaminate;
mod dedup;
mod encode;
mod hostlines;
mod html;
mod langid;
mod linear;
mod morphemes;
mod pii;
mod quality;
mod repair;
mod split;
mod text;
mod texts;
mod train;
mod warc;

use pyo3::prelude::*;

/// The extension module `rust_ext._native`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    addresses::register(module)?;
    boilerplate::register(module)?;
    content::register(module)?;
    decode::register(module)?;
    decontaminate::register(module)?;
    dedup::register(module)?;
    encode::register(module)?;
    html::register(module)?;
    hostlines::register(module)?;
    langid::register(module)?;
    linear::register(module)?;
    morphemes::register(module)?;
    pii::register(module)?;
    quality::register(module)?;
    repair::register(module)?;
    split::register(module)?;
    text::register(module)?;
    train::register(module)?;
    warc::register(module)?;
    Ok(())
}
