"""Real pages, each reader for one folder of the material named in tests/data/crawl/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from .page import Page, encode, sample

#: Samples taken whole from other projects' test data: small, and each of one kind the rest lacks.
SAMPLES = {
    "resiliparse/warcfile.warc.gz": "zho",  # a slice of Common Crawl: 11 Chinese pages and the ones below
    "resiliparse/clueweb-quirk.warc.gz": "jpn",
    "resiliparse/clipped.warc.gz": "eng",
    "whirlwind/whirlwind.warc.gz": "arg",
    "dolma/sample-0000.warc.gz": "eng",
    "dolma/sample-0001.warc.gz": "eng",
    "warcio/example-iana.org-chunked.warc": "eng",
}
SAMPLE_HOSTS = {"01spb.ru": "rus", "06.live-radsport.ch": "deu", "0900-hovenier.nl": "nld"}

#: From the Constitution (330 KB) to the tax code (4 MB, above the default size limit of extraction).
LAWS = ("102027595", "102107048", "102045146", "102041891", "102054721")


def html_responses(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """(url, body, HTTP content type) of the HTML responses of a WARC."""
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type != "response" or record.http_headers is None:
                continue
            kind = record.http_headers.get_header("Content-Type") or ""
            body = record.content_stream().read()
            if "html" in kind and body:
                yield record.rec_headers.get_header("WARC-Target-URI"), body, kind


def cyrillic(text: str) -> int:
    return len(re.findall("[а-яё]", text))


def visible(page: str) -> str:
    return re.sub(r"<[^>]+>", " ", page)


def far_russian(data: Path, count: int) -> Iterator[Page]:
    """The fullest pages of the book in its three revisions: real near duplicates in windows-1251.

    The second revision loses its charset declaration, a third of the third one gets a wrong one in HTTP.
    """
    books: dict[str, dict[str, bytes]] = {}
    for url, body, _ in html_responses(data / "far_cp1251" / "pages.warc.gz"):
        match = re.match(r"http://far\.example\.ru/(enc_rus2?|enc_rus3\.work)/(.*)", url)
        if match:
            books.setdefault(match[1], {})[match[2]] = body
    common = set.intersection(*(set(book) for book in books.values()))
    fullest = sorted(common, key=lambda n: (-cyrillic(visible(books["enc_rus"][n].decode("cp1251"))), n))
    for place, name in enumerate(sorted(fullest[:count])):
        base = "http://far.example.ru/"
        yield Page(f"{base}enc_rus/{name}", books["enc_rus"][name], "rus", "far", "", "cp1251")
        bare = re.sub(rb"(?i)<meta[^>]*charset[^>]*>\s*", b"", books["enc_rus2"][name])
        yield Page(
            f"{base}enc_rus2/{name}", bare, "rus", "far", "undeclared charset; near duplicate", "cp1251"
        )
        wrong = "text/html; charset=utf-8" if place % 3 == 0 else "text/html"
        what = "near duplicate" + ("; HTTP names a wrong charset" if place % 3 == 0 else "")
        yield Page(
            f"{base}enc_rus3.work/{name}", books["enc_rus3.work"][name], "rus", "far", what, "cp1251", wrong
        )


def far_english(data: Path, count: int) -> list[Page]:
    """Pages of the book in English; they declare windows-1251 although they are ASCII."""
    pages = [
        Page(url, body, "eng", "far", "declares windows-1251", "cp1251")
        for url, body, _ in html_responses(data / "far_cp1251" / "pages.warc.gz")
        if "/enc_eng/" in url and len(body) > 1500 and not cyrillic(body.decode("cp1251"))
    ]
    return sample(pages, count, "far_english")


def httpd(data: Path) -> Iterator[Page]:
    """Apache's start page in every Cyrillic encoding it was shipped in, and manual pages in KOI8-R."""
    names = {"cp-1251": "cp1251", "cp866": "cp866", "iso-ru": "iso8859-5", "koi8-r": "koi8-r"}
    names |= {"ucs2": "utf-16-be", "ucs4": "utf-32-be", "utf8": "utf-8"}
    folder = data / "apache_httpd_ru"
    for path in sorted(folder.glob("index.html.ru.*")):
        suffix = path.name.rsplit(".", 1)[1]
        if suffix in names:
            url = f"http://www.apache.example.ru/{path.name}"
            yield Page(url, path.read_bytes(), "rus", "httpd", "the same page in 7 encodings", names[suffix])
    for path in sorted((folder / "manual").rglob("*.koi8-r")):
        url = f"http://httpd.example.ru/docs/2.0/{path.relative_to(folder / 'manual').with_suffix('')}"
        body = path.read_bytes()
        if path.stem.startswith(("stopping", "install", "handler", "mpm")):
            body = re.sub(rb"(?i)^<\?xml[^>]*\?>\s*|<meta[^>]*charset[^>]*>\s*", b"", body)
            yield Page(url, body, "rus", "httpd", "undeclared charset", "koi8-r")
        else:
            yield Page(url, body, "rus", "httpd", "", "koi8-r")


def libreoffice(data: Path, count: int) -> list[Page]:
    """The help pages with the most Russian text: every page in the same heavy template."""
    pages = []
    for url, body, kind in html_responses(data / "manuals" / "pages.warc.gz"):
        if "/libreoffice-help-ru/" in url:
            text = visible(body.decode("utf-8"))
            pages.append((-cyrillic(text), url, body, kind))
    pages.sort(key=lambda item: item[:2])
    return [
        Page(url.replace("/libreoffice-help-ru/usr/share/libreoffice/help", "/libreoffice"), body, "rus",
             "libreoffice", "template", "utf-8", kind)
        for _, url, body, kind in pages[:count]
    ]  # fmt: skip


def laws(data: Path) -> list[Page]:
    return [
        Page(url, body, "rus", "laws", f"very large page ({len(body):,} bytes)", "utf-8", kind)
        for url, body, kind in html_responses(data / "laws" / "pages.warc.gz")
        if url.rsplit("/", 1)[1].removesuffix(".html") in LAWS
    ]


def warc_samples(data: Path) -> Iterator[Page]:
    for name, lang in SAMPLES.items():
        for url, body, kind in html_responses(data / "warc_samples" / name):
            host = url.split("/")[2]
            declared = re.search(rb"charset=[\"']?([\w-]+)", body[:4000] + kind.encode())
            charset = declared[1].decode().lower() if declared else "utf-8"
            yield Page(url, body, SAMPLE_HOSTS.get(host, lang), "warc_samples", name, charset, kind)


def in_charset(html: str, charset: str, declare: bool) -> bytes:
    """Encode a page that holds the mark %CHARSET%, declaring its charset in a meta element or nowhere."""
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">' if declare else ""
    return encode(html.replace("%CHARSET%", meta), charset)
