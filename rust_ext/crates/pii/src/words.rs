//! Numerals of Russian as digits.

/// Numerals up to 900 in small letters with е for ё.
pub const NUMERALS: [(&str, u16); 40] = [
    ("ноль", 0),
    ("нуль", 0),
    ("один", 1),
    ("одна", 1),
    ("два", 2),
    ("две", 2),
    ("три", 3),
    ("четыре", 4),
    ("пять", 5),
    ("шесть", 6),
    ("семь", 7),
    ("восемь", 8),
    ("девять", 9),
    ("десять", 10),
    ("одиннадцать", 11),
    ("двенадцать", 12),
    ("тринадцать", 13),
    ("четырнадцать", 14),
    ("пятнадцать", 15),
    ("шестнадцать", 16),
    ("семнадцать", 17),
    ("восемнадцать", 18),
    ("девятнадцать", 19),
    ("двадцать", 20),
    ("тридцать", 30),
    ("сорок", 40),
    ("пятьдесят", 50),
    ("шестьдесят", 60),
    ("семьдесят", 70),
    ("восемьдесят", 80),
    ("девяносто", 90),
    ("сто", 100),
    ("двести", 200),
    ("триста", 300),
    ("четыреста", 400),
    ("пятьсот", 500),
    ("шестьсот", 600),
    ("семьсот", 700),
    ("восемьсот", 800),
    ("девятьсот", 900),
];

/// The word that stands for «+» before a number.
pub const PLUS: &str = "плюс";

/// The value of a numeral in small letters.
pub fn numeral(word: &str) -> Option<u16> {
    NUMERALS
        .iter()
        .find(|(known, _)| *known == word)
        .map(|&(_, value)| value)
}

/// What a numeral leaves open for a smaller one that follows: after 900 a number below 100, after 20 one below 10.
pub fn room(value: u16) -> u16 {
    match value {
        100..=900 if value.is_multiple_of(100) => 100,
        20..=999 if value.is_multiple_of(10) && value % 100 >= 20 => 10,
        _ => 0,
    }
}
