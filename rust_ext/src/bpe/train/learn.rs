//! Counts -> merges.

use std::path::Path;

use super::TrainError;
use super::boundaries::Boundaries;
use super::counts::{Piece, Reader};
use super::guards::{Guards, Tokens};
use super::learner::{Allow, Best, Learner};
use super::score::{Penalty, Scorer};
use super::table::CountTable;
use super::watch::Watch;
use super::words::{MAX_BYTES, Symbol, Words};
use crate::split::Key;

/// The first threshold is the count of the commonest pair of bytes over this times the tokens wanted: less than
/// what the last merge has (on 156 MB of Russian 16 and 4 beside 87 and 10, for 32,000 and 128,000 tokens), so
/// that the words are read once.
const FIRST_THRESHOLD: i64 = 16;
/// Pretokens whose words are looked up in the boundaries together.
const BATCH: usize = 32;
/// Pretokens between two looks at the clock while they are read.
const STRIDE: usize = 1 << 12;

/// What to learn.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Ordinary tokens, the 256 bytes included.
    pub tokens: usize,
    /// Pairs that occur less often are never merged (at least 1).
    pub min_pair_count: i64,
    /// Longer pretokens are left out.
    pub max_pretoken_bytes: usize,
    pub penalty: Option<Penalty>,
    pub guards: Guards,
    /// Merges to begin with, as pairs of ids in order.
    pub merges: Vec<(u32, u32)>,
    /// Byte of each of the ids 0..256.
    pub alphabet: [u8; 256],
}

/// What was learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// Merge i makes token 256 + i.
    pub merges: Vec<(u32, u32)>,
    /// How often each merge's pair occurred when it was chosen (0: a merge to begin with that never occurred).
    pub counts: Vec<i64>,
    /// How often each token stands in the corpus when all merges are done.
    pub uses: Vec<i64>,
    /// Pretokens left out because they were too long.
    pub left_out: u64,
}

/// Where counts come from.
pub enum Source<'a> {
    Table(&'a CountTable),
    /// Let go of before learning begins.
    Owned(Box<CountTable>),
    File(&'a Path),
}

/// The byte of each id in the order of tokenizers and GPT-2: printable ones first.
pub fn alphabet() -> [u8; 256] {
    let printable = |byte: u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut out = [0; 256];
    let bytes = (0..=255)
        .filter(|&byte| printable(byte))
        .chain((0..=255).filter(|&byte| !printable(byte)));
    out.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    out
}

/// Guards keep new tokens out; merges to begin with are done whatever they make.
pub struct Everything;

impl Allow for Everything {
    fn allow(&self, _: u32, _: u32) -> bool {
        true
    }
}

/// Learns merges.
///
/// With more than one source, parity: each merge is the best one of the group whose text takes the most tokens
/// a character at that time (ties: the first), and it is done in all groups.
pub fn learn(
    sources: Vec<Source<'_>>,
    parameters: &Parameters,
    boundaries: Option<&Boundaries>,
    watch: &mut Watch<'_>,
) -> Result<Model, TrainError> {
    if parameters.tokens < u16::IDS {
        run::<u16>(sources, parameters, boundaries, watch)
    } else {
        run::<u32>(sources, parameters, boundaries, watch)
    }
}

fn run<S: Symbol>(
    sources: Vec<Source<'_>>,
    parameters: &Parameters,
    boundaries: Option<&Boundaries>,
    watch: &mut Watch<'_>,
) -> Result<Model, TrainError> {
    let boundaries = boundaries.filter(|_| parameters.penalty.is_some());
    let bytes = parameters
        .alphabet
        .iter()
        .map(|&byte| Box::from([byte]))
        .collect();
    let mut tokens = Tokens::new(bytes, parameters.guards);
    let mut model = Model::default();
    let mut groups = Groups::<S>::load(sources, parameters, boundaries, &tokens, watch)?;
    model.left_out = groups.left_out;
    let wanted = parameters.tokens - 256;
    for (index, &(left, right)) in parameters.merges.iter().enumerate() {
        let known = 256 + index as u32;
        let new = (left < known && right < known)
            .then(|| tokens.add(left, right))
            .flatten();
        let new = new.ok_or(TrainError::Merge { index })?;
        model.counts.push(groups.count(left, right));
        groups.merge((left, right), new, &Everything);
        model.merges.push((left, right));
        watch.at("learn", model.merges.len(), wanted)?;
    }
    groups.set_floor(parameters.min_pair_count.max(1));
    let release = parameters.penalty.map_or(0, |penalty| penalty.release);
    while model.merges.len() < wanted {
        if groups.penalised() && model.merges.len() >= release {
            groups.release();
        }
        let Some((group, best)) = groups.best(&tokens, watch)? else {
            if groups.penalised() {
                groups.release();
                continue;
            }
            return Err(TrainError::TooFew {
                possible: model.merges.len(),
                wanted,
            });
        };
        let allowed = tokens.allow(best.left, best.right);
        let Some(new) = allowed.then(|| tokens.add(best.left, best.right)).flatten() else {
            groups.list[group].learner.forbid(best);
            continue;
        };
        groups.merge((best.left, best.right), new, &tokens);
        model.merges.push((best.left, best.right));
        model.counts.push(best.count);
        watch.at("learn", model.merges.len(), wanted)?;
    }
    model.uses = groups.uses(tokens.bytes.len(), watch)?;
    watch.end("learn", wanted)?;
    Ok(model)
}

/// The text of one source, and how many tokens it takes now.
struct Group<S> {
    learner: Learner<S>,
    tokens: i64,
    characters: i64,
    exhausted: bool,
}

/// All groups; mostly one.
struct Groups<S> {
    list: Vec<Group<S>>,
    left_out: u64,
}

impl<S: Symbol> Groups<S> {
    fn load(
        sources: Vec<Source<'_>>,
        parameters: &Parameters,
        boundaries: Option<&Boundaries>,
        tokens: &Tokens,
        watch: &mut Watch<'_>,
    ) -> Result<Self, TrainError> {
        let mut groups = Self {
            list: Vec::new(),
            left_out: 0,
        };
        // A merge that the group itself does not choose must find its words, however rare: all pairs are held.
        let given = !parameters.merges.is_empty();
        let all = given || sources.len() > 1;
        for source in sources {
            let loaded = Loader::<S>::load(source, parameters, boundaries, watch)?;
            let first = if all {
                i64::MAX
            } else {
                FIRST_THRESHOLD * parameters.tokens as i64
            };
            let floor = if all { 1 } else { parameters.min_pair_count.max(1) };
            let scorer = boundaries.and(parameters.penalty).map(Scorer::new);
            let mut learner = Learner::new(loaded.words, 256, floor, first, scorer);
            if given {
                learner.start(&Everything, watch)?;
            } else {
                learner.start(tokens, watch)?;
            }
            groups.left_out += loaded.left_out;
            let (tokens, characters) = (loaded.tokens, loaded.characters);
            groups.list.push(Group {
                learner,
                tokens,
                characters,
                exhausted: false,
            });
        }
        Ok(groups)
    }

    fn count(&self, left: u32, right: u32) -> i64 {
        self.list
            .iter()
            .map(|group| group.learner.count(left, right))
            .sum()
    }

    fn set_floor(&mut self, floor: i64) {
        self.list
            .iter_mut()
            .for_each(|group| group.learner.set_floor(floor));
    }

    fn penalised(&self) -> bool {
        self.list.iter().any(|group| group.learner.penalised())
    }

    fn release(&mut self) {
        for group in &mut self.list {
            group.learner.release();
            group.exhausted = false;
        }
    }

    fn merge(&mut self, pair: (u32, u32), new: u32, allow: &impl Allow) {
        for group in &mut self.list {
            group.tokens -= group.learner.merge(pair.0, pair.1, new, allow);
        }
    }

    /// The group whose turn it is, and its best pair.
    fn best(
        &mut self,
        allow: &impl Allow,
        watch: &mut Watch<'_>,
    ) -> Result<Option<(usize, Best)>, TrainError> {
        loop {
            let left = (0..self.list.len()).filter(|&index| !self.list[index].exhausted);
            let index = left.max_by(|&a, &b| {
                let (x, y) = (&self.list[a], &self.list[b]);
                let products = |x: &Group<S>, y: &Group<S>| i128::from(x.tokens) * i128::from(y.characters);
                products(x, y).cmp(&products(y, x)).then(b.cmp(&a))
            });
            let Some(index) = index else { return Ok(None) };
            if let Some(best) = self.list[index].learner.best(allow, watch)? {
                return Ok(Some((index, best)));
            }
            self.list[index].exhausted = true;
        }
    }

    fn uses(&self, ids: usize, watch: &mut Watch<'_>) -> Result<Vec<i64>, TrainError> {
        let mut uses = vec![0; ids];
        for group in &self.list {
            uses.iter_mut()
                .zip(group.learner.uses(ids, watch)?)
                .for_each(|(sum, more)| *sum += more);
        }
        Ok(uses)
    }
}

/// Turns counts into words.
struct Loader<'a, S> {
    words: Words<S>,
    ids: [u32; 256],
    boundaries: Option<&'a Boundaries>,
    starts: Vec<bool>,
    waiting: Vec<(Key, u64)>,
    tokens: i64,
    characters: i64,
    left_out: u64,
    max_bytes: usize,
}

impl<'a, S: Symbol> Loader<'a, S> {
    fn load(
        source: Source<'_>,
        parameters: &Parameters,
        boundaries: Option<&'a Boundaries>,
        watch: &mut Watch<'_>,
    ) -> Result<Self, TrainError> {
        let mut ids = [0; 256];
        (0..)
            .zip(parameters.alphabet)
            .for_each(|(id, byte)| ids[usize::from(byte)] = id);
        let mut loader = Self {
            words: Words { data: Vec::new() },
            ids,
            boundaries,
            starts: Vec::new(),
            waiting: Vec::with_capacity(BATCH),
            tokens: 0,
            characters: 0,
            left_out: 0,
            max_bytes: parameters.max_pretoken_bytes.min(MAX_BYTES),
        };
        match source {
            Source::Table(table) => loader.read_table(table, watch)?,
            Source::Owned(table) => loader.read_table(&table, watch)?,
            Source::File(path) => loader.read_file(path, watch)?,
        }
        if loader.words.data.is_empty() {
            Err(TrainError::Empty)
        } else {
            Ok(loader)
        }
    }

    fn read_table(&mut self, table: &CountTable, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        let mut bytes = [0; 32];
        let short: usize = table.short().map(|(key, _)| key.decode(&mut bytes)).sum();
        let long: usize = table
            .long()
            .map(|(piece, _)| piece.len())
            .filter(|&len| len <= self.max_bytes)
            .sum();
        self.words = Words::with_capacity(table.types(), short + long);
        for (done, record) in table.short().enumerate() {
            if done.is_multiple_of(STRIDE) {
                watch.at("read", done, table.types())?;
            }
            self.wait(record, &mut bytes);
        }
        self.push_waiting(&mut bytes);
        table.long().for_each(|(piece, count)| self.push(piece, count));
        Ok(())
    }

    fn read_file(&mut self, path: &Path, watch: &mut Watch<'_>) -> Result<(), TrainError> {
        let mut bytes = [0; 32];
        let mut reader = Reader::open(path)?;
        let types = reader.header().short_types + reader.header().long_types;
        // What the header says is checked by what follows; until then it is good for a hint.
        let hint = |number: u64| number.min(1 << 32) as usize;
        self.words = Words::with_capacity(hint(types), hint(reader.header().type_bytes));
        let mut done = 0;
        while let Some((piece, count)) = reader.read()? {
            if done % STRIDE == 0 {
                watch.at("read", done, types as usize)?;
            }
            done += 1;
            match piece {
                Piece::Short(key) => self.wait((key, count), &mut bytes),
                Piece::Long(piece) => self.push(&piece, count),
            }
        }
        self.push_waiting(&mut bytes);
        Ok(())
    }

    /// Holds a record back until the boundaries of its word are on their way from memory.
    fn wait(&mut self, record: (Key, u64), bytes: &mut [u8; 32]) {
        if let Some(boundaries) = self.boundaries {
            boundaries.prefetch(record.0);
        }
        self.waiting.push(record);
        if self.waiting.len() == BATCH {
            self.push_waiting(bytes);
        }
    }

    fn push_waiting(&mut self, bytes: &mut [u8; 32]) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for (key, count) in waiting.drain(..) {
            let len = key.decode(bytes);
            self.push(&bytes[..len], count);
        }
        self.waiting = waiting;
    }

    fn push(&mut self, piece: &[u8], count: u64) {
        if piece.len() > self.max_bytes {
            self.left_out += count;
            return;
        }
        self.tokens += count as i64 * piece.len() as i64;
        let characters = piece.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
        self.characters += count as i64 * characters as i64;
        let Self {
            ids, words, starts, ..
        } = self;
        if let Some(boundaries) = self.boundaries {
            boundaries.mark(piece, starts);
            let symbols = piece.iter().zip(starts.iter());
            words.push(
                count as i64,
                symbols.map(|(&byte, &start)| S::new(ids[usize::from(byte)], start)),
            );
        } else {
            words.push(
                count as i64,
                piece.iter().map(|&byte| S::new(ids[usize::from(byte)], false)),
            );
        }
    }
}
