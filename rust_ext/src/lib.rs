//! Kernels of bukvar, free of Python: each module is a pure function or a small struct over bytes and
//! slices, tested with `cargo test`. `py` holds every binding and nothing else: it releases the GIL, maps
//! errors to Python exceptions, and is compiled only with the feature `python`.
//!
//! Crate and Python package are one: `rust_ext/__init__.py` re-exports what `_native` registers here, and
//! `rust_ext/_native.pyi` types it (a test holds the two together).

pub mod boilerplate;
pub mod bpe;
pub mod content;
pub mod decode;
pub mod dedup;
pub mod gate;
pub mod letters;
pub mod morphemes;
pub mod repair;
pub mod split;
pub mod text;
pub mod warc;

#[cfg(feature = "python")]
mod py;
