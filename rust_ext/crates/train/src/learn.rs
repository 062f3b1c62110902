//! Counts -> merges.

use super::TrainError;
use super::allow::{Allow, Everything};
use super::boundaries::Boundaries;
use super::constraints::Tokens;
use super::groups::Groups;
use super::parameters::{Parameters, Source};
use super::progress::Progress;
use super::words::Symbol;

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

/// Learns merges.
///
/// Ids below 2^15 take two bytes a symbol (`words`), so the first 32,768 tokens are learnt so, and the words are
/// rewritten for what comes after.
///
/// With more than one source, parity: each merge is the best one of the group whose text takes the most tokens
/// a character at that time (ties: the first), and it is done in all groups.
pub fn learn(
    sources: Vec<Source<'_>>,
    parameters: &Parameters,
    boundaries: Option<&Boundaries>,
    progress: &mut Progress<'_>,
) -> Result<Model, TrainError> {
    let boundaries = boundaries.filter(|_| parameters.penalty.is_some());
    let mut run = Run::new(parameters);
    let narrow = parameters.tokens.min(u16::IDS);
    let mut groups = Groups::<u16>::load(sources, parameters, narrow, boundaries, &run.tokens, progress)?;
    run.model.left_out = groups.left_out;
    run.advance(&mut groups, narrow, progress)?;
    if narrow == parameters.tokens {
        return run.end(&mut groups, progress);
    }
    let mut groups = groups.widen::<u32>(parameters, &run.tokens, progress)?;
    run.advance(&mut groups, parameters.tokens, progress)?;
    run.end(&mut groups, progress)
}

/// Learning, as far as it has come.
struct Run<'a> {
    parameters: &'a Parameters,
    tokens: Tokens,
    model: Model,
    wanted: usize,
}

impl<'a> Run<'a> {
    fn new(parameters: &'a Parameters) -> Self {
        let bytes = parameters.alphabet.iter().map(|&byte| Box::from([byte]));
        Self {
            parameters,
            tokens: Tokens::new(bytes.collect(), parameters.constraints),
            model: Model::default(),
            wanted: parameters.tokens - 256,
        }
    }

    /// Merges until there are so many tokens: those to begin with, and then the best ones.
    fn advance<S: Symbol>(
        &mut self,
        groups: &mut Groups<S>,
        tokens: usize,
        progress: &mut Progress<'_>,
    ) -> Result<(), TrainError> {
        let Parameters {
            merges: given,
            min_pair_count,
            penalty,
            ..
        } = self.parameters;
        while self.model.merges.len() < given.len().min(tokens - 256) {
            self.merge_given(groups)?;
            progress.update("learn", self.model.merges.len(), self.wanted)?;
        }
        groups.set_floor((*min_pair_count).max(1));
        let release = penalty.map_or(0, |penalty| penalty.release_merge);
        while self.model.merges.len() < tokens - 256 {
            if groups.penalised() && self.model.merges.len() >= release {
                groups.release();
            }
            let Some((group, best)) = groups.best(&self.tokens, progress)? else {
                if groups.penalised() {
                    groups.release();
                    continue;
                }
                return Err(TrainError::TooFew {
                    possible: self.model.merges.len(),
                    wanted: self.wanted,
                });
            };
            let allowed = self.tokens.allow(best.left, best.right);
            let new = allowed.then(|| self.tokens.add(best.left, best.right)).flatten();
            let Some(new) = new else {
                groups.forbid(group, best);
                continue;
            };
            groups.merge((best.left, best.right), new, &self.tokens);
            self.model.merges.push((best.left, best.right));
            self.model.counts.push(best.count);
            progress.update("learn", self.model.merges.len(), self.wanted)?;
        }
        Ok(())
    }

    fn merge_given<S: Symbol>(&mut self, groups: &mut Groups<S>) -> Result<(), TrainError> {
        let index = self.model.merges.len();
        let (left, right) = self.parameters.merges[index];
        let known = 256 + index as u32;
        let new = (left < known && right < known)
            .then(|| self.tokens.add(left, right))
            .flatten();
        let new = new.ok_or(TrainError::Merge { index })?;
        self.model.counts.push(groups.count(left, right));
        groups.merge((left, right), new, &Everything);
        self.model.merges.push((left, right));
        Ok(())
    }

    fn end<S: Symbol>(
        mut self,
        groups: &mut Groups<S>,
        progress: &mut Progress<'_>,
    ) -> Result<Model, TrainError> {
        self.model.uses = groups.uses(self.tokens.bytes.len(), progress)?;
        progress.finish("learn", self.wanted)?;
        Ok(self.model)
    }
}
