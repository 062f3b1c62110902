//! Phase 2: one bucket of every shard to the edges between documents that share a hash.
//!
//! Band after band: the records of all shards are read and sorted by (hash, shard, row); each group of equal
//! hashes becomes a star around its earliest document. A group of n gives n - 1 edges, never n^2.
//!
//! Memory: `ROOM` records of a bucket's fair share of documents, 16 bytes each (24 for the exact hashes). Equal
//! hashes fall into one bucket, which may so get far more than its share; when its room is full, the groups
//! so far are linked and only their centres are kept, which is all that later records are linked to. So what
//! counts is the number of different hashes, and that is even.
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

/// Records that a bucket has room for, as quarters of its fair share, and at least so many. Different hashes are
/// at most one share: so a fifth or more of the room is free again after each linking.
const ROOM_QUARTERS: u64 = 5;
const LEAST_ROOM: usize = 1 << 12;
/// Bytes of a section that are read at a time, about.
const PIECE: usize = 1 << 20;

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
        let bucket = Bucket {
            run: &run,
            sections: &sections,
            room: room(&run, scheme.buckets),
        };
        let bands = scheme.bands as usize;
        edges.exact = bucket
            .link::<16>(bands, &mut Always, out)
            .map_err(|e| e.at(out_path))?;
        let mut judge = Signatures::new(&run, verify);
        for band in 0..bands {
            edges.near += if verify > 0.0 {
                bucket.link::<8>(band, &mut judge, out)
            } else {
                bucket.link::<8>(band, &mut Always, out)
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

/// Records that a bucket has room for.
fn room(run: &[SignFile], buckets: u32) -> usize {
    let documents: u64 = run.iter().map(|sign| sign.documents).sum();
    ((documents * ROOM_QUARTERS / 4 / u64::from(buckets)) as usize).max(LEAST_ROOM)
}

/// One bucket of all shards.
struct Bucket<'a> {
    run: &'a [SignFile],
    /// Of each shard, place and length of the sections.
    sections: &'a [Vec<(u64, usize)>],
    /// Records to hold at a time.
    room: usize,
}

/// A hash and a document that has it.
type Record<const N: usize> = ([u8; N], Place);

impl Bucket<'_> {
    /// Writes the edges of one section and returns their number.
    fn link<const N: usize>(
        &self,
        section: usize,
        judge: &mut impl Judge,
        out: &mut impl Write,
    ) -> std::result::Result<u64, LinkError> {
        debug_assert!(N + 4 == NEAR_RECORD || N + 4 == EXACT_RECORD);
        let bytes: usize = self.sections.iter().map(|shard| shard[section].1).sum();
        let mut room = self.room;
        let mut records: Vec<Record<N>> = Vec::with_capacity(room.min(bytes / (N + 4)));
        let mut written = 0;
        for (sign, places) in self.run.iter().zip(self.sections) {
            let (start, length) = places[section];
            let step = PIECE / (N + 4) * (N + 4);
            for from in (0..length).step_by(step) {
                let piece = sign
                    .part(start + from as u64, step.min(length - from))
                    .map_err(LinkError::Input)?;
                for record in piece.chunks_exact(N + 4) {
                    if records.len() == room {
                        written += link(&mut records, judge, out)?;
                        if records.len() > room / 16 * 15 {
                            room *= 2;
                        }
                    }
                    records.push(decode(record, sign.scheme.shard));
                }
            }
        }
        Ok(written + link(&mut records, judge, out)?)
    }
}

fn decode<const N: usize>(record: &[u8], shard: u32) -> Record<N> {
    let (mut hash, mut row) = ([0; N], [0; 4]);
    hash.copy_from_slice(&record[..N]);
    row.copy_from_slice(&record[N..]);
    let row = u32::from_le_bytes(row);
    (hash, Place { shard, row })
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

/// Sorts records, writes the edges of each group and leaves its centres: linking them again, with records that
/// come later, gives the edges of those alone. Returns the number of edges.
fn link<const N: usize>(
    records: &mut Vec<Record<N>>,
    judge: &mut impl Judge,
    out: &mut impl Write,
) -> std::result::Result<u64, LinkError> {
    records.sort_unstable();
    let (mut written, mut kept, mut start) = (0, 0, 0);
    while start < records.len() {
        let hash = records[start].0;
        let length = records[start..].iter().take_while(|r| r.0 == hash).count();
        let first = kept;
        for i in start..start + length {
            let place = records[i].1;
            let belongs = match kept == first {
                true => None,
                false => judge.belongs(place).map_err(LinkError::Input)?,
            };
            match belongs {
                Some(centre) => {
                    write_edge(records[first + centre].1, place, out).map_err(LinkError::Output)?;
                    written += 1;
                }
                None if kept - first < CENTRES => {
                    if length > 1 {
                        judge.centre(place, kept == first).map_err(LinkError::Input)?;
                    }
                    records[kept] = records[i];
                    kept += 1;
                }
                None => {}
            }
        }
        start += length;
    }
    records.truncate(kept);
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
