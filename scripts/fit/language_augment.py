"""Texts that no source holds enough of, made from others: old spelling, transliteration, civil script.

Each function is pure; what is drawn by chance comes from the generator it is given.
"""

from __future__ import annotations

import random
import re

from corpus.langid.tags import names

VOWELS = "аеёиоуыэюяѣіѵ"
CONSONANTS = "бвгджзклмнпрстфхцчшщ"

#: Beginnings of roots that were written with ѣ (Grot, Russkoe pravopisanie, 1885).
YAT = names("""
    бѣг бѣд бѣжа бѣл бѣс вѣд вѣк вѣн вѣр вѣст вѣт вѣч вѣш вѣя гнѣв гнѣд грѣх грѣш грѣя грѣл дѣв дѣд дѣл
    дѣт дѣя звѣзд звѣр змѣ зрѣ кпѣк крѣп лѣв лѣз лѣн лѣп лѣс лѣт лѣч лѣш мѣд мѣл мѣн мѣр мѣс мѣт мѣх мѣш
    мѣща нѣг нѣд нѣж нѣк нѣм нѣмец нѣт нѣч пѣв пѣн пѣс пѣх пѣш пѣл рѣд рѣж рѣз рѣк рѣч рѣш рѣп свѣж свѣт
    свѣч сѣв сѣд сѣк сѣм сѣн сѣр сѣт слѣд слѣп смѣл смѣн смѣх смѣш снѣг спѣх спѣш спѣл стѣн стрѣл тѣл
    тѣн тѣс увѣч хлѣб хлѣв хрѣн цвѣт цѣл цѣн цѣп человѣк чревѣ ѣзд ѣха ѣда ѣсть ѣл ѣд апрѣл желѣз колѣн
    медвѣд надѣ полѣн сосѣд телѣг тѣх всѣх всѣм здѣсь гдѣ вездѣ двѣ послѣ возлѣ развѣ хотѣ смотрѣ видѣ
    сидѣ имѣ умѣ болѣ болѣе
""")
_YAT = [(root.replace("ѣ", "е"), root) for root in sorted(YAT, key=len, reverse=True)]
_PREFIX = (
    r"(?:без|бес|в|во|вз|вс|вы|до|за|из|ис|на|не|ни|о|об|от|пере|по|под|пра|пре|при|про|раз|рас|с|со|у)?"
)
_YAT_WORD = re.compile(r"\b(" + _PREFIX + r")(" + "|".join(modern for modern, _ in _YAT) + ")")
_YAT_OF = dict(_YAT)


def old_spelling(text: str, draw: random.Random) -> str:
    """Russian respelled as before 1918. Some texts keep only a part of the old letters, as later copies do:
    without ѣ, without і, without ъ at the ends of words, or with the old endings alone."""
    text = text.lower()
    parts = draw.choice(("all", "all", "hard", "hard", "letters", "no yat"))
    text = re.sub(r"\bих\b", "ихъ" if draw.random() < 0.5 else "их", text)
    if draw.random() < 0.8:
        text = re.sub(r"([жшчщкгх])его\b", r"\1аго", text)
        text = re.sub(r"(?<=[бвдзклмнпрст])ого\b", "аго", text)
        text = re.sub(r"(?<=[бвдзклмнпрст])ые\b", "ыя", text)
        text = re.sub(r"(?<=[бвдзклмнпрстгкх])ие\b", "ія" if draw.random() < 0.5 else "ие", text)
        text = re.sub(r"\b(рас|ис|вос|бес)(?=с)", lambda m: m.group(1)[:-1] + "з", text)
        text = re.sub(r"\bее\b|\bеё\b", "ея", text)
        text = re.sub(r"\bони\b", "онѣ" if draw.random() < 0.2 else "они", text)
    if parts in ("all", "letters"):
        text = _YAT_WORD.sub(lambda m: m.group(1) + _YAT_OF[m.group(2)], text)
        text = re.sub(r"(?<=[бвгдзклмнпрстфхцч])е\b(?=[^\w]+(?:[а-я]+|$))", _locative(draw), text)
        text = re.sub(r"ее\b", "ѣе", text)
        text = re.sub(r"\b(т|вс|мн|теб|себ|гд|зд)е\b", r"\1ѣ", text)
        text = re.sub(r"\bф(?=[ёеио][дмкф])", "ѳ", text)
    if parts in ("all", "letters", "no yat"):
        text = re.sub(r"и(?=[аеёийоуыэюяѣ])", "і", text)
        text = re.sub(r"\bмир(?=[а-я]*\b)", lambda m: "міръ"[:3] if draw.random() < 0.5 else m.group(), text)
    if parts in ("all", "hard", "no yat"):
        text = re.sub(rf"(?<=[{CONSONANTS}])\b", "ъ", text)
    return text


def _locative(draw: random.Random) -> str:
    return "ѣ" if draw.random() < 0.6 else "е"


#: Ways to write Russian in Latin letters: ISO 9 and scientific, passports, the BBC's, and what chats use.
_COMMON = dict(zip("абвгдзиклмнопрстуф", "abvgdziklmnoprstuf", strict=True))
SCHEMES: tuple[dict[str, str], ...] = (
    _COMMON
    | {
        "е": "e",
        "ё": "yo",
        "ж": "zh",
        "й": "y",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ъ": "",
        "ы": "y",
        "ь": "",
        "э": "e",
        "ю": "yu",
        "я": "ya",
    },
    _COMMON
    | {
        "е": "e",
        "ё": "yo",
        "ж": "zh",
        "й": "j",
        "х": "h",
        "ц": "c",
        "ч": "ch",
        "ш": "sh",
        "щ": "sch",
        "ъ": "'",
        "ы": "y",
        "ь": "'",
        "э": "e",
        "ю": "yu",
        "я": "ya",
    },
    _COMMON
    | {
        "е": "e",
        "ё": "e",
        "ж": "j",
        "й": "i",
        "х": "x",
        "ц": "ts",
        "ч": "4",
        "ш": "w",
        "щ": "sh",
        "ъ": "",
        "ы": "i",
        "ь": "",
        "э": "e",
        "ю": "u",
        "я": "ja",
    },
    _COMMON
    | {
        "е": "e",
        "ё": "ë",
        "ж": "ž",
        "й": "j",
        "х": "h",
        "ц": "c",
        "ч": "č",
        "ш": "š",
        "щ": "ŝ",
        "ъ": "ʺ",
        "ы": "y",
        "ь": "ʹ",
        "э": "è",
        "ю": "û",
        "я": "â",
    },
    _COMMON
    | {
        "е": "e",
        "ё": "jo",
        "ж": "zh",
        "й": "jj",
        "х": "kh",
        "ц": "c",
        "ч": "ch",
        "ш": "sh",
        "щ": "shh",
        "ъ": "",
        "ы": "y",
        "ь": "'",
        "э": "eh",
        "ю": "ju",
        "я": "ja",
    },
    _COMMON
    | {
        "е": "ye",
        "ё": "yo",
        "ж": "zh",
        "й": "i",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ъ": "ie",
        "ы": "y",
        "ь": "",
        "э": "e",
        "ю": "iu",
        "я": "ia",
    },
)
_UKRAINIAN = {"г": "h", "ґ": "g", "и": "y", "і": "i", "ї": "yi", "є": "ye", "'": ""}
_BULGARIAN = {"ъ": "a", "щ": "sht", "ж": "zh", "х": "h", "ц": "ts", "й": "y"}


def transliterated(text: str, lang: str, draw: random.Random) -> str:
    """Russian, Ukrainian or Bulgarian in Latin letters, by one of the common schemes."""
    scheme = dict(draw.choice(SCHEMES))
    scheme |= {"uk": _UKRAINIAN, "bg": _BULGARIAN}.get(lang, {})
    return "".join(scheme.get(c, c) for c in text.lower())


_CIVIL = str.maketrans(
    {
        **dict(zip("ѡѻѿꙋѫѧѩѭꙗѥєїіѕѯѱѳѵꙁꙑ", "ооууюяяюяеииизкпфвзы", strict=True)),
        **dict.fromkeys(map(chr, [*range(768, 880), *range(1155, 1160), *range(11744, 11776)])),
    }
)


def civil_script(text: str, draw: random.Random) -> str:
    """Church Slavonic in the letters of Russian, as prayer books for readers at home print it."""
    text = (
        text.lower()
        .replace("ᲂу", "у")
        .replace("ѹ", "у")
        .replace("оу", "у")
        .replace("ѿ", "от")
        .translate(_CIVIL)
    )
    if draw.random() < 0.5:
        text = re.sub(r"ъ\b", "", text)
    return text.replace("ѣ", "е")


#: Letters of Old East Slavic that editors print in more than one way.
VARIANTS = (("е", ("є",)), ("у", ("оу", "ѹ")), ("я", ("ѧ", "ꙗ")), ("ы", ("ꙑ",)), ("и", ("і",)))


def other_letters(text: str, draw: random.Random) -> str:
    """Old East Slavic with some of its letters as other editors print them."""
    text = text.lower()
    for letter, others in VARIANTS:
        if draw.random() < 0.4:
            text = text.replace(letter, draw.choice(others))
    return text


_HARD = dict(
    zip(
        "абвгґджзйкмнопрстуўфхцчшыэ",
        names("a b v h g d ž z j k m n o p r s t u ŭ f ch c č š y e"),
        strict=True,
    )
)
_SOFT = {"е": "e", "ё": "o", "ю": "u", "я": "a", "і": "i"}
_SOFTENED = {"с": "ś", "з": "ź", "ц": "ć", "н": "ń", "л": "l"}


def lacinka(text: str) -> str:
    """Belarusian in Latin letters, in its own tradition (as in the newspapers Nasha Niva and Biełarus)."""
    text = text.lower()
    out = []
    for at, letter in enumerate(text):
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        if letter in _SOFT:
            soft = (
                ""
                if letter == "і" or before == "л"
                else "i"
                if before in _HARD and before not in "аоуыэйў"
                else "j"
            )
            out.append(soft + _SOFT[letter])
        elif letter == "л":
            out.append("l" if after and after in "еёюяіьл" else "ł")
        elif after == "ь" and letter in _SOFTENED:
            out.append(_SOFTENED[letter])
        else:
            out.append("" if letter in "ь'’" else _HARD.get(letter, letter))
    return "".join(out)


_TATAR = {
    **dict(zip("абдезийлмнопрстухцщыэ", names("a b d e z i y l m n o p r s t u x ts şç ı e"), strict=True)),
    **dict(zip("әөүңһҗчшжъь", ("ä", "ö", "ü", "ñ", "h", "c", "ç", "ş", "j", "", ""), strict=True)),
    "ф": "f",
    "ё": "yo",
    "ю": "yu",
    "я": "ya",
    "в": "w",
}
_BACK = re.compile(r"[кг](?=[аоуыъ])|(?<=[аоуы])[кг]")


def tatar_latin(text: str) -> str:
    """Tatar in Latin letters, nearly in its alphabet of 1999: к and г beside back vowels are q and ğ."""
    text = _BACK.sub(lambda m: "q" if m.group() == "к" else "ğ", text.lower())
    return "".join(_TATAR.get(c, {"к": "k", "г": "g"}.get(c, c)) for c in text)
