//! The model of quality: how much a document looks like junk, which signals weighed most, and its register.

use bukvar_trees::{Ensemble, Expected, LEAF, Tree, TreeFile};

const MAGIC: &[u8; 8] = b"BKVQLT1\n";
/// Ensembles: the margin of junk, the rows of the fit in each of its leaves, and one a register.
const JUNK: &str = "junk";
const COVER: &str = "junk.cover";
const REGISTER: &str = "register.";

/// Trees over the signals of a document.
#[derive(Debug)]
pub struct QualityModel {
    junk: Ensemble,
    /// Of each tree of `junk`, the mean of the leaves below each split.
    means: Vec<Vec<f32>>,
    registers: Vec<Ensemble>,
    features: usize,
}

impl QualityModel {
    /// Reads a model file; `names` are the signals that this build computes, in the order of a row.
    pub fn read(bytes: &[u8], names: &[String]) -> Result<Self, String> {
        let expected = Expected {
            magic: MAGIC,
            what: "quality model",
            fit_with: "`bukvar filter fit`, or python -m corpus.quality.fit",
            names,
        };
        let mut file = TreeFile::read(bytes, &expected, |_| names.len())?;
        let mut take = |name: &str| {
            let at = file.ensembles.iter().position(|ensemble| ensemble.name == name);
            at.map(|at| file.ensembles.swap_remove(at))
                .ok_or_else(|| format!("the quality model has no ensemble named {name}"))
        };
        let (junk, cover) = (take(JUNK)?, take(COVER)?);
        let alike = |(tree, rows): (&Tree, &Tree)| tree.leaves.len() == rows.leaves.len();
        if junk.trees.len() != cover.trees.len() || !junk.trees.iter().zip(&cover.trees).all(alike) {
            return Err("the quality model's counts of rows belong to other trees".to_owned());
        }
        let means = junk
            .trees
            .iter()
            .zip(&cover.trees)
            .map(|(tree, rows)| means(tree, &rows.leaves));
        let mut registers: Vec<_> = file.ensembles;
        registers.retain(|ensemble| ensemble.name.starts_with(REGISTER));
        registers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            means: means.collect(),
            junk,
            registers,
            features: names.len(),
        })
    }

    /// How many signals a row has.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The registers, in the order of `register`.
    pub fn registers(&self) -> Vec<String> {
        let name = |ensemble: &Ensemble| ensemble.name[REGISTER.len()..].to_owned();
        self.registers.iter().map(name).collect()
    }

    /// The margin of each row: the log of the odds that it is junk.
    pub fn margins(&self, rows: &[f32]) -> Vec<f32> {
        self.junk.scores(rows, self.features)
    }

    /// The signals that moved a row's margin upwards most, with how far: at most `most`, the furthest first. What
    /// a tree adds is shared out among the splits on the way, each given the change of the mean below it.
    pub fn reasons(&self, row: &[f32], most: usize) -> Vec<(usize, f32)> {
        let mut moved = vec![0_f32; self.features];
        for (tree, means) in self.junk.trees.iter().zip(&self.means) {
            let mut before = means.first().copied().unwrap_or(0.0);
            tree.walk(row, |split, next| {
                let now = if next < LEAF {
                    means[next]
                } else {
                    tree.leaves[next - LEAF]
                };
                moved[usize::from(split.feature)] += now - before;
                before = now;
            });
        }
        let mut order: Vec<usize> = (0..self.features).filter(|&at| moved[at] > 0.0).collect();
        order.sort_by(|&a, &b| moved[b].total_cmp(&moved[a]).then(a.cmp(&b)));
        order.truncate(most);
        order.into_iter().map(|at| (at, moved[at])).collect()
    }

    /// The most probable register of each row and its probability; 0 and 0 where the model knows no registers.
    pub fn registers_of(&self, rows: &[f32]) -> Vec<(usize, f32)> {
        let scores: Vec<Vec<f32>> = self
            .registers
            .iter()
            .map(|ensemble| ensemble.scores(rows, self.features))
            .collect();
        let most_probable = |row: usize| {
            let margin = |at: usize| f64::from(scores[at][row]);
            let best = (0..scores.len()).max_by(|&a, &b| margin(a).total_cmp(&margin(b)).then(b.cmp(&a)))?;
            let sum: f64 = (0..scores.len())
                .map(|at| (margin(at) - margin(best)).exp())
                .sum();
            Some((best, (1.0 / sum) as f32))
        };
        (0..rows.len() / self.features.max(1))
            .map(|row| most_probable(row).unwrap_or((0, 0.0)))
            .collect()
    }
}

/// The mean of the leaves below each split, each leaf weighed by its rows.
fn means(tree: &Tree, rows: &[f32]) -> Vec<f32> {
    let mut sums = vec![(0_f64, 0_f64); tree.splits.len()];
    for at in (0..tree.splits.len()).rev() {
        for child in tree.splits[at].children.map(usize::from) {
            let (sum, count) = if child < LEAF {
                sums[child]
            } else {
                let rows = f64::from(rows[child - LEAF]);
                (f64::from(tree.leaves[child - LEAF]) * rows, rows)
            };
            sums[at].0 += sum;
            sums[at].1 += count;
        }
    }
    sums.into_iter()
        .map(|(sum, count)| if count > 0.0 { (sum / count) as f32 } else { 0.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bukvar_trees::Split;

    fn tree(threshold: f32, feature: u16, leaves: [f32; 2]) -> Tree {
        Tree {
            splits: vec![Split {
                threshold,
                feature,
                children: [128, 129],
            }],
            leaves: leaves.to_vec(),
        }
    }

    fn ensemble(name: &str, trees: Vec<Tree>) -> Ensemble {
        Ensemble {
            name: name.to_owned(),
            input: 0,
            base: 0.0,
            trees,
        }
    }

    fn model() -> QualityModel {
        let trees = vec![tree(0.5, 0, [-1.0, 1.0]), tree(2.0, 1, [-3.0, 1.0])];
        QualityModel {
            means: vec![means(&trees[0], &[1.0, 1.0]), means(&trees[1], &[1.0, 3.0])],
            junk: ensemble(JUNK, trees),
            registers: vec![
                ensemble("register.news", vec![tree(0.5, 0, [0.0, 2.0])]),
                ensemble("register.verse", vec![tree(0.5, 0, [1.0, 0.0])]),
            ],
            features: 3,
        }
    }

    #[test]
    fn the_signal_that_moved_the_margin_most_comes_first() {
        let model = model();
        assert_eq!(model.margins(&[1.0, 3.0, 0.0, 0.0, 3.0, 0.0]), [2.0, 0.0]);
        assert_eq!(model.reasons(&[1.0, 3.0, 0.0], 3), [(0, 1.0), (1, 1.0)]);
        assert_eq!(model.reasons(&[1.0, 0.0, 0.0], 3), [(0, 1.0)]);
    }

    #[test]
    fn the_register_is_the_likeliest_with_its_probability() {
        let [(register, probability)] = model().registers_of(&[1.0, 0.0, 0.0])[..] else {
            panic!("a register a row");
        };
        assert_eq!(model().registers()[register], "news");
        assert!((probability - 0.880_797).abs() < 1e-5);
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let error = QualityModel::read(b"no model at all", &[]).expect_err("no model");
        assert!(error.contains("damaged"));
    }
}
