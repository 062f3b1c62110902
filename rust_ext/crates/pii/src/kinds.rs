//! The kinds of personal data, and one find.

macro_rules! kinds {
    ($($variant:ident $name:literal $placeholder:literal,)*) => {
        /// What a find is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($variant,)* }

        impl Kind {
            /// All kinds, in the order of columns.
            pub const ALL: [Kind; [$($name),*].len()] = [$(Kind::$variant,)*];

            /// The name in recipes and columns.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// What stands in the text instead, without its angle brackets.
            pub fn placeholder(self) -> &'static str {
                match self { $(Kind::$variant => $placeholder,)* }
            }

            pub fn of_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Kind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    Email "email" "ПОЧТА",
    Phone "phone" "ТЕЛЕФОН",
    PhoneOffice "phone_office" "ТЕЛЕФОН_УЧРЕЖДЕНИЯ",
    Inn "inn" "ИНН",
    Snils "snils" "СНИЛС",
    Ogrn "ogrn" "ОГРН",
    Ogrnip "ogrnip" "ОГРНИП",
    Kpp "kpp" "КПП",
    Card "card" "КАРТА",
    Account "account" "СЧЁТ",
    Oms "oms" "ПОЛИС",
    Passport "passport" "ПАСПОРТ",
    PassportForeign "passport_foreign" "ЗАГРАНПАСПОРТ",
    Licence "licence" "ПРАВА",
    Plate "plate" "ГОСНОМЕР",
    Ip "ip" "IP",
    Cookie "cookie" "COOKIE",
    Token "token" "ТОКЕН",
    PrivateKey "private_key" "КЛЮЧ",
    Password "password" "ПАРОЛЬ",
    Handle "handle" "АККАУНТ",
    Address "address" "АДРЕС",
    AddressHouse "address_house" "АДРЕС_ДОМА",
    BirthDate "birth_date" "ДАТА_РОЖДЕНИЯ",
}

/// One find: bytes of the text, what it is, and how sure that is (higher outranks lower where two overlap).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    pub rank: u8,
}
