"""How people write each identifier: labels, separators, spacing, breaks over lines, disguises.

Written down from standards (numbering plan, ГОСТ 6.30 and Р 7.0.97 for documents, forms of the tax service
and of banks), from spellings seen on pages, and from what forum users do to get past filters: before any
pattern of a detector. A form is a function from a generator to `Written`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.pii_bench import values
from tests.pii_bench.secret_forms import SECRETS
from tests.pii_bench.written import Written

Rng = random.Random
SPACES = ["\u00a0", "  ", "\u2009", "\u202f", " \u00a0", "   "]
HYPHENS = ["-", "–", "—", "‑", "−", " - ", " – "]
ALIKE = {"0": "ОоOo", "1": "lIІ", "3": "Зз", "4": "Чч", "6": "б", "5": "S"}
INVISIBLE = ["\u200b", "\u00ad", "\u2060", "\ufeff"]
UNITS = ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"]
UNITS += ["одиннадцать", "двенадцать", "тринадцать", "четырнадцать", "пятнадцать", "шестнадцать"]
UNITS += ["семнадцать", "восемнадцать", "девятнадцать"]
TENS = ["", "", "двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят"]
TENS += ["девяносто"]
HUNDREDS = ["", "сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот"]
HUNDREDS += ["девятьсот"]


def cut(number: str, *lengths: int) -> list[str]:
    parts, at = [], 0
    for length in lengths:
        parts.append(number[at : at + length])
        at += length
    return [*parts, number[at:]] if at < len(number) else parts


def alike(rng: Rng, text: str, most: int = 3) -> str:
    """One to `most` digits become letters of the same look."""
    places = [n for n, c in enumerate(text) if c in ALIKE]
    out = list(text)
    for n in rng.sample(places, min(len(places), rng.randint(1, most))):
        out[n] = rng.choice(ALIKE[text[n]])
    return "".join(out)


def invisible(rng: Rng, text: str) -> str:
    at = rng.randrange(1, len(text))
    return text[:at] + rng.choice(INVISIBLE) + text[at:]


def broken(rng: Rng, parts: list[str], joint: str) -> str:
    """The parts with a line's end at one of the joints."""
    at = rng.randrange(1, len(parts))
    end = (
        rng.choice(["\n", " \n", "-\n", "\n  ", "\r\n"])
        if joint.strip()
        else rng.choice(["\n", " \n", "\n "])
    )
    return joint.join(parts[:at]) + end + joint.join(parts[at:])


def in_words(rng: Rng, parts: list[str]) -> str:
    """Each part as it is read aloud: zeros one by one, then the number."""
    spoken = []
    for part in parts:
        words = []
        while part.startswith("0") and len(part) > 1:
            words.append("ноль")
            part = part[1:]
        number = int(part)
        if number >= 100:
            words.append(HUNDREDS[number // 100])
            number %= 100
            if number:
                words += _below_hundred(number)
        else:
            words += _below_hundred(number)
        spoken.append(" ".join(words))
    return rng.choice([" ", " ", ", ", "-"]).join(spoken)


def _below_hundred(number: int) -> list[str]:
    if number < 20:
        return [UNITS[number]]
    return [TENS[number // 10], *([UNITS[number % 10]] if number % 10 else [])]


def vary(rng: Rng, parts: list[str], joints: list[str], letters: int = 3) -> tuple[str, str]:
    """The parts of a number written in one of the ways that hold for all numbers."""
    joint = rng.choice(joints)
    chance = rng.random()
    if chance < 0.55:
        return joint.join(parts), "plain"
    if chance < 0.66:
        return rng.choice(SPACES).join(parts), "spaced"
    if chance < 0.71:
        return " ".join("".join(parts)), "spaced"
    if chance < 0.76 and len(parts) > 1:
        return rng.choice(HYPHENS).join(parts), "spaced"
    if chance < 0.86 and len(parts) > 1:
        return broken(rng, parts, joint), "broken"
    if chance < 0.94:
        return alike(rng, joint.join(parts), letters), "disguised"
    return invisible(rng, joint.join(parts)), "disguised"


PHONE_LABELS = ["тел. ", "тел.: ", "Тел: ", "телефон ", "Телефон: ", "моб. ", "т. ", "звоните ", "мой номер "]
PHONE_LABELS += [
    "WhatsApp ",
    "Viber: ",
    "по телефону ",
    "сот. ",
    "Контактный телефон: ",
    "звонить: ",
    "номер ",
]


def phone(rng: Rng) -> Written:
    label = rng.choice(PHONE_LABELS) if rng.random() < 0.5 else ""
    return _mobile(rng, label) if rng.random() < 0.65 else _landline(rng, label)


def _mobile(rng: Rng, label: str) -> Written:
    number = values.mobile(rng)
    prefix = rng.choice(["+7", "8", "8", "7", "+7"])
    code, rest = number[:3], rng.choice([(3, 2, 2), (3, 2, 2), (3, 4), (7,), (2, 2, 3), (1, 2, 2, 2)])
    parts = cut(number[3:], *rest)
    chance = rng.random()
    if chance < 0.1:
        words = in_words(rng, [code, *cut(number[3:], 3, 2, 2)])
        return Written(
            f"{rng.choice(['восемь', 'плюс семь', 'Восемь', '8', '+7'])} {words}", label, way="words"
        )
    if chance < 0.13:
        spoken = " ".join(UNITS[int(d)] for d in number)
        return Written(f"восемь {spoken}", label, way="words")
    if chance < 0.28:
        return Written(prefix + number, label)
    if chance < 0.6:
        joint = rng.choice(["-", " ", "-", ".", " - "])
        around = rng.choice(["{} ({}) ", "{}({})", "{}-{}-", "{} {} ", "{} ({})"])
        text = around.format(prefix, code) + joint.join(parts)
        if rng.random() < 0.25:
            return Written(alike(rng, text), label, way="disguised")
        return Written(text, label)
    if chance < 0.64:
        text, way = vary(rng, [prefix, code, *parts], ["*", "_", "/", "~", " · "])
        return Written(text, label, way="disguised" if way == "plain" else way)
    if chance < 0.69 and len(parts) > 1:  # without a prefix
        return Written(f"{code}{rng.choice('- ')}{'-'.join(parts)}", rng.choice(PHONE_LABELS))
    text, way = vary(rng, [prefix, code, *parts], ["-", " ", "-"])
    return Written(text, label, way=way)


def _landline(rng: Rng, label: str) -> Written:
    code, number = values.landline(rng)
    size = len(number)
    parts = cut(number, *{7: (3, 2, 2), 6: (2, 2, 2), 5: (1, 2, 2)}[size])
    chance = rng.random()
    if chance < 0.1:  # of the same town
        return Written(
            rng.choice("- ").join(parts) if size == 7 else "-".join(parts),
            rng.choice(["тел. ", "тел.: ", "Телефон: "]),
        )
    prefix = rng.choice(["8", "+7", "8", ""])
    joint = rng.choice(["-", "-", " ", ""])
    if chance < 0.85 or not prefix:
        text = f"{prefix}{rng.choice([' ', ''])}({code}) {joint.join(parts)}".strip()
        if rng.random() < 0.1:
            return Written(alike(rng, text, 2), label, way="disguised")
        return Written(text, label)
    text, way = vary(rng, [prefix, code, *parts], ["-", " ", "-"])
    return Written(text, label or rng.choice(PHONE_LABELS), way=way)


def simple(
    make: Callable[[Rng], str], labels: list[str], shapes: list[tuple[int, ...]], bare: float = 0.0
) -> Callable[[Rng], Written]:
    """A number with a label (left out in a share `bare` of plain writings) and its usual groups."""

    def form(rng: Rng) -> Written:
        number = make(rng)
        shape = rng.choice(shapes)
        text, way = vary(
            rng, cut(number, *shape), ["" if len(shape) == 1 else " ", " ", "-"] if len(shape) > 1 else [""]
        )
        label = "" if way == "plain" and rng.random() < bare else rng.choice(labels)
        return Written(text, label, way=way)

    return form


def snils(rng: Rng) -> Written:
    number = values.snils(rng)
    parts = cut(number, 3, 3, 3)
    label = rng.choice(
        ["СНИЛС ", "СНИЛС: ", "снилс № ", "страховой номер ", "Страховое свидетельство № ", ""]
    )
    chance = rng.random()
    if chance < 0.5:
        return Written("-".join(parts[:3]) + rng.choice([" ", " ", "-"]) + parts[3], label)
    if chance < 0.65:
        return Written(number, label or "СНИЛС ")
    text, way = vary(rng, parts, ["-", " "])
    return Written(text, label or "СНИЛС ", way=way)


def kpp(rng: Rng) -> Written:
    text, way = vary(rng, cut(values.kpp(rng), 4, 2), [""])
    if rng.random() < 0.4:
        return Written(text, f"ИНН/КПП {values.inn10(rng)}/", way=way)
    return Written(text, rng.choice(["КПП ", "КПП: ", "кпп "]), way=way)


def account(rng: Rng) -> Written:
    bank = values.bik(rng)
    number = values.account(rng, bank)
    labels = ["р/с ", "Р/с: ", "расчётный счёт ", "расчетный счет № ", "счёт ", "л/с ", "р/счет ", "на счёт "]
    text, way = vary(rng, rng.choice([[number], cut(number, 5, 3, 1, 4), cut(number, 4, 4, 4, 4)]), ["", " "])
    after = rng.choice([f", БИК {bank}", f" в банке, БИК: {bank}", f"\nБИК {bank}", ""])
    before = rng.choice(labels) if not after or rng.random() < 0.8 else f"БИК {bank}, "
    return Written(text, before, after, way=way)


def document(
    make: Callable[[Rng], str], labels: list[str], series: int, joints: list[str]
) -> Callable[[Rng], Written]:
    """Papers of a series and a number: the mask has to cover both."""

    def form(rng: Rng) -> Written:
        number = make(rng)
        head, tail = number[:series], number[series:]
        if series == 4 and rng.random() < 0.5:
            head = f"{head[:2]} {head[2:]}"
        joint = rng.choice(joints)
        text, way = head + joint + tail, "plain"
        chance = rng.random()
        if chance < 0.08:
            text, way = broken(rng, [head, tail], ""), "broken"
        elif chance < 0.14:
            text, way = " ".join(number), "spaced"
        elif chance < 0.2:
            text, way = head + alike(rng, tail + "0", 2)[: len(tail)], "disguised"
            text = text if len(text) > len(head) else head + tail
        return Written(text, rng.choice(labels), way=way)

    return form


PASSPORT = [
    "паспорт ",
    "Паспорт: ",
    "паспорт серии ",
    "паспорт серия ",
    "паспорт гражданина РФ ",
    "паспортные данные: ",
]
PASSPORT += [
    "паспорт РФ серия ",
    "Паспорт гражданина Российской Федерации: серия ",
    "п/п ",
    "документ: паспорт ",
]
PASSPORT[8] = "паспорт №"
FOREIGN = [
    "загранпаспорт ",
    "заграничный паспорт ",
    "Загранпаспорт № ",
    "загран. паспорт ",
    "заграничный паспорт серии ",
]
LICENCE = [
    "водительское удостоверение ",
    "в/у ",
    "ВУ № ",
    "водительские права ",
    "Водительское удостоверение серии ",
]
LICENCE += ["права серия ", "вод. удостоверение "]
NUMBER = [" ", " № ", " номер ", " N ", ""]


def licence(rng: Rng) -> Written:
    if rng.random() < 0.2:
        pair = rng.choice(values.PLATE_LETTERS) + rng.choice(values.PLATE_LETTERS)
        text = f"{rng.choice(values.REGIONS)} {pair} {values.digits(rng, 6)}"
        return Written(text, rng.choice(LICENCE[:3]))
    return document(values.licence, LICENCE, 4, NUMBER)(rng)


def plate(rng: Rng) -> Written:
    letter, number, pair, region = values.plate(rng)
    label = rng.choice(["госномер ", "номер ", "г/н ", "авто ", "гос. номер ", "машина ", "а/м ", ""])
    chance = rng.random()
    if chance < 0.4:
        return Written(f"{letter}{number}{pair}{region}", label)
    if chance < 0.55:
        return Written(f"{letter}{number}{pair} {region}{rng.choice(['', ' RUS', ' rus'])}", label)
    if chance < 0.7:
        return Written(f"{letter} {number} {pair} {region}", label or "номер ", way="spaced")
    if chance < 0.8:
        return Written(f"{letter}{number}{pair}{region}".lower(), label or "госномер ")
    if chance < 0.9:
        latin = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
        return Written(f"{letter}{number}{pair}{region}".translate(latin), label, way="disguised")
    return Written(f"{letter}-{number}-{pair}-{region}", label or "госномер ", way="spaced")


def ip(rng: Rng) -> Written:
    label = rng.choice(["IP ", "IP: ", "ip-адрес ", "с адреса ", "IP-адрес: ", "хост ", ""])
    if rng.random() < 0.2:
        return Written(values.ipv6(rng), label)
    address = values.ipv4(rng)
    chance = rng.random()
    if chance < 0.8:
        return Written(address, label, rng.choice(["", "", ":8080", "/24"]))
    if chance < 0.9:
        return Written(address.replace(".", rng.choice(["[.]", " . ", "(.)"])), "IP ", way="disguised")
    return Written(invisible(rng, address), label, way="disguised")


#: type -> form. `secret_forms` holds e-mails, keys, passwords, handles, addresses and birth dates.
FORMS: dict[str, Callable[[Rng], Written]] = {
    "phone": phone,
    "inn10": simple(
        values.inn10, ["ИНН ", "ИНН: ", "инн ", "ИНН №", "ИНН организации "], [(10,), (10,), (4, 5)]
    ),
    "inn12": simple(values.inn12, ["ИНН ", "ИНН: ", "инн ", "ИНН физлица "], [(12,), (12,), (4, 6)], 0.15),
    "snils": snils,
    "ogrn": simple(values.ogrn, ["ОГРН ", "ОГРН: ", "огрн ", "ОГРН №"], [(13,), (13,), (1, 2, 2)], 0.15),
    "ogrnip": simple(values.ogrnip, ["ОГРНИП ", "ОГРНИП: ", "огрнип "], [(15,), (15,), (1, 2, 2)], 0.15),
    "kpp": kpp,
    "card": simple(
        values.card,
        ["карта ", "на карту ", "Карта Сбербанка: ", "№ карты ", "карту Мир "],
        [(4, 4, 4), (4, 4, 4), (16,)],
        0.25,
    ),
    "account": account,
    "oms": simple(
        values.oms, ["полис ОМС ", "ОМС: ", "ЕНП ", "полис № ", "медицинский полис "], [(16,), (4, 4, 4)]
    ),
    "passport": document(values.passport, PASSPORT, 4, NUMBER),
    "passport_foreign": document(values.passport_foreign, FOREIGN, 2, NUMBER),
    "licence": licence,
    "plate": plate,
    "ip": ip,
    **SECRETS,
}
