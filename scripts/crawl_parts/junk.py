# ruff: noqa: E501 - lines of page text stand as a site sends them
"""Pages that a corpus is better without, written for this crawl after what such pages look like.

Names of firms, people, addresses and numbers are invented; hosts are under example domains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .page import Page, digest, pick
from .sources import in_charset

FRAME = """<!DOCTYPE html>
<html lang="ru"><head>%CHARSET%<title>{title}</title></head><body>
<div class="menu"><a href="/">Главная</a> <a href="/catalog">Каталог</a> <a href="/contacts">Контакты</a></div>
<h1>{title}</h1>
{body}
<div class="footer">© 2009-2021. Все права защищены.</div></body></html>
"""

CASINOS = ("Вулкан", "Фортуна", "Золотой Джокер", "Максимум", "Азарт", "Кристалл")
CITIES = ("Москва", "Санкт-Петербург", "Казань", "Самара", "Омск", "Пермь", "Тула", "Курск", "Чита", "Псков")
GOODS = ("Уголок стальной", "Труба профильная", "Лист оцинкованный", "Швеллер", "Арматура", "Саморез", "Анкер",
         "Кабель ВВГ", "Автомат", "Розетка", "Утеплитель", "Гипсокартон", "Профиль", "Шпатлёвка", "Грунтовка")  # fmt: skip
TAGS = ("ремонт", "обои", "рецепты", "дача", "рыбалка", "похудение", "гороскоп", "сонник", "тосты", "кроссворды",
        "рефераты", "скачать", "бесплатно", "без регистрации", "онлайн", "торрент", "обзор", "отзывы", "купить")  # fmt: skip


def casino(n: int) -> tuple[str, str]:
    name, city = pick(CASINOS, "casino", n), pick(CITIES, "casino city", n)
    title = f"Казино {name} официальный сайт зеркало {2017 + n % 8} играть на деньги"
    text = (
        f"<p>Онлайн казино {name} приглашает всех азартных игроков испытать удачу! Официальное зеркало казино {name} "
        f"работает круглосуточно, а вход доступен без VPN из города {city}. Игровые автоматы {name} играть бесплатно "
        f"и без регистрации, бездепозитный бонус {100 * (1 + n % 9)} рублей за регистрацию, фриспины каждый день.</p>"
        f"<p>Чтобы играть в казино {name} на реальные деньги, пополните счёт и получите бонус 200% на первый депозит. "
        f"Вывод выигрыша за 15 минут на карту, киви, биткоин. Слоты с высокой отдачей, джекпот, рулетка, покер, блэкджек. "
        f"Рабочее зеркало {name} на сегодня: нажмите кнопку и крутите барабаны прямо сейчас!</p>"
    )
    links = " ".join(
        f'<a href="http://{i}.kazino-zerkalo.example/">казино {x} зеркало</a>' for i, x in enumerate(CASINOS)
    )
    return title, text * (1 + n % 2) + f"<div>{links}</div>"


def consent(n: int) -> tuple[str, str]:
    firm = f"ООО «{pick(('Ромашка', 'Вектор', 'Техсервис', 'Уют', 'Горизонт'), 'firm', n)}»"
    return "Согласие на обработку персональных данных", (
        f"<p>Настоящим я, действуя свободно, своей волей и в своём интересе, даю {firm} (далее — Оператор) согласие на "
        "обработку своих персональных данных в соответствии с Федеральным законом от 27.07.2006 № 152-ФЗ «О персональных "
        "данных», а именно: фамилия, имя, отчество, номер телефона, адрес электронной почты, файлы cookie, сведения о "
        "действиях пользователя на сайте.</p><p>Под обработкой понимается любое действие или совокупность действий, "
        "совершаемых с использованием средств автоматизации или без использования таких средств, включая сбор, запись, "
        "систематизацию, накопление, хранение, уточнение (обновление, изменение), извлечение, использование, передачу "
        "(распространение, предоставление, доступ), обезличивание, блокирование, удаление, уничтожение персональных данных."
        "</p><p>Согласие действует с момента отправки формы и до его отзыва. Согласие может быть отозвано субъектом "
        f"персональных данных путём направления письменного заявления Оператору. {firm} вправе продолжить обработку без "
        "согласия субъекта при наличии оснований, указанных в пунктах 2–11 части 1 статьи 6 Закона № 152-ФЗ.</p>"
    )


def link_list(n: int) -> tuple[str, str]:
    rows = "\n".join(
        f'<li><a href="/catalog/{n}/{i}">{pick(TAGS, n, i, "a").capitalize()} {pick(CITIES, n, i)}</a> '
        f'({digest(n, i) % 500})</li>'
        for i in range(120)
    )  # fmt: skip
    return f"Каталог сайтов, страница {n + 1}", f"<ul>{rows}</ul>"


def tag_cloud(n: int) -> tuple[str, str]:
    words = " ".join(
        f'<a style="font-size:{8 + digest(n, i) % 20}px" href="/tag/{i}">{pick(TAGS, n, i)} {pick(TAGS, n, i, "b")}</a>'
        for i in range(200)
    )
    return "Облако тегов", f"<div class=tags>{words}</div>"


def prices(n: int) -> tuple[str, str]:
    rows = "\n".join(
        f"<tr><td>{pick(GOODS, n, i)} {10 + digest(n, i) % 90}х{digest(n, i, 'w') % 60}</td><td>шт.</td>"
        f"<td>{digest(n, i, 'p') % 9000},{digest(n, i, 'k') % 100:02}</td><td>{'в наличии' if i % 3 else 'под заказ'}</td></tr>"
        for i in range(90)
    )
    city = pick(CITIES, "prices", n)
    return f"Прайс-лист {city}", (
        f"<p>Доставка по городу {city} и области. Тел.: 8 (000) 000-{n:02}-00. Цены не являются публичной офертой.</p>"
        f"<table border=1><tr><th>Наименование</th><th>Ед.</th><th>Цена, руб.</th><th>Склад</th></tr>{rows}</table>"
    )


def lorem(n: int) -> tuple[str, str]:
    latin = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore. "
    fish = (
        "Таким образом, реализация намеченных плановых заданий требует от нас анализа соответствующих условий активизации. "
        "Разнообразный и богатый опыт постоянный количественный рост играет важную роль в формировании позиций. "
    )
    return f"Новость {n + 1}", f"<p>{latin * 6}</p><p>{fish * (1 + n % 4)}</p><p>{latin * 8}</p>"


def essay_mill(n: int) -> tuple[str, str]:
    subject = pick(("праву", "экономике", "истории", "философии", "менеджменту", "педагогике"), "essay", n)
    line = (
        f"Заказать курсовую по {subject} недорого в городе {pick(CITIES, 'essay', n)}. Курсовая по {subject} на заказ, "
        f"диплом по {subject} купить, реферат по {subject} срочно, контрольная по {subject} с гарантией, антиплагиат 85%. "
    )
    return f"Курсовые по {subject} на заказ", f"<p>{line * 9}</p>"


def who_called(n: int) -> tuple[str, str]:
    rows = "\n".join(
        f"<p>8-000-{digest(n, i) % 1000:03}-{digest(n, i, 2) % 100:02}-{digest(n, i, 3) % 100:02}: "
        f"{pick(('мошенники', 'реклама', 'молчат в трубку', 'банк', 'опрос', 'не брать'), n, i)}, "
        f"отзывов: {digest(n, i, 4) % 40}</p>"
        for i in range(80)
    )
    return "Кто звонил? Определить номер телефона", rows


def gone(n: int) -> tuple[str, str]:
    texts = (
        "<p>Ошибка 404. Запрашиваемая страница не найдена. Возможно, она была удалена или перемещена. "
        "Воспользуйтесь поиском или перейдите на главную страницу.</p>",
        "<p>Домен продаётся. По вопросам приобретения обращайтесь к владельцу. Домен припаркован.</p>",
        "<p>Для просмотра этого раздела необходимо авторизоваться.</p><form>Логин <input> Пароль <input></form>",
        "<p>Сайт находится в разработке. Зайдите позже.</p>",
        '<div id="app"></div><noscript>Включите JavaScript, чтобы пользоваться сайтом.</noscript>',
    )
    return ("Страница не найдена", "Домен", "Вход", "В разработке", "Загрузка…")[n % 5], texts[n % 5]


def calendar(n: int) -> tuple[str, str]:
    days = " ".join(f'<a href="/archive/{2010 + n}/{i}">{i}</a>' for i in range(1, 32))
    return f"Архив за {2010 + n} год", "".join(f"<h3>Месяц {m}</h3><p>{days}</p>" for m in range(1, 13))


def translit(n: int) -> tuple[str, str]:
    lines = (
        "Privet vsem! U menya ne rabotaet russkaya klaviatura, poetomu pishu translitom.",
        "Podskazhite pozhaluysta, kak nastroit modem, a to uzhe vtoroy den muchayus.",
        "Spasibo zaranee, zhdu otveta. Pishite v lichku ili na pochtu.",
    )
    return "Pomogite s modemom", "".join(f"<p>{line}</p>" for line in lines * (3 + n))


def shouting(n: int) -> tuple[str, str]:
    line = pick(
        (
            "АКЦИЯ!!! ТОЛЬКО СЕГОДНЯ СКИДКА 90%!!! ",
            "ЖМИ СЮДА >>> СКАЧАТЬ БЕСПЛАТНО <<< ",
            "!!!ХИТ ПРОДАЖ!!! ",
        ),
        n,
    )
    return "АКЦИЯ", "".join(f"<p>{line * (2 + i % 3)}</p>" for i in range(25))


def cookies(n: int) -> tuple[str, str]:
    site = pick(("nasha-dacha", "avto-mir", "moy-gorod"), "cookies", n) + ".example.ru"
    return "Политика использования файлов cookie", (
        f"<p>Сайт {site} использует файлы cookie. Продолжая использовать сайт {site}, вы даёте согласие на использование "
        "файлов cookie и сервисов веб-аналитики. Если вы не хотите, чтобы ваши данные обрабатывались, отключите cookie в "
        "настройках браузера или покиньте сайт.</p><p>Файлы cookie бывают обязательные, аналитические и рекламные. Срок "
        "хранения файлов cookie составляет от одной сессии до двух лет.</p><p>Принять все. Настроить. Отклонить.</p>"
    )


#: what the index says of the page, its text, how many, and whether the last is repeated word for word.
KINDS: tuple[tuple[str, Callable[[int], tuple[str, str]], int], ...] = (
    ("casino spam", casino, 14),
    ("consent under law 152-FZ", consent, 6),
    ("link list", link_list, 10),
    ("tag cloud", tag_cloud, 4),
    ("price list", prices, 8),
    ("lorem ipsum and its Russian kin", lorem, 5),
    ("essay mill", essay_mill, 6),
    ("phone number directory", who_called, 4),
    ("empty or gone (soft 404, parked, login, script only)", gone, 10),
    ("archive calendar", calendar, 4),
    ("Russian in Latin letters", translit, 2),
    ("shouting advertisement", shouting, 3),
    ("cookie policy", cookies, 4),
)


def pages() -> Iterator[Page]:
    for what, write, count in KINDS:
        for n in range(count):
            title, body = write(n)
            charset = "cp1251" if digest(what, n) % 4 == 0 else "utf-8"
            html = FRAME.format(title=title, body=body)
            name = write.__name__.replace("_", "-")
            url = f"http://{name}{n % 5}.example.ru/{digest(what, n) % 10_000}.html"
            declare = digest(what, n, "declare") % 5 != 0
            yield Page(url, in_charset(html, charset, declare), "rus", "written", f"junk: {what}", charset)
