"""Forms of what is not a number: e-mails, keys and passwords, handles, postal addresses, birth dates."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

from tests.pii_bench.written import Written

Rng = random.Random
LATIN_NAMES = [
    "ivanov",
    "petrova",
    "a.smirnov",
    "kuznetsov85",
    "olga_popova",
    "sidorov-k",
    "dr.volkov",
    "info",
    "anna1990",
]
LATIN_NAMES += [
    "m.sokolova",
    "nikolay.k",
    "zakaz",
    "e.v.morozova",
    "kot_matroskin",
    "buhgalter",
    "marina-78",
    "xxx777",
]
CYRILLIC_NAMES = ["иванов", "почта", "анна.смирнова", "инфо", "директор", "олег1975"]
DOMAINS = [
    "mail.ru",
    "yandex.ru",
    "gmail.com",
    "bk.ru",
    "inbox.ru",
    "list.ru",
    "rambler.ru",
    "ya.ru",
    "internet.ru",
]
DOMAINS += [
    "hotmail.com",
    "yahoo.com",
    "spb.edu.ru",
    "company-name.ru",
    "sub.domain.org",
    "stroy66.net",
    "icloud.com",
]
CYRILLIC_DOMAINS = ["почта.рф", "пример.рф", "школа-5.рф", "моя-компания.рус", "кремль.рф", "сайт.москва"]
SPOKEN = {
    "mail.ru": "мейл точка ру",
    "yandex.ru": "яндекс точка ру",
    "gmail.com": "джимейл точка ком",
    "bk.ru": "бк точка ру",
}
FIRST = ["Иван", "Пётр", "Сергей", "Алексей", "Николай", "Дмитрий", "Михаил", "Андрей"]
MIDDLE = ["Иванович", "Петрович", "Сергеевич", "Алексеевич", "Николаевич", "Дмитриевич"]
LAST = [
    "Иванов",
    "Петров",
    "Смирнов",
    "Кузнецов",
    "Попов",
    "Волков",
    "Соколов",
    "Лебедев",
    "Новиков",
    "Зайцев",
]
FEMALE = [
    ("Анна", "Сергеевна", "Смирнова"),
    ("Ольга", "Ивановна", "Петрова"),
    ("Мария", "Олеговна", "Белова"),
]
MONTHS = ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября"]
MONTHS += ["ноября", "декабря"]
STREETS = [
    "Ленина",
    "Гагарина",
    "8 Марта",
    "Большая Садовая",
    "Карла Маркса",
    "Мира",
    "Академика Королёва",
    "Тверская",
]
STREETS += [
    "Маршала Жукова",
    "Первомайская",
    "60 лет Октября",
    "Лермонтова",
    "1-я Парковая",
    "Зелёная",
    "Набережная",
]
TOWNS = [
    "Москва",
    "Тула",
    "Санкт-Петербург",
    "Нижний Новгород",
    "Екатеринбург",
    "Ростов-на-Дону",
    "Клин",
    "Псков",
]


def _some(rng: Rng, letters: str, count: int) -> str:
    return "".join(rng.choice(letters) for _ in range(count))


ALNUM = string.ascii_letters + string.digits


def email(rng: Rng) -> Written:  # noqa: C901 - one case a way of writing
    label = rng.choice(["e-mail: ", "почта ", "Email ", "пишите на ", "E-mail: ", "", "", "эл. почта: "])
    chance = rng.random()
    if chance < 0.12:
        name, domain = rng.choice([*CYRILLIC_NAMES, *LATIN_NAMES]), rng.choice(CYRILLIC_DOMAINS)
        return Written(f"{name}@{domain}", label)
    name, domain = rng.choice(LATIN_NAMES) + rng.choice(["", str(rng.randrange(100))]), rng.choice(DOMAINS)
    if chance < 0.55:
        whole = f"{name}@{domain}"
        return Written(rng.choice([whole, whole, whole.capitalize(), whole.upper()]), label)
    if chance < 0.62:
        return Written(f"{name}{rng.choice([' @ ', '@ ', ' @'])}{domain}", label, way="spaced")
    if chance < 0.67:
        return Written(f"{name} @ {domain.replace('.', ' . ')}", label, way="spaced")
    if chance < 0.71:
        return Written(" ".join(f"{name}@{domain}"), label or "почта ", way="spaced")
    if chance < 0.79:
        at = rng.choice(
            [
                "(собака)",
                "[собака]",
                " (собака) ",
                "[at]",
                "(at)",
                " [at] ",
                "{at}",
                " собака ",
                "(а)",
                "(@)",
                "[@]",
            ]
        )
        dot = rng.choice([".", ".", "[dot]", "(точка)", " точка ", "[.]", " dot "])
        return Written(f"{name}{at}{domain.replace('.', dot)}", label, way="disguised")
    if chance < 0.83:
        key = rng.choice(list(SPOKEN))
        return Written(
            f"{rng.choice(['иванов', 'petrova', 'smirnov77'])} собака {SPOKEN[key]}", label, way="words"
        )
    if chance < 0.9:
        whole = f"{name}@{domain}"
        table = {"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х"}
        places = [n for n, c in enumerate(whole) if c in table]
        if places:
            n = rng.choice(places)
            whole = whole[:n] + table[whole[n]] + whole[n + 1 :]
        return Written(whole, label, way="disguised")
    if chance < 0.95:
        return Written(f"{name}@{rng.choice(['', ' '])}{chr(10)}{domain}", label or "e-mail: ", way="broken")
    whole = f"{name}@{domain}"
    at = rng.randrange(1, len(whole))
    return Written(
        whole[:at] + rng.choice(["\u200b", "\u00ad", "\u2060"]) + whole[at:], label, way="disguised"
    )


def token(rng: Rng) -> Written:
    kind = rng.randrange(13)
    urlsafe = ALNUM + "-_"
    made = {
        0: lambda: "AKIA" + _some(rng, string.ascii_uppercase + "234567", 16),
        1: lambda: rng.choice(["ghp_", "gho_", "ghs_"]) + _some(rng, ALNUM, 36),
        2: lambda: "sk-" + rng.choice(["", "proj-", "ant-api03-"]) + _some(rng, ALNUM, 48),
        3: lambda: "xoxb-" + _some(rng, string.digits, 12) + "-" + _some(rng, ALNUM, 24),
        4: lambda: "AIza" + _some(rng, urlsafe, 35),
        5: lambda: "glpat-" + _some(rng, urlsafe, 20),
        6: lambda: _jwt(rng),
        7: lambda: (
            _some(rng, "123456789", 1) + _some(rng, string.digits, 9) + ":AA" + _some(rng, urlsafe, 33)
        ),
        8: lambda: "sk_live_" + _some(rng, ALNUM, 24),
        9: lambda: "hf_" + _some(rng, ALNUM, 34),
        10: lambda: "vk1.a." + _some(rng, urlsafe, 80),
        11: lambda: "y0_" + _some(rng, urlsafe, 55),
        12: lambda: "github_pat_" + _some(rng, ALNUM, 22) + "_" + _some(rng, ALNUM, 59),
    }
    if rng.random() < 0.3:
        label = rng.choice(
            [
                "api_key = ",
                "token: ",
                "access_token=",
                'secret_key = "',
                "Authorization: Bearer ",
                "api-key: ",
                "client_secret=",
            ]
        )
        value = _some(rng, "0123456789abcdef", 32) if rng.random() < 0.5 else _some(rng, ALNUM, 40)
        return Written(value, label, '"' if label.endswith('"') else "")
    return Written(made[kind](), rng.choice(["", "token ", "ключ ", "key="]))


def _jwt(rng: Rng) -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    body = part('{"sub":"' + _some(rng, string.digits, 10) + '","name":"Ivan"}')
    head = part('{"alg":"HS256","typ":"JWT"}')
    return f"{head}.{body}.{_some(rng, ALNUM + '-_', 43)}"


def cookie(rng: Rng) -> Written:
    name = rng.choice(
        [
            "PHPSESSID",
            "JSESSIONID",
            "sessionid",
            "sid",
            "connect.sid",
            "csrftoken",
            "laravel_session",
            "ASP.NET_SessionId",
        ]
    )
    value = _some(rng, "0123456789abcdef", 26) if rng.random() < 0.6 else _some(rng, ALNUM, 32)
    chance = rng.random()
    if chance < 0.5:
        return Written(
            value,
            f"{rng.choice(['Cookie: ', 'Set-Cookie: ', 'cookie: '])}{name}=",
            rng.choice(["; path=/", "", "; HttpOnly"]),
        )
    if name in ("sid", "connect.sid"):
        name = "PHPSESSID"
    return Written(value, f"{name}=")


def private_key(rng: Rng) -> Written:
    kind = rng.choice(
        ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]
    )
    lines = [_some(rng, ALNUM + "+/", 64) for _ in range(rng.randrange(3, 26))]
    body = "\n".join(lines) + "\n" + _some(rng, ALNUM + "+/", 30) + "=="
    return Written(f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----", "\n")


def password(rng: Rng) -> Written:
    value = rng.choice(
        [
            _some(rng, ALNUM, rng.randrange(6, 14)),
            "qwerty" + _some(rng, string.digits, 3),
            _some(rng, ALNUM, 7) + rng.choice("!#$%*"),
            "Vasya_" + _some(rng, string.digits, 4),
        ]
    )
    login = rng.choice(["admin", "ivanov", "user12", "root", "anna@mail.ru"])
    before = rng.choice(
        [
            "логин: {} пароль: ",
            "Логин {}, пароль ",
            "login: {}\npassword: ",
            "user={} password=",
            "логин/пароль: {}/",
            "Login: {} Pass: ",
            "логин - {}, пароль - ",
            "пароль: ",
        ]
    )
    return Written(value, before.format(login))


def handle(rng: Rng) -> Written:
    name = rng.choice(["ivan_petrov", "annasmirnova", "durov", "masha_k92", "sokolov1985", "olga.ivanova"])
    plain = name.replace(".", "_")
    return rng.choice(
        [
            Written(f"https://vk.com/{name}"),
            Written(f"vk.com/id{rng.randrange(1000, 700000000)}"),
            Written(f"https://t.me/{plain}"),
            Written(f"t.me/{plain}", "телеграм "),
            Written(f"@{plain}", rng.choice(["телеграм ", "Telegram: ", "тг ", "пишите в телегу "])),
            Written(f"https://ok.ru/profile/{rng.randrange(10**10, 10**12)}"),
            Written(f"m.vk.com/{name}"),
            Written(f"https://www.instagram.com/{name}/"),
            Written(
                f"id{rng.randrange(100000, 700000000)}",
                rng.choice(["вк ", "страница вконтакте: ", "ВКонтакте "]),
            ),
            Written(f"tg://resolve?domain={plain}"),
        ]
    )


def address(rng: Rng) -> Written:
    street = rng.choice(STREETS)
    kind = rng.choice(
        [
            "ул. {}",
            "улица {}",
            "ул.{}",
            "пр-т {}",
            "проспект {}",
            "пер. {}",
            "{} переулок",
            "б-р {}",
            "шоссе {}",
            "наб. {}",
            "пл. {}",
            "проезд {}",
            "{} улица",
        ]
    )
    house = rng.choice(
        ["д. {}", "дом {}", "д.{}", "{}", "д. {}/2", "д. {}а", "д. {} корп. 2", "д. {}, стр. 1", "{}к3"]
    ).format(rng.randrange(1, 150))
    flat = rng.choice([", кв. {}", ", кв.{}", " кв {}", ", квартира {}", "-{}"]).format(rng.randrange(1, 400))
    if not house.startswith("д") or rng.random() < 0.3:
        flat = flat if not flat.startswith("-") else f", кв. {rng.randrange(1, 400)}"
    town = rng.choice(["г. {}, ", "г.{}, ", "{}, ", "город {}, "]).format(rng.choice(TOWNS))
    town = rng.choice([town, town, f"{rng.randrange(101000, 690000)}, {town}", ""])
    return Written(
        f"{town}{kind.format(street)}, {house}{flat}",
        rng.choice(["", "Адрес: ", "проживает по адресу ", "живу "]),
    )


def birth_date(rng: Rng) -> Written:
    day, month, year = rng.randrange(1, 29), rng.randrange(1, 13), rng.randrange(1930, 2012)
    date = rng.choice(
        [
            f"{day:02d}.{month:02d}.{year}",
            f"{day} {MONTHS[month - 1]} {year}",
            f"{day:02d}/{month:02d}/{year}",
        ]
    )
    if rng.random() < 0.2:
        first, middle, last = rng.choice(FEMALE)
        born = "родилась"
    else:
        first, middle, last, born = rng.choice(FIRST), rng.choice(MIDDLE), rng.choice(LAST), "родился"
    name = rng.choice(
        [
            f"{last} {first} {middle}",
            f"{first} {middle} {last}",
            f"{last} {first[0]}.{middle[0]}.",
            f"{first} {last}",
        ]
    )
    return rng.choice(
        [
            Written(f"{name}, {date}", "", rng.choice([" г.р.", " г. р.", " года рождения"])),
            Written(date, "дата рождения: "),
            Written(date, "Дата рождения "),
            Written(f"{name}, дата рождения: {date}"),
            Written(f"{name} {born} {date}"),
            Written(date, "д.р. "),
            Written(f"{name} ({date} г.р.)"),
        ]
    )


SECRETS: dict[str, Callable[[Rng], Written]] = {
    "email": email,
    "token": token,
    "cookie": cookie,
    "private_key": private_key,
    "password": password,
    "handle": handle,
    "address": address,
    "birth_date": birth_date,
}
