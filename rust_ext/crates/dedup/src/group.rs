//! Phase 2: one bucket of every shard to the edges between documents that share a hash.
//!
//! Band after band: the records of all shards are read and sorted by (hash, shard, row); each group of equal
//! hashes becomes a star around its earliest document. A group of n gives n - 1 edges, never n^2. Memory: the
//! records of one band of the bucket, 16 bytes each (24 for the exact hashes).
//!
//! With `verify` an edge between near duplicates counts only where the share of equal values in the full
//! signatures, which estimates the Jaccard similarity, is at least that. The group is then cut greedily: each
//! document joins the first centre that it resembles enough, or becomes a centre itself. At most `CENTRES`
//! are kept, so the work stays linear in the group.

use super::format::{
    DedupError, EDGES_MAGIC, EXACT_RECORD, NEAR_RECORD, Result, SignFile, io_error, open_run, publish,
    read_exact_at,
};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Centres of one group under `verify`. Groups that fall apart into more are hash-sharing templates; a
/// document beyond that stays unlinked in this band and has its other bands.
const CENTRES: usize = 16;
/// Files held open for signatures: well below the usual limit of 1,024 a process.
const OPEN_FILES: usize = 256;

/// A document by shard and row: the order in which "earliest" is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub shard: u32,
    pub row: u32,
}

/// Numbers of edges written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edges {
    pub exact: u64,
    pub near: u64,
}

/// Writes the `.edges` file of `bucket` from the `.sign` files of all shards, in the order of shards.
/// `verify` is the least estimated similarity of a near edge; 0 takes every shared band.
pub fn group(bucket: u32, paths: &[PathBuf], out_path: &Path, verify: f64) -> Result<Edges> {
    let run = open_run(paths)?;
    let scheme = match run.first() {
        Some(first) => first.scheme,
        None => return Err(DedupError::Parameters("no .sign files to group".into())),
    };
    if bucket >= scheme.buckets {
        let what = format!("bucket {bucket} of {}: they count from 0", scheme.buckets);
        return Err(DedupError::Parameters(what));
    }
    if verify > 0.0 && scheme.bands > 0 && !scheme.keep_signatures {
        return Err(DedupError::Parameters(
            "verify needs shards signed with their signatures kept".into(),
        ));
    }
    let sections = run
        .iter()
        .map(|sign| sign.bucket(bucket))
        .collect::<Result<Vec<_>>>()?;
    let mut edges = Edges::default();
    publish(out_path, |out| {
        let io = io_error(out_path);
        out.write_all(EDGES_MAGIC).map_err(&io)?;
        out.write_all(&[0; 16]).map_err(&io)?;
        let mut exact: Vec<([u8; 16], Place)> = read(&run, &sections, scheme.bands as usize)?;
        exact.sort_unstable();
        edges.exact = link(&exact, &mut Always, out).map_err(|e| e.at(out_path))?;
        drop(exact);
        let mut judge = Signatures::new(&run, verify);
        for band in 0..scheme.bands as usize {
            let mut near: Vec<([u8; 8], Place)> = read(&run, &sections, band)?;
            near.sort_unstable();
            edges.near += if verify > 0.0 {
                link(&near, &mut judge, out)
            } else {
                link(&near, &mut Always, out)
            }
            .map_err(|e| e.at(out_path))?;
        }
        out.flush().map_err(&io)?;
        out.get_mut()
            .seek(SeekFrom::Start(EDGES_MAGIC.len() as u64))
            .map_err(&io)?;
        out.write_all(&edges.exact.to_le_bytes()).map_err(&io)?;
        out.write_all(&edges.near.to_le_bytes()).map_err(&io)
    })?;
    Ok(edges)
}

/// The records of one section of a bucket, of all shards.
fn read<const N: usize>(
    run: &[SignFile],
    sections: &[Vec<(u64, usize)>],
    section: usize,
) -> Result<Vec<([u8; N], Place)>> {
    debug_assert!(N + 4 == NEAR_RECORD || N + 4 == EXACT_RECORD);
    let bytes: usize = sections.iter().map(|shard| shard[section].1).sum();
    let mut records = Vec::with_capacity(bytes / (N + 4));
    for (sign, places) in run.iter().zip(sections) {
        let (start, length) = places[section];
        if length == 0 {
            continue;
        }
        for record in sign.part(start, length)?.chunks_exact(N + 4) {
            let (mut hash, mut row) = ([0; N], [0; 4]);
            hash.copy_from_slice(&record[..N]);
            row.copy_from_slice(&record[N..]);
            records.push((
                hash,
                Place {
                    shard: sign.scheme.shard,
                    row: u32::from_le_bytes(row),
                },
            ));
        }
    }
    Ok(records)
}

enum LinkError {
    Output(std::io::Error),
    Input(DedupError),
}

impl LinkError {
    fn at(self, path: &Path) -> DedupError {
        match self {
            Self::Output(error) => io_error(path)(error),
            Self::Input(error) => error,
        }
    }
}

/// Decides whether a document of a group belongs to a centre.
trait Judge {
    /// Called with each group's first document and whenever a document becomes a centre.
    fn centre(&mut self, place: Place, first: bool) -> Result<()>;
    /// The index of the centre, in order of `centre` calls, that `place` belongs to.
    fn belongs(&mut self, place: Place) -> Result<Option<usize>>;
}

struct Always;

impl Judge for Always {
    fn centre(&mut self, _: Place, _: bool) -> Result<()> {
        Ok(())
    }
    fn belongs(&mut self, _: Place) -> Result<Option<usize>> {
        Ok(Some(0))
    }
}

fn link<const N: usize>(
    records: &[([u8; N], Place)],
    judge: &mut impl Judge,
    out: &mut impl Write,
) -> std::result::Result<u64, LinkError> {
    let mut written = 0;
    let mut centres = Vec::with_capacity(CENTRES);
    for group in records
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1)
    {
        centres.clear();
        for &(_, place) in group {
            let belongs = match centres.is_empty() {
                true => None,
                false => judge.belongs(place).map_err(LinkError::Input)?,
            };
            match belongs {
                Some(centre) => {
                    write_edge(centres[centre], place, out).map_err(LinkError::Output)?;
                    written += 1;
                }
                None if centres.len() < CENTRES => {
                    judge
                        .centre(place, centres.is_empty())
                        .map_err(LinkError::Input)?;
                    centres.push(place);
                }
                None => {}
            }
        }
    }
    Ok(written)
}

fn write_edge(first: Place, other: Place, out: &mut impl Write) -> std::io::Result<()> {
    for value in [first.shard, first.row, other.shard, other.row] {
        out.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

/// Compares full signatures, read from the `.sign` files as they are needed.
struct Signatures<'a> {
    run: &'a [SignFile],
    least: f64,
    open: BTreeMap<u32, File>,
    centres: Vec<Vec<u8>>,
    scratch: Vec<u8>,
}

impl<'a> Signatures<'a> {
    fn new(run: &'a [SignFile], least: f64) -> Self {
        Self {
            run,
            least,
            open: BTreeMap::new(),
            centres: Vec::new(),
            scratch: Vec::new(),
        }
    }

    fn load(&mut self, place: Place) -> Result<()> {
        let sign = &self.run[place.shard as usize];
        if place.row as u64 >= sign.documents {
            return Err(DedupError::Format(
                sign.path.clone(),
                "names a row that it lacks: damaged".into(),
            ));
        }
        if !self.open.contains_key(&place.shard) {
            if self.open.len() >= OPEN_FILES {
                self.open.clear();
            }
            self.open
                .insert(place.shard, File::open(&sign.path).map_err(io_error(&sign.path))?);
        }
        self.scratch.resize(4 * sign.scheme.width(), 0);
        if let Some(file) = self.open.get(&place.shard) {
            read_exact_at(file, &mut self.scratch, sign.signature_start(place.row))
                .map_err(io_error(&sign.path))?;
        }
        Ok(())
    }
}

impl Judge for Signatures<'_> {
    fn centre(&mut self, place: Place, first: bool) -> Result<()> {
        if first {
            self.centres.clear();
        }
        self.load(place)?;
        self.centres.push(self.scratch.clone());
        Ok(())
    }

    fn belongs(&mut self, place: Place) -> Result<Option<usize>> {
        self.load(place)?;
        let values = self.scratch.as_chunks::<4>().0;
        Ok(self.centres.iter().position(|centre| {
            let equal = centre
                .as_chunks::<4>()
                .0
                .iter()
                .zip(values)
                .filter(|(a, b)| a == b)
                .count();
            equal as f64 >= self.least * values.len() as f64
        }))
    }
}
