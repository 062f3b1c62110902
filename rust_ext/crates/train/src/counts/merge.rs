//! Adding counts files up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};

use super::file::{Header, Piece, Reader, STRIDE, Writer};
use crate::TrainError;
use crate::progress::Progress;

/// Which pretokens a merge keeps: those seen at least `min_count` times; and if these are more than
/// `max_types` (0: no limit), only those above the count at which they are no more than that.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    pub min_count: u64,
    pub max_types: u64,
}

/// Adds counts files up into one, each count times the weight of its file (empty: 1 for all), rounded to the
/// nearest integer. What `keep` drops is counted in the header; documents and bytes there are not weighted.
pub fn merge(
    paths: &[PathBuf],
    weights: &[f64],
    out: &Path,
    keep: Keep,
    progress: &mut Progress<'_>,
) -> Result<Header, TrainError> {
    let mut about: Option<Header> = None;
    for path in paths {
        let reader = Reader::open(path)?;
        match &mut about {
            None => about = Some(reader.header().clone()),
            Some(about) if about.pattern == reader.header().pattern => about.add(reader.header()),
            Some(_) => return Err(TrainError::Patterns(path.clone())),
        }
    }
    let mut about = about.ok_or(TrainError::Empty)?;
    let least = least_count(paths, weights, keep, progress)?;
    let mut dropped = (0, 0);
    let mut writer = Writer::create(out, about.clone()).map_err(|error| TrainError::file(out, &error))?;
    let done = merged(paths, weights, progress, |piece, count| {
        if count >= least {
            return writer
                .put(piece, count)
                .map_err(|error| TrainError::file(out, &error));
        }
        dropped = (dropped.0 + count, dropped.1 + 1);
        Ok(())
    });
    if let Err(error) = done {
        return Err(writer.give_up(error));
    }
    about.dropped_pretokens += dropped.0;
    about.dropped_types += dropped.1;
    writer.header.dropped_pretokens = about.dropped_pretokens;
    writer.header.dropped_types = about.dropped_types;
    writer.finish().map_err(|error| TrainError::file(out, &error))
}

/// The least count that is kept: needs a pass of its own when types are limited.
fn least_count(
    paths: &[PathBuf],
    weights: &[f64],
    keep: Keep,
    progress: &mut Progress<'_>,
) -> Result<u64, TrainError> {
    if keep.max_types == 0 {
        return Ok(keep.min_count);
    }
    let mut types_by_count = BTreeMap::<u64, u64>::new();
    merged(paths, weights, progress, |_, count| {
        *types_by_count.entry(count).or_default() += 1;
        Ok(())
    })?;
    let mut types = 0;
    let mut least = u64::MAX;
    for (&count, &more) in types_by_count.iter().rev() {
        types += more;
        if types > keep.max_types {
            break;
        }
        least = count;
    }
    Ok(least.max(keep.min_count))
}

/// Calls `visit` with every pretoken of the files and its count over all of them, in the files' order.
fn merged(
    paths: &[PathBuf],
    weights: &[f64],
    progress: &mut Progress<'_>,
    mut visit: impl FnMut(&Piece, u64) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut readers = paths
        .iter()
        .map(|path| Reader::open(path))
        .collect::<Result<Vec<_>, _>>()?;
    let records = |reader: &Reader| (reader.header.short_types + reader.header.long_types) as usize;
    let total = readers.iter().map(records).sum();
    let mut done = 0;
    let weighted = |index: usize, count: u64| match weights.get(index) {
        Some(&weight) if weight != 1.0 => (count as f64 * weight).round() as u64,
        _ => count,
    };
    let mut heads = BinaryHeap::new();
    for (index, reader) in readers.iter_mut().enumerate() {
        heads.extend(
            reader
                .read()?
                .map(|(piece, count)| Reverse((piece, index, count))),
        );
    }
    while let Some(Reverse((piece, index, count))) = heads.pop() {
        if done % STRIDE == 0 {
            progress.update("merge", done, total)?;
        }
        done += 1;
        let mut sum = weighted(index, count);
        heads.extend(
            readers[index]
                .read()?
                .map(|(piece, count)| Reverse((piece, index, count))),
        );
        while heads.peek().is_some_and(|Reverse((next, ..))| *next == piece) {
            let Some(Reverse((_, index, count))) = heads.pop() else {
                break;
            };
            sum += weighted(index, count);
            done += 1;
            heads.extend(
                readers[index]
                    .read()?
                    .map(|(piece, count)| Reverse((piece, index, count))),
            );
        }
        if sum > 0 {
            visit(&piece, sum)?;
        }
    }
    Ok(())
}
