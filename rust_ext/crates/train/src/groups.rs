//! What is learnt from: the text of one source, or of several held in parity.

use super::TrainError;
use super::allow::{Allow, Everything};
use super::boundaries::Boundaries;
use super::constraints::Tokens;
use super::learner::{Best, Learner};
use super::load::load;
use super::parameters::{Parameters, Source, Start};
use super::progress::Progress;
use super::score::Scorer;
use super::words::Symbol;

/// The first threshold is the count of the commonest pair of bytes over this times the tokens wanted: less than
/// what the last merge has (on 156 MB of Russian 44 and 6 beside 87 and 10, for 32,000 and 128,000 tokens), so
/// that the words are read once, and not much less, so that few pairs are held that never have their turn.
const FIRST_THRESHOLD: i64 = 6;
/// The same for the tokens for which symbols are widened: counts fall faster then.
const WIDE_THRESHOLD: i64 = 10;
/// The same where more than half of the merges are under the penalty, which takes rare pairs before frequent ones
/// that cross boundaries.
const PENALISED_THRESHOLD: i64 = 16;
/// The text of one source, and how many tokens it takes now.
struct Group<S> {
    learner: Learner<S>,
    tokens: i64,
    characters: i64,
    exhausted: bool,
}

/// All groups; mostly one.
pub struct Groups<S> {
    list: Vec<Group<S>>,
    /// Pretokens left out because they were too long.
    pub left_out: u64,
}

/// What the count of the commonest pair is divided by for the first threshold. A merge that a group itself does
/// not choose must find its words, however rare: then all pairs are held.
fn first_threshold(all: bool, wanted: usize, release: usize) -> i64 {
    match wanted.max(1) as i64 {
        _ if all => i64::MAX,
        wanted if release as i64 > wanted / 2 => PENALISED_THRESHOLD * wanted,
        wanted if wanted as usize > u16::IDS => WIDE_THRESHOLD * wanted,
        wanted => FIRST_THRESHOLD * wanted,
    }
}

impl<S: Symbol> Groups<S> {
    /// Reads the sources; `wanted` tokens are to be learnt before they are widened.
    pub fn load(
        sources: Vec<Source<'_>>,
        parameters: &Parameters,
        wanted: usize,
        boundaries: Option<&Boundaries>,
        tokens: &Tokens,
        progress: &mut Progress<'_>,
    ) -> Result<Self, TrainError> {
        let given = !parameters.merges.is_empty();
        Self::load_as(
            sources,
            parameters,
            (wanted, given),
            (boundaries, None),
            tokens,
            progress,
        )
    }

    /// The same with words of the tokens of `start`, `wanted` of which are to be learnt anew. All pairs are held
    /// where any of them may turn out to be a token.
    pub fn extend(
        sources: Vec<Source<'_>>,
        parameters: &Parameters,
        start: &Start<'_>,
        boundaries: Option<&Boundaries>,
        tokens: &Tokens,
        progress: &mut Progress<'_>,
    ) -> Result<Self, TrainError> {
        let wanted = (parameters.tokens - start.tokens.len()).max(1);
        let all = !start.unreached.is_empty();
        Self::load_as(
            sources,
            parameters,
            (wanted, all),
            (boundaries, Some(start)),
            tokens,
            progress,
        )
    }

    fn load_as(
        sources: Vec<Source<'_>>,
        parameters: &Parameters,
        (wanted, given): (usize, bool),
        (boundaries, start): (Option<&Boundaries>, Option<&Start<'_>>),
        tokens: &Tokens,
        progress: &mut Progress<'_>,
    ) -> Result<Self, TrainError> {
        let mut groups = Self {
            list: Vec::new(),
            left_out: 0,
        };
        let release = boundaries
            .and(parameters.penalty)
            .map_or(0, |penalty| penalty.release_merge);
        let all = given || sources.len() > 1;
        for source in sources {
            let loaded = load::<S>(source, parameters, (boundaries, start), progress)?;
            let first = first_threshold(all, wanted, release);
            let floor = if all { 1 } else { parameters.min_pair_count.max(1) };
            let scorer = boundaries.and(parameters.penalty).map(Scorer::new);
            let ids = tokens.bytes.len();
            let mut learner = Learner::new(loaded.words, ids, floor, first, scorer);
            if given && start.is_none() {
                learner.start(&Everything, progress)?;
            } else {
                learner.start(tokens, progress)?;
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

    /// The same with symbols of another width, the pairs found anew; `parameters` are those of `load`.
    pub fn widen<T: Symbol>(
        self,
        parameters: &Parameters,
        tokens: &Tokens,
        progress: &mut Progress<'_>,
    ) -> Result<Groups<T>, TrainError> {
        let given = !parameters.merges.is_empty();
        let penalised = parameters.penalty.filter(|_| self.penalised());
        let release = penalised.map_or(0, |penalty| penalty.release_merge);
        let first = first_threshold(given || self.list.len() > 1, parameters.tokens, release);
        let mut list = Vec::new();
        for group in self.list {
            let learner = if given {
                group.learner.widen(first, &Everything, progress)?
            } else {
                group.learner.widen(first, tokens, progress)?
            };
            list.push(Group {
                learner,
                tokens: group.tokens,
                characters: group.characters,
                exhausted: group.exhausted,
            });
        }
        let left_out = self.left_out;
        Ok(Groups { list, left_out })
    }

    pub fn count(&self, left: u32, right: u32) -> i64 {
        self.list
            .iter()
            .map(|group| group.learner.count(left, right))
            .sum()
    }

    pub fn set_floor(&mut self, floor: i64) {
        self.list
            .iter_mut()
            .for_each(|group| group.learner.set_floor(floor));
    }

    pub fn penalised(&self) -> bool {
        self.list.iter().any(|group| group.learner.penalised())
    }

    pub fn release(&mut self) {
        for group in &mut self.list {
            group.learner.release();
            group.exhausted = false;
        }
    }

    pub fn merge(&mut self, pair: (u32, u32), new: u32, allow: &impl Allow) {
        for group in &mut self.list {
            group.tokens -= group.learner.merge(pair.0, pair.1, new, allow);
        }
    }

    /// The group whose turn it is, and its best pair.
    pub fn best(
        &mut self,
        allow: &impl Allow,
        progress: &mut Progress<'_>,
    ) -> Result<Option<(usize, Best)>, TrainError> {
        loop {
            let left = (0..self.list.len()).filter(|&index| !self.list[index].exhausted);
            let index = left.max_by(|&a, &b| {
                let (x, y) = (&self.list[a], &self.list[b]);
                let products = |x: &Group<S>, y: &Group<S>| i128::from(x.tokens) * i128::from(y.characters);
                products(x, y).cmp(&products(y, x)).then(b.cmp(&a))
            });
            let Some(index) = index else { return Ok(None) };
            if let Some(best) = self.list[index].learner.best(allow, progress)? {
                return Ok(Some((index, best)));
            }
            self.list[index].exhausted = true;
        }
    }

    /// Takes the best pair of a group out of the running.
    pub fn forbid(&mut self, group: usize, best: Best) {
        self.list[group].learner.forbid(best);
    }

    pub fn uses(&mut self, ids: usize, progress: &mut Progress<'_>) -> Result<Vec<i64>, TrainError> {
        let mut uses = vec![0; ids];
        for group in &mut self.list {
            uses.iter_mut()
                .zip(group.learner.uses(ids, progress)?)
                .for_each(|(sum, more)| *sum += more);
        }
        Ok(uses)
    }
}
