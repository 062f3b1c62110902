//! Pure inflation by libdeflate, for `tests/bench/bench_warc.py`: a gzip file's members are found once, then each
//! is inflated into the same buffer, and nothing else is done: from the file in memory, and from the file as it is
//! read, 256 KiB at a time. The members are skimmed, too. Prints processor seconds of the three, the best of the passes.
//!
//!     cargo run --release --example inflate FILE [PASSES]

#![allow(clippy::unwrap_used)] // a bench may panic

use std::io::Read;
use std::ops::Range;

use bukvar_warc::{Inflater, OneShot, Skim, Skimmer};

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

/// Processor seconds of reading the file and inflating its members, which follow one another.
fn with_reading(path: &str, members: &[Range<usize>], inflater: &mut Inflater, output: &mut [u8]) -> f64 {
    let mut input = vec![0; members.iter().map(Range::len).max().unwrap_or(0)];
    let start = processor_seconds();
    let mut file = std::io::BufReader::with_capacity(256 << 10, std::fs::File::open(path).unwrap());
    for range in members {
        let input = &mut input[..range.len()];
        file.read_exact(input).unwrap();
        member(inflater, input, output).unwrap();
    }
    processor_seconds() - start
}

/// Processor seconds of skimming the members, whose headers have no name in them.
fn skimmed(file: &[u8], members: &[Range<usize>], skimmer: &mut Skimmer) -> f64 {
    let start = processor_seconds();
    for range in members {
        let skim = skimmer.skim(&file[range.start + 10..range.end], &[], u64::MAX);
        assert!(matches!(skim, Skim::Whole { .. } | Skim::Other), "{skim:?}");
    }
    processor_seconds() - start
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap();
    let file = std::fs::read(&path).unwrap();
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
    let mut skimmer = Skimmer::default();
    let (mut best, mut best_read, mut best_skimmed) = (f64::MAX, f64::MAX, f64::MAX);
    let mut inflated = 0;
    for _ in 0..passes {
        let start = processor_seconds();
        let sizes = members
            .iter()
            .map(|m| member(&mut inflater, &file[m.clone()], &mut output));
        inflated = sizes.map(|size| size.unwrap().1).sum();
        best = best.min(processor_seconds() - start);
        best_skimmed = best_skimmed.min(skimmed(&file, &members, &mut skimmer));
        best_read = best_read.min(with_reading(&path, &members, &mut inflater, &mut output));
    }
    println!(
        "{best:.6} s, {best_read:.6} s with reading, {best_skimmed:.6} s skimmed, {} members, {inflated} bytes, {at} of {} read",
        members.len(),
        file.len()
    );
}
