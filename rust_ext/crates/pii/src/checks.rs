//! Check digits, by the standards. Every function takes digits as values 0 to 9.

fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(&d, &w)| u32::from(d) * w).sum()
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, &d| sum * 10 + u64::from(d))
}

/// A code of a subject of the federation as numbers begin with it; 00 and codes that were never given are not.
pub fn region(digits: &[u8]) -> bool {
    matches!(digits, [a, b, ..] if (1..=99).contains(&(a * 10 + b)))
}

/// ИНН of an organisation: order of the tax service ММВ-7-6/435.
pub fn inn10(d: &[u8]) -> bool {
    d.len() == 10 && region(d) && weighted(d, &[2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == u32::from(d[9])
}

/// ИНН of a person: two check digits.
pub fn inn12(d: &[u8]) -> bool {
    d.len() == 12
        && region(d)
        && weighted(d, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == u32::from(d[10])
        && weighted(d, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == u32::from(d[11])
}

/// СНИЛС: the sum of weights 9 to 1 modulo 101; numbers up to 001-001-998 have no check digits and don't count.
pub fn snils(d: &[u8]) -> bool {
    d.len() == 11
        && number(&d[..9]) > 1_001_998
        && u64::from(weighted(d, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100) == number(&d[9..])
}

/// ОГРН of an organisation: sign, year, region, number, check digit.
pub fn ogrn(d: &[u8]) -> bool {
    d.len() == 13
        && matches!(d[0], 1 | 2 | 5)
        && number(&d[1..3]) <= 39
        && region(&d[3..])
        && number(&d[..12]) % 11 % 10 == u64::from(d[12])
}

/// ОГРНИП of a sole trader.
pub fn ogrnip(d: &[u8]) -> bool {
    d.len() == 15
        && matches!(d[0], 3 | 4)
        && number(&d[1..3]) <= 39
        && region(&d[3..])
        && number(&d[..14]) % 13 % 10 == u64::from(d[14])
}

/// ISO/IEC 7812-1, annex B: bank cards, and the number of the compulsory insurance (its rule is the same).
pub fn luhn(d: &[u8]) -> bool {
    let doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u32 = (d.iter().rev().enumerate())
        .map(|(n, &v)| {
            u32::from(if n % 2 == 1 {
                doubled[usize::from(v % 10)]
            } else {
                v
            })
        })
        .sum();
    sum.is_multiple_of(10) && d.iter().any(|&v| v != d[0])
}

/// Whether a card of this length can begin so: Visa, Mastercard, Мир, Maestro, UnionPay, American Express.
pub fn issuer(d: &[u8]) -> bool {
    let (two, four) = (number(&d[..2]), number(&d[..4]));
    match d.len() {
        15 => matches!(two, 34 | 37),
        16 => d[0] == 4 || matches!(two, 50..=58 | 60..=69) || matches!(four, 2200..=2204 | 2221..=2720),
        18 | 19 => matches!(two, 50 | 56..=58 | 60..=69) || matches!(four, 2200..=2204),
        _ => false,
    }
}

/// An account's first eight digits: a balance account of the plan of accounts and a currency.
pub fn account(d: &[u8]) -> bool {
    d.len() == 20
        && matches!(number(&d[..3]), 301..=303 | 401..=408 | 410..=426 | 428..=440 | 441..=457 | 474)
        && matches!(
            number(&d[5..8]),
            810 | 643 | 840 | 978 | 156 | 826 | 756 | 398 | 974 | 933 | 980 | 392
        )
}

/// The joint check of an account and the БИК of its bank: weights 7, 1, 3 over the bank's last three digits (of
/// an account at the central bank: "0" and the fifth and sixth) and the account.
pub fn account_at(d: &[u8], bik: &[u8]) -> bool {
    if d.len() != 20 || bik.len() != 9 {
        return false;
    }
    let fits = |head: [u8; 3]| {
        let sum: u32 = (head.iter().chain(d).zip([7u32, 1, 3].iter().cycle()))
            .map(|(&v, &w)| u32::from(v) * w % 10)
            .sum();
        sum.is_multiple_of(10)
    };
    fits([bik[6], bik[7], bik[8]]) || fits([0, bik[4], bik[5]])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<u8> {
        text.bytes().map(|b| b - b'0').collect()
    }

    /// Numbers of large organisations that stand in public registers, and examples of the standards' texts.
    #[test]
    fn published_numbers_pass_and_their_neighbours_do_not() {
        type Check = fn(&[u8]) -> bool;
        let known: [(Check, &str); 6] = [
            (inn10, "7707083893"),
            (inn12, "500100732259"),
            (snils, "11223344595"),
            (ogrn, "1027700132195"),
            (ogrnip, "304500116000157"),
            (luhn, "4111111111111111"),
        ];
        for (check, text) in known {
            let mut d = of(text);
            assert!(check(&d), "{text}");
            let last = d.len() - 1;
            d[last] = (d[last] + 1) % 10;
            assert!(!check(&d), "{text}");
        }
    }

    #[test]
    fn account_and_bank_are_checked_together() {
        // The correspondent account of the largest bank in its register entry: 30101 810 4 0000 0000 225.
        assert!(account_at(&of("30101810400000000225"), &of("044525225")));
        assert!(!account_at(&of("30101810500000000225"), &of("044525225")));
    }
}
