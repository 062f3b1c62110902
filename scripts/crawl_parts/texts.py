# ruff: noqa: E501 - lines of page text stand as a site sends them
"""Ordinary Russian running text, as pages of several kinds of sites.

The texts are real (public domain fiction and drama, the PHP manual); the pages around them are ours,
modelled on what such sites send: navigation, counters, share buttons, cookie banners and calls to read on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from .page import Page, digest, escape, paragraphs, pick, sample
from .sources import cyrillic, in_charset

#: Characters of a cut from a long book: a chapter or so.
CUT = 11_000

BARE = """<html><head>%CHARSET%<title>{title}</title></head><body bgcolor=#ffffff>
<center><h2>{title}</h2></center><hr>
{body}
<hr><a href=index.html>Оглавление</a> <a href=/guest.cgi>Гостевая книга</a></body></html>
"""

LIBRARY = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<html><head>%CHARSET%<title>{title} - читать онлайн бесплатно - Электронная библиотека</title></head>
<body><table width="100%"><tr><td colspan=3><a href="/"><img src="/logo.gif" alt="Электронная библиотека"></a>
<a href="/new/">Новинки</a> | <a href="/top/">Лучшее</a> | <a href="/authors/">Авторы</a> | <a href="/genres/">Жанры</a>
| <a href="/forum/">Форум</a> | <a href="/feedback/">Обратная связь</a></td></tr>
<tr><td width=180 valign=top><b>Авторы</b><br><a href="/a/">А</a> <a href="/b/">Б</a> <a href="/v/">В</a>
<a href="/g/">Г</a> <a href="/d/">Д</a><br><b>Поиск</b><form><input name=q><input type=submit value="Найти"></form></td>
<td valign=top><h1>{title}</h1>
{body}
</td><td width=160 valign=top><b>Случайная книга</b><br><a href="/random/">Показать</a></td></tr>
<tr><td colspan=3>Все права на произведения принадлежат их авторам. &copy; 2004-2016 Электронная библиотека.
При использовании материалов ссылка обязательна.</td></tr></table>
<!--LiveInternet counter--><img src="/hit?t44.1" width=31 height=31 alt=""></body></html>
"""

BLOG = """<!DOCTYPE html>
<html lang="ru"><head>%CHARSET%<meta name="viewport" content="width=device-width"><title>{title} | Читальный зал</title>
<script>window.dataLayer=window.dataLayer||[];</script></head><body>
<div class="cookie-notice">Мы используем файлы cookie. Продолжая пользоваться сайтом, вы соглашаетесь с
<a href="/privacy">политикой обработки персональных данных</a>. <button>Принять</button></div>
<header class="site-header"><a class="logo" href="/">Читальный зал</a>
<nav><ul><li><a href="/proza">Проза</a></li><li><a href="/drama">Драма</a></li><li><a href="/esse">Эссе</a></li>
<li><a href="/about">О проекте</a></li></ul></nav></header>
<main><article class="post"><h1 class="entry-title">{title}</h1>
<div class="meta"><time datetime="{date}">{date}</time> · {views} просмотров · 12+</div>
<div class="entry-content">
{body}
</div>
<div class="share"><span>Поделиться:</span> <a href="#vk">ВКонтакте</a> <a href="#ok">Одноклассники</a> <a href="#tg">Telegram</a></div>
</article>
<aside class="related"><h3>Читайте также</h3><ul><li><a href="/p/101">Письма к брату</a></li>
<li><a href="/p/102">Заметки о переводе</a></li><li><a href="/p/103">Десять рассказов о зиме</a></li></ul></aside>
<section class="comments"><h3>Комментарии (2)</h3><div class="comment"><b>Ольга</b> Спасибо, давно искала!</div>
<div class="comment"><b>Гость</b> А где продолжение?</div></section></main>
<footer>© Читальный зал, 2012–2024. Подпишитесь на нашу рассылку. <a href="/privacy">Персональные данные</a></footer>
</body></html>
"""

MAGAZINE = """<!DOCTYPE html>
<html lang="ru"><head>%CHARSET%<title>{title} — Литературный журнал</title></head><body class="page page--article">
<div class="topline"><a href="/subscribe">Подписка</a><a href="/login">Войти</a><a href="/basket">Корзина (0)</a></div>
<ul class="breadcrumbs"><li><a href="/">Главная</a></li><li><a href="/archive">Архив</a></li><li>{title}</li></ul>
<div class="banner"><!-- adfox --></div>
<div class="text-block"><h1>{title}</h1>
{body}
<p class="more"><a href="/archive/next">Читать далее</a></p></div>
<div class="sidebar"><div class="widget"><h4>Популярное</h4><a href="/1">Разговор с издателем</a>
<a href="/2">Премия сезона: кто в списке</a><a href="/3">Как читать толстые журналы</a></div>
<div class="widget">Нашли ошибку? Выделите её и нажмите Ctrl+Enter.</div></div>
<div class="footer">Свидетельство о регистрации СМИ. Редакция не несёт ответственности за содержание рекламы.</div>
</body></html>
"""

MANUAL = """<!DOCTYPE html>
<html lang="ru"><head>%CHARSET%<title>{title} - Руководство</title></head><body>
<nav><a href="/">Главная</a> <a href="/docs">Документация</a> <a href="/get-involved">Участвовать</a></nav>
<div id="layout"><section id="layout-content"><h2 class="title">{title}</h2>
{body}
</section></div><footer><a href="/copyright">Авторские права</a> <a href="/mirrors">Зеркала</a></footer></body></html>
"""

#: layout, host, and the (charset, declared) pairs its pages are written in.
SITES = (
    (BARE, "lib.example.ru", (("koi8-r", False), ("cp1251", False), ("koi8-r", True), ("cp866", False))),
    (LIBRARY, "www.biblioteka.example.ru", (("cp1251", True), ("cp1251", False))),
    (BLOG, "chitalny-zal.example.ru", (("utf-8", True),)),
    (MAGAZINE, "journal.example.su", (("utf-8", True), ("utf-8", False))),
    (
        BARE,
        "old.example.ru",
        (("iso8859-5", True), ("utf-16", False), ("mac-cyrillic", False), ("cp866", True)),
    ),
)


def unwrap(text: str) -> list[str]:
    """The paragraphs of a plain text: an indented line starts one where lines are wrapped by hand."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    widths = sorted(map(len, lines))
    if widths[int(0.98 * (len(widths) - 1))] > 100:
        return [" ".join(line.split()) for line in lines]
    joined: list[str] = []
    for line in lines:
        if line.startswith(" ") or not joined:
            joined.append(line.strip())
        else:
            joined[-1] += " " + line.strip()
    return [" ".join(item.split()) for item in joined]


def prose(text: str) -> bool:
    """Verse and lists have short lines; half of a story's characters stand in lines of 120 and more."""
    lines = unwrap(text)
    return bool(lines) and sum(len(x) for x in lines if len(x) >= 120) > 0.5 * sum(map(len, lines))


def cuts(lines: list[str], size: int) -> list[list[str]]:
    """Consecutive paragraphs in cuts of about `size` characters."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if sum(map(len, parts[-1])) >= size:
            parts.append([])
        parts[-1].append(line)
    return parts


def title_of(lines: list[str]) -> str:
    heads = [line for line in lines[:2] if len(line) < 70]
    return escape(". ".join(heads) or lines[0][:60].rsplit(" ", 1)[0])


def layout(template: str, title: str, body: str, name: str) -> str:
    date = f"20{12 + digest(name, 'y') % 12}-{1 + digest(name, 'm') % 12:02}-{1 + digest(name, 'd') % 28:02}"
    filled = template.replace("{title}", title).replace("{date}", date)
    return filled.replace("{views}", str(digest(name, "v") % 9000)).replace("{body}", body)


def wrap(lines: list[str], name: str, source: str) -> Page:
    """One text as a page of a site that its name decides."""
    template, host, charsets = SITES[digest(name, "site") % len(SITES)]
    charset, declare = pick(charsets, name, "charset")
    html = layout(template, title_of(lines), paragraphs(lines), name)
    what = "" if declare or charset == "utf-16" else "undeclared charset"
    url = f"http://{host}/{name}.html"
    return Page(url, in_charset(html, charset, declare), "rus", source, what, charset)


def read(data: Path, name: str) -> list[tuple[str, str]]:
    rows = pq.read_table(data / "text_ru" / f"{name}.parquet").to_pylist()
    return [(row["id"], row["text"]) for row in rows]


def stories(data: Path, count: int) -> list[tuple[str, list[str]]]:
    """(name, paragraphs) of whole stories, shuffled: neighbours in the source share an author."""
    texts = [(i, unwrap(t)) for i, t in read(data, "ruslit") if 4_000 < len(t) < 40_000 and prose(t)]
    return sorted(texts, key=lambda item: digest("stories", item[0]))[:count]


def chapters(data: Path, count: int) -> list[tuple[str, list[str]]]:
    """Cuts from long books, at most three of one."""
    found = []
    for name, text in read(data, "ruslit"):
        if len(text) >= 60_000 and prose(text):
            parts = cuts(unwrap(text), CUT)[1:-1]
            chosen = sample(list(enumerate(parts)), 3, "chapters", name)
            found += [(f"{name}/{place + 2}", part) for place, part in chosen]
    return sample(found, count, "chapters")


def plays(data: Path, count: int) -> list[tuple[str, list[str]]]:
    """Cuts from the middle of plays, away from the editors' remarks at the head."""
    found = []
    for name, text in read(data, "rusdracor"):
        if len(text) > 50_000 and not re.search("[ѣѢ]", text):
            parts = cuts(unwrap(text), CUT)
            found.append((f"{name}/{len(parts) // 2}", parts[len(parts) // 2]))
    return sample(found, count, "plays")


def pre_reform(data: Path, count: int) -> list[tuple[str, list[str]]]:
    """Cuts from a play printed in the orthography of before 1918."""
    for name, text in read(data, "rusdracor"):
        if len(re.findall("[ѣѢ]", text)) > 1_000:
            return [(f"{name}/{i}", part) for i, part in enumerate(cuts(unwrap(text), CUT)[2 : 2 + count])]
    return []


def technical(data: Path, count: int) -> Iterator[Page]:
    """Pages of the PHP manual with enough prose."""
    pages = []
    for name, text in read(data, "phpdoc_ru"):
        if 2_500 < len(text) < 12_000 and cyrillic(text) > 0.6 * len(text):
            pages.append(
                (name, [" ".join(x.split()) for x in re.split(r"\n(?=\s*[А-ЯЁ])", text) if x.strip()])
            )
    for name, lines in sample(pages, count, "technical"):
        html = layout(MANUAL, title_of(lines), paragraphs(lines[1:]), name)
        yield Page(
            f"https://php.example.ru/manual/{name}.html", in_charset(html, "utf-8", True), "rus", "phpdoc", ""
        )


def dialogues(data: Path, count: int) -> Iterator[Page]:
    """Question-and-answer threads of a forum."""
    rows = [(i, t) for i, t in read(data, "koziev") if "Q:" in t or "A:" in t or t.count("?") > 30]
    for name, text in sample(rows, count, "dialogues"):
        lines = [x for x in text.split("\n") if x.strip()][1:120]
        posts = "\n".join(
            f'<div class="post"><b>user{digest(x) % 97}</b><p>{escape(x)}</p></div>' for x in lines
        )
        html = layout(MANUAL, f"Тема {digest(name) % 10_000}", posts, name)
        url = f"http://forum.example.ru/viewtopic.php?t={name.split('/')[1]}"
        yield Page(url, in_charset(html, "utf-8", True), "rus", "koziev", "forum thread of one-line posts")
