//! Pure inflation by libdeflate, for `tests/bench/bench_warc.py`: a gzip file's members are found once, then each
//! is inflated into the same buffer, and nothing else is done. Prints processor seconds, the best of the passes.
//!
//!     cargo run --release --example inflate FILE [PASSES]

#![allow(clippy::unwrap_used)] // a bench may panic

use _native::warc::{Inflater, OneShot};

/// Processor time of this thread; Linux.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let nanoseconds: f64 = stat.split(' ').next().unwrap().parse().unwrap();
    nanoseconds / 1e9
}

/// Bytes used and written, where the output fits.
fn member(inflater: &mut Inflater, input: &[u8], output: &mut [u8]) -> Option<(usize, usize)> {
    match inflater.gzip(input, output) {
        OneShot::Done { used, written } => Some((used, written)),
        _ => None,
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = std::fs::read(arguments.next().unwrap()).unwrap();
    let passes: usize = arguments.next().map_or(5, |n| n.parse().unwrap());
    let mut inflater = Inflater::new().unwrap();
    let mut output = vec![0u8; 1 << 20];
    let (mut members, mut at) = (Vec::new(), 0);
    while at < file.len() {
        match member(&mut inflater, &file[at..], &mut output) {
            Some((used, _)) => {
                members.push(at..at + used);
                at += used;
            }
            None if output.len() < 1 << 30 => output.resize(2 * output.len(), 0),
            None => break,
        }
    }
    let mut best = f64::MAX;
    let mut inflated = 0;
    for _ in 0..passes {
        let start = processor_seconds();
        let sizes = members
            .iter()
            .map(|m| member(&mut inflater, &file[m.clone()], &mut output));
        inflated = sizes.map(|size| size.unwrap().1).sum();
        best = best.min(processor_seconds() - start);
    }
    println!(
        "{best:.6} s, {} members, {inflated} bytes, {at} of {} read",
        members.len(),
        file.len()
    );
}
