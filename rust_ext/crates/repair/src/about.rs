//! What is true of a whole text.

/// What a repair of one line has to know of the whole text.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// It has letters that run from right to left.
    pub right_to_left: bool,
    /// It has letters of the alphabets with і: Ukrainian, Belarusian, Kazakh, Russian before 1918. Elsewhere a Latin i
    /// in a Cyrillic word is no look-alike but something else.
    pub has_i: bool,
    /// It has ј, as Serbian and Macedonian do; the same for a Latin j.
    pub has_je: bool,
    /// It has more Cyrillic letters than Latin ones.
    pub mostly_cyrillic: bool,
}

impl About {
    pub fn of(text: &str) -> Self {
        let mut about = Self::default();
        let (mut cyrillic, mut latin) = (0usize, 0usize);
        for char in text.chars() {
            match char {
                'a'..='z' | 'A'..='Z' => latin += 1,
                '\0'..='\u{3ff}' => {}
                'А'..='я' | 'ё' | 'Ё' => cyrillic += 1,
                'ј' | 'Ј' => about.has_je = true,
                '\u{400}'..='\u{52f}' => {
                    cyrillic += 1;
                    about.has_i |= "іїєґўѣѳѵқңғөұүәһІЇЄҐЎѢѲѴҚҢҒӨҰҮӘҺ".contains(char);
                }
                '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => {
                    about.right_to_left = true
                }
                _ => {}
            }
        }
        about.mostly_cyrillic = cyrillic > latin;
        about
    }
}
