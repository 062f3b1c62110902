//! The proof that a unit is Russian, tried on its words before the whole model looks at them.

use super::Pass;
use crate::proof::TRIED;
use crate::unit::{State, is_repeated};

impl Pass<'_, '_> {
    /// Looks at a Cyrillic word for the proof that the unit is Russian; false where the whole model has to.
    pub(super) fn is_tried(&mut self, word: &[u32]) -> bool {
        let model = self.model;
        let trial = &mut self.unit.trial;
        match trial.state {
            State::Failed => return false,
            State::Proved if self.unit.alien == 0 => return true,
            State::Proved => {}
            State::Open => {
                let proof = model.proof.as_ref();
                if let Some(proof) = proof.filter(|p| self.shown[0] == Some(p.label) && self.own_words > 0)
                    && self.unit.alien == 0
                    && trial.words.len() < TRIED
                    && proof.add(word, &mut trial.leads)
                {
                    trial.push(word);
                    if proof.holds(&trial.leads, trial.words.len()) {
                        trial.state = State::Proved;
                    }
                    return true;
                }
            }
        }
        self.give_up();
        false
    }

    /// Gives the words of the unit that were looked at for a proof to the whole model.
    fn give_up(&mut self) {
        self.unit.trial.state = State::Failed;
        let mut words = std::mem::take(&mut self.unit.trial.words);
        for (word, length) in words.drain(..) {
            self.take(0, &word[..length]);
        }
        self.unit.trial.words = words;
    }

    /// Whether the unit is proved to be Russian.
    pub(super) fn is_proved(&mut self) -> bool {
        match self.unit.trial.state {
            State::Proved if self.unit.alien == 0 => true,
            State::Failed => false,
            _ => {
                self.give_up();
                false
            }
        }
    }

    /// Counts the words that proved the unit, about as many as the whole model would have scored; returns them.
    pub(super) fn add_proved(&mut self) -> u64 {
        let seen = &mut self.seen[0];
        let words = self.unit.trial.words.iter();
        let counted = words
            .filter(|(word, length)| !is_repeated(seen, &word[..*length]))
            .count() as u64;
        self.proved_words += counted;
        counted
    }
}
