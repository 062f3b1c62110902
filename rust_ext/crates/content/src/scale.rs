//! The scales on which values are given to the model.

/// Stands for "there is none": far below every real value, so one split separates it.
pub const MISSING: f32 = -999.0;

/// log2(1 + x) from the bits of the float: monotone, exact at powers of two, within .09 between them.
#[inline]
pub fn log2p(x: f32) -> f32 {
    let bits = (1.0 + x.max(0.0)).to_bits();
    ((bits >> 23) as i32 - 127) as f32 + (bits & 0x7F_FFFF) as f32 / 8_388_608.0
}

/// A part of a whole; 0 of nothing.
#[inline]
pub fn share(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
