//! Text that was decoded in the wrong charset, once or several times over.

use super::{mac, single, utf8};

/// More layers than this nobody has seen; each costs one pass.
const MOST_LAYERS: usize = 4;

/// The text as it was meant and the number of characters restored (in the last layer that touched them);
/// `None` where nothing is broken.
pub fn undo(text: &str) -> Option<(String, usize)> {
    let mut undone: Option<(String, usize)> = None;
    for _ in 0..MOST_LAYERS {
        let current = undone.as_ref().map_or(text, |(current, _)| current);
        let found = utf8::undo_layer(current)
            .or_else(|| single::undo_layer(current))
            .or_else(|| mac::undo_layer(current));
        let Some((next, restored)) = found else {
            break;
        };
        let most = undone.map_or(0, |(_, before)| before).max(restored);
        undone = Some((next, most));
    }
    undone
}
