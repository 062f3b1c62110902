//! What the blocks under a node come to.

/// Sums over the blocks under a node.
#[derive(Clone, Copy, Default)]
pub struct Sums {
    pub words: f32,
    pub bytes: f32,
    pub link_bytes: f32,
    pub blocks: f32,
    pub long_words: f32,
    pub commas: f32,
    pub ends: f32,
    pub stop: f32,
    pub links: f32,
    pub digits: f32,
    pub letters: f32,
    pub headings: f32,
    pub images: f32,
    pub inputs: f32,
    pub bold: f32,
    pub text_blocks: f32,
}

impl Sums {
    /// Adds the sums of another node.
    pub fn add(&mut self, other: &Sums) {
        self.words += other.words;
        self.bytes += other.bytes;
        self.link_bytes += other.link_bytes;
        self.blocks += other.blocks;
        self.long_words += other.long_words;
        self.commas += other.commas;
        self.ends += other.ends;
        self.stop += other.stop;
        self.links += other.links;
        self.digits += other.digits;
        self.letters += other.letters;
        self.headings += other.headings;
        self.images += other.images;
        self.inputs += other.inputs;
        self.bold += other.bold;
        self.text_blocks += other.text_blocks;
    }
}
