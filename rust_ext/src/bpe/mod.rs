//! Byte-level BPE.

pub mod encode;
pub mod train;
