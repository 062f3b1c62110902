"""Clean text of ten kinds that looks as if it held personal data, and holds none.

    python -m tests.pii_bench.clean --seed 1 --megabytes 1 > clean.jsonl

Laws, price lists, books with ISBN, chess games, program code, statistics, telephone directories of
institutions, minutes with numbered sections, sports results and technical specifications. All drawn from a
seed; numbers are random, with no check digits made to fit. A mask in any but the directories is false; the
directories hold telephones of institutions, which a detector has to tell from those of persons.
"""

# ruff: noqa: E501 - lines of text are written as they stand

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator

Rng = random.Random
GOODS = [
    "Болт М8x30",
    "Кабель ВВГ 3x2,5",
    "Насос ЦНС 60-198",
    "Фильтр 21-1012005",
    "Подшипник 6205-2RS",
    "Краска эмаль ПФ-115",
]
GOODS += [
    "Труба ПНД 32x2,4",
    "Лампа LED E27 10Вт",
    'Ноутбук 15.6" i5-8250U',
    "Шина 205/55 R16 91V",
    "Бумага А4 80 г/м²",
]
AUTHORS = ["Иванов А. Б.", "Толстой Л. Н.", "Чехов А. П.", "Петрова М. И.", "Smith J.", "Гоголь Н. В."]
TITLES = [
    "Избранное",
    "Сборник задач по физике",
    "История России",
    "Мёртвые души",
    "Основы права",
    "Алгебра. 9 класс",
]
MONTHS = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
]
REGIONS = [
    "Тульская область",
    "Москва",
    "Республика Татарстан",
    "Пермский край",
    "Ленинградская область",
    "Чукотский АО",
]
OFFICES = [
    "Приёмная главы администрации",
    "Регистратура поликлиники № 3",
    "Школа № 12",
    "Дежурная часть ОВД",
    "Справочная вокзала",
]
OFFICES += [
    "Отдел опеки и попечительства",
    "Детский сад № 7 «Ромашка»",
    "Центральная библиотека",
    "Горячая линия",
    "Касса театра",
]
PIECES = [
    "Кf3",
    "Сb5",
    "Лe1",
    "Фd2",
    "Крf1",
    "e4",
    "d5",
    "c4",
    "ab",
    "Кxd5",
    "Сxf6",
    "0-0",
    "0-0-0",
    "gxf6",
    "Лxe8+",
    "Фh7#",
    "bc",
    "dxe5",
]


def laws(rng: Rng) -> str:
    n = rng.randrange
    return (
        f"Статья {n(1, 500)}.{n(1, 9)}. В редакции федеральных законов от {n(1, 28):02d}.{n(1, 13):02d}.{n(1995, 2024)} "
        f"№ {n(1, 500)}-ФЗ, от {n(1, 28):02d}.{n(1, 13):02d}.{n(1995, 2024)} N {n(1, 500)}-ФЗ (пункты {n(1, 9)}, {n(10, 30)}, "
        f"{n(31, 60)} - {n(61, 99)}). Штраф в размере от {n(1, 99)} 000 до {n(100, 999)} 000 рублей по статьям {n(100, 400)}, "
        f"{n(100, 400)}, {n(100, 400)}).\n{n(1, 12)}. Собрание законодательства Российской Федерации, {n(1994, 2024)}, "
        f"№ {n(1, 52)}, ст. {n(1000, 9999)}; № {n(1, 52)}, ст. {n(1000, 9999)}; {n(1994, 2024)}, № {n(1, 52)}, ст. {n(1000, 9999)}."
    )


def prices(rng: Rng) -> str:
    n = rng.randrange
    price = f"{n(1, 999)} {n(0, 1000):03d},{n(0, 100):02d}"
    return rng.choice(
        [
            f"{rng.choice(GOODS)} | арт. {n(10**6, 10**9)} | {price} руб. | {n(1, 500)} шт.",
            f"{rng.choice(GOODS)}; код {n(10**4, 10**7)}; {n(1, 90)} {n(0, 1000):03d} ₽; остаток {n(0, 10000)}",
            f"Штрихкод 46{n(10**10, 10**11)}  {rng.choice(GOODS)}  {n(10, 9999)}.{n(0, 100):02d}  НДС 20%",
            f"{n(1, 200)}. {rng.choice(GOODS)} — от {n(1, 90)} {n(0, 1000):03d} до {n(100, 900)} {n(0, 1000):03d} руб. за 1 000 шт.",
            f"Заказ № {n(10**8, 10**11)} от {n(1, 28):02d}.{n(1, 13):02d}.{n(2010, 2024)} на сумму {price} руб.",
        ]
    )


def books(rng: Rng) -> str:
    n = rng.randrange
    isbn = (
        f"978-5-{n(10, 99)}-{n(10**5, 10**6)}-{n(0, 10)}"
        if rng.random() < 0.6
        else f"5-{n(100, 999)}-{n(10**4, 10**5)}-{n(0, 10)}"
    )
    return (
        f"{rng.choice(AUTHORS)} {rng.choice(TITLES)}. — М.: Наука, {n(1950, 2024)}. — {n(90, 900)} с. — ISBN {isbn}. "
        f"УДК {n(1, 900)}.{n(1, 99)}, ББК {n(10, 99)}.{n(1, 9)}({n(1, 9)}Рос). Тираж {n(1, 90)} 000 экз. Заказ {n(10, 9999)}. "
        f"Формат 84x108/32. Журнал: ISSN {n(1000, 9999)}-{n(1000, 9999)}, Т. {n(1, 99)}, № {n(1, 12)}, С. {n(1, 500)}-{n(501, 999)}."
    )


def chess(rng: Rng) -> str:
    n = rng.randrange
    moves = " ".join(f"{k}. {rng.choice(PIECES)} {rng.choice(PIECES)}" for k in range(1, n(12, 60)))
    return f"Партия {n(1, 99)}, {n(1900, 2024)}: {moves} {rng.choice(['1-0', '0-1', '1/2-1/2', '½:½'])} (счёт {n(0, 12)}:{n(0, 12)}, Эло {n(1800, 2850)})."


def code(rng: Rng) -> str:
    n = rng.randrange
    return rng.choice(
        [
            f"for (int i = {n(0, 9)}; i < {n(10, 10**6)}; i++) {{ sum += table[i] * 0x{n(0, 2**32):08x}; }} // {n(1, 99)}.{n(0, 20)}.{n(0, 99)}",
            f"color: #{n(0, 2**24):06x}; margin: {n(0, 90)}px {n(0, 90)}px {n(0, 90)}px {n(0, 90)}px; z-index: {n(0, 99999)};",
            f"2024-{n(1, 13):02d}-{n(1, 28):02d} {n(0, 24):02d}:{n(0, 60):02d}:{n(0, 60):02d},{n(0, 1000):03d} INFO [{n(1000, 9999)}] took {n(1, 9999)} ms, 0.{n(10**15, 10**16)}",
            f"pip install numpy=={n(1, 3)}.{n(0, 30)}.{n(0, 9)}.{n(0, 9)} && curl http://localhost:{n(1000, 9999)}/api/v{n(1, 4)} # 127.0.0.1",
            f"assert hash(x) == {n(10**9, 10**10)} and uid in ({n(10**5, 10**6)}, {n(10**5, 10**6)}, {n(10**5, 10**6)})",
            f"self.phone = None; user.password = getpass(); token = tokens[{n(0, 99)}]  # 1.2.3",
        ]
    )


def statistics(rng: Rng) -> str:
    n = rng.randrange
    cell: list[Callable[[], str]] = [
        lambda: str(n(1, 10**6)), lambda: f"{n(1, 999)},{n(0, 10)}", lambda: f"{n(1, 999)} {n(0, 1000):03d}",
        lambda: f"{n(1, 99)} {n(0, 1000):03d} {n(0, 1000):03d}", lambda: f"{n(90, 110)}.{n(0, 10)}", lambda: "…",
    ]  # fmt: skip
    gap = rng.choice([" ", "  ", "\t", " | "])
    return f"{rng.choice(REGIONS)}{gap}" + gap.join(rng.choice(cell)() for _ in range(n(4, 12)))


def directory(rng: Rng) -> str:
    n = rng.randrange
    code_, number = rng.choice(
        [
            ("4872", f"{n(20, 99)}-{n(10, 99)}-{n(10, 99)}"),
            ("48762", f"{n(2, 9)}-{n(10, 99)}-{n(10, 99)}"),
            ("495", f"{n(200, 999)}-{n(10, 99)}-{n(10, 99)}"),
        ]
    )
    phone = rng.choice(
        [
            f"({code_}) {number}",
            f"8 ({code_}) {number}",
            f"8-800-{n(100, 999)}-{n(10, 99)}-{n(10, 99)}",
            f"тел. {number}",
        ]
    )
    return f"{rng.choice(OFFICES)}{rng.choice([': ', ' — ', ', '])}{phone}"


def minutes(rng: Rng) -> str:
    n = rng.randrange
    return (
        f"{n(1, 9)}.{n(1, 20)}.{n(1, 9)}.{n(1, 9)} Рассмотреть вопрос (протокол № {n(1, 99)} от {n(1, 28)} {rng.choice(MONTHS)} {n(2000, 2024)} г., "
        f"листы {n(1, 50)}-{n(51, 99)}, приложение {n(1, 9)}/{n(1, 99)}). Кадастровый номер {n(1, 92)}:{n(10, 99)}:{n(10**6, 10**7)}:{n(1, 999)}, "
        f"площадь {n(100, 9999)} кв. м, дело № А{n(40, 77)}-{n(1000, 99999)}/{n(2005, 2024)}, счёт-фактура {n(1, 9999)} от {n(1, 28):02d}.{n(1, 13):02d}.{n(2010, 2024)}."
    )


def sports(rng: Rng) -> str:
    n = rng.randrange
    sets = ", ".join(f"{n(0, 8)}:{n(0, 8)}" for _ in range(n(2, 6)))
    return (
        f"{n(1, 60)}. {rng.choice(AUTHORS)} {n(0, 3)}:{n(10, 60)}.{n(0, 100):02d} (+{n(0, 60)}.{n(0, 10)}), промахи {n(0, 5)}+{n(0, 5)}+{n(0, 5)}+{n(0, 5)}; "
        f"матч {n(60, 140)}:{n(60, 140)} ({sets}), зрителей {n(1, 80)} {n(0, 1000):03d}. 8 16 32 64 участника, 100 м за {n(9, 12)},{n(0, 100):02d}."
    )


def technical(rng: Rng) -> str:
    n = rng.randrange
    return (
        f"ГОСТ {n(100, 60000)}-{n(60, 99)}, ГОСТ Р ИСО {n(1000, 20000)}-{n(1, 9)}-{n(2000, 2024)}, ТУ {n(10, 99)}.{n(10, 99)}.{n(10, 99)}-{n(1, 999):03d}-{n(10**7, 10**8)}-{n(2000, 2024)}. "
        f"Габариты {n(100, 3000)}x{n(100, 3000)}x{n(100, 3000)} мм, масса {n(1, 900)},{n(0, 10)} кг, IP54, {n(110, 400)} В, DN {n(10, 999)}, версия {n(1, 20)}.{n(0, 20)}.{n(0, 99999)}.{n(0, 9)}, "
        f"IMEI 35{n(10**12, 10**13)}, S/N {n(10**7, 10**10)}, модель Х{n(100, 999)}АМ, ось в {n(100, 999)} км."
    )


#: kind -> one line or paragraph of it.
KINDS: dict[str, Callable[[Rng], str]] = {
    "laws": laws, "prices": prices, "books": books, "chess": chess, "code": code, "statistics": statistics,
    "directory": directory, "minutes": minutes, "sports": sports, "technical": technical,
}  # fmt: skip


def texts(kind: str, seed: int, size: int) -> Iterator[str]:
    """Documents of 40 lines of a kind, `size` bytes together at least."""
    rng = random.Random(f"{kind} {seed}")
    made = 0
    while made < size:
        text = "\n".join(KINDS[kind](rng) for _ in range(40))
        made += len(text.encode())
        yield text


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--megabytes", type=float, default=1.0, help="of each kind")
    options = parser.parse_args()
    for kind in KINDS:
        for text in texts(kind, options.seed, int(options.megabytes * 1e6)):
            print(json.dumps({"kind": kind, "text": text}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
