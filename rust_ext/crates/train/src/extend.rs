//! Counts -> tokens to add to a vocabulary that is there already.
//!
//! Words are read as the tokens of the vocabulary, and pairs of them are merged as in `learn`, with two differences.
//! A new token holds one of the bytes that the caller names: with the lead bytes of Cyrillic, text without it is
//! encoded as before. And where merging does not reach every token from its own bytes (Llama 3's ranks are out of merge
//! order), two neighbours may make a token that is there: encoders merge them at once, so that is done here as well,
//! before anything else is counted.

use std::collections::HashMap;

use super::TrainError;
use super::allow::Allow;
use super::boundaries::Boundaries;
use super::constraints::Tokens;
use super::groups::Groups;
use super::parameters::{Parameters, Source, Start};
use super::progress::Progress;

/// What was learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extension {
    /// Ranks of the two tokens that make each new one, which has the next rank.
    pub merges: Vec<(u32, u32)>,
    /// How often each pair occurred when it was chosen.
    pub counts: Vec<i64>,
    /// How often each token stands in the words at the end, by rank.
    pub uses: Vec<i64>,
    /// The same before anything was merged.
    pub base_uses: Vec<i64>,
    /// Pretokens left out because they were too long.
    pub left_out: u64,
}

/// Learns `parameters.tokens` less those of `start`; `parameters.merges` is not used, and the penalty's release counts
/// new merges. Sources in parity as in `learn`.
pub fn extend(
    sources: Vec<Source<'_>>,
    parameters: &Parameters,
    mut start: Start<'_>,
    boundaries: Option<&Boundaries>,
    progress: &mut Progress<'_>,
) -> Result<Extension, TrainError> {
    let boundaries = boundaries.filter(|_| parameters.penalty.is_some());
    let mut tokens = Tokens::new(
        start.tokens.iter().map(|&token| token.into()).collect(),
        parameters.constraints,
    );
    tokens.require(start.required, std::mem::take(&mut start.banned));
    let mut groups = Groups::<u32>::extend(sources, parameters, &start, boundaries, &tokens, progress)?;
    let base = start.tokens.len();
    let mut run = Run {
        wanted: parameters.tokens - base,
        splits: Splits::new(&start),
        names: (0..base as u32).collect(),
        again: HashMap::new(),
        tokens,
        made: Extension {
            left_out: groups.left_out,
            base_uses: groups.uses(base, progress)?,
            ..Extension::default()
        },
    };
    groups.set_floor(parameters.min_pair_count.max(1));
    run.learn(
        &mut groups,
        parameters.penalty.map_or(0, |penalty| penalty.release_merge),
        progress,
    )?;
    run.end(&mut groups, progress)
}

/// Learning, as far as it has come.
struct Run {
    wanted: usize,
    tokens: Tokens,
    splits: Splits,
    /// The rank of each id that words are made of: tokens that come about in another way than by their own merge
    /// have ids of their own.
    names: Vec<u32>,
    /// These ids by bytes.
    again: HashMap<Box<[u8]>, Vec<u32>>,
    made: Extension,
}

/// Tokens that merging does not reach: of each part that one may be made of, the other part, and whether the first
/// is the left one.
struct Splits(HashMap<Box<[u8]>, Vec<OtherPart>>);

/// The other part of a token, and whether the part looked up is the left one.
type OtherPart = (Box<[u8]>, bool);

impl Splits {
    fn new(start: &Start<'_>) -> Self {
        let mut splits: HashMap<Box<[u8]>, Vec<OtherPart>> = HashMap::new();
        for &rank in start.unreached {
            let token = start.tokens[rank as usize];
            for cut in 1..token.len() {
                let (left, right) = token.split_at(cut);
                splits.entry(left.into()).or_default().push((right.into(), true));
                splits.entry(right.into()).or_default().push((left.into(), false));
            }
        }
        Self(splits)
    }
}

impl Run {
    fn learn(
        &mut self,
        groups: &mut Groups<u32>,
        release: usize,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        while self.made.merges.len() < self.wanted {
            let done = self.made.merges.len();
            if groups.penalised() && done >= release {
                groups.release();
            }
            let Some((group, best)) = groups.best(&self.tokens, progress)? else {
                if groups.penalised() {
                    groups.release();
                    continue;
                }
                return Err(TrainError::TooFewToAdd {
                    possible: done,
                    wanted: self.wanted,
                });
            };
            if !self.tokens.allow(best.left, best.right) {
                groups.forbid(group, best);
                continue;
            }
            if let Some(new) = self.tokens.add(best.left, best.right) {
                let name = |id: u32| self.names[id as usize];
                self.made.merges.push((name(best.left), name(best.right)));
                self.made.counts.push(best.count);
                self.names.push(self.made.base_uses.len() as u32 + done as u32);
                groups.merge((best.left, best.right), new, &self.tokens);
                self.revive(groups, new);
            } else {
                self.join_again(groups, (best.left, best.right));
            }
            progress.update("learn", self.made.merges.len(), self.wanted)?;
        }
        Ok(())
    }

    /// Joins a pair to a token that is there, and what comes of that.
    fn join_again(&mut self, groups: &mut Groups<u32>, (left, right): (u32, u32)) {
        let bytes = self.tokens.joined(left, right);
        let known = self.tokens.find(&bytes).map(|id| self.names[id as usize]);
        let new = self.tokens.add_again(left, right);
        self.names.push(known.unwrap_or(new));
        self.again.entry(bytes).or_default().push(new);
        groups.merge((left, right), new, &self.tokens);
        self.revive(groups, new);
    }

    /// Joins a token that has just come about with neighbours with which it makes one that is there.
    fn revive(&mut self, groups: &mut Groups<u32>, new: u32) {
        let Some(others) = self.splits.0.get(&self.tokens.bytes[new as usize]) else {
            return;
        };
        for (other, left) in others.clone() {
            let again = self.again.get(&other).cloned().unwrap_or_default();
            for id in self.tokens.find(&other).into_iter().chain(again) {
                let pair = if left { (new, id) } else { (id, new) };
                if groups.count(pair.0, pair.1) > 0 {
                    self.join_again(groups, pair);
                }
            }
        }
    }

    fn end(mut self, groups: &mut Groups<u32>, progress: &mut Progress<'_>) -> Result<Extension, TrainError> {
        let uses = groups.uses(self.tokens.bytes.len(), progress)?;
        self.made.uses = vec![0; self.made.base_uses.len() + self.wanted];
        for (&name, uses) in self.names.iter().zip(uses) {
            self.made.uses[name as usize] += uses;
        }
        progress.finish("learn", self.wanted)?;
        Ok(self.made)
    }
}
