"""Write tests/data/crawl and tests/data/ugly: `python scripts/make_crawl.py --data DIR`.

DIR holds the material that tests/data/crawl/README.md names. The same material gives the same bytes
with the same zlib; SHA256SUMS says whether it did.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from crawl_parts import damage, junk, languages, sources, spoil, texts, write
from crawl_parts.page import Page, digest, paragraphs

#: Mixed files, so that workers have something to share.
FILES = 8


def russian_texts(data: Path) -> list[Page]:
    stories = texts.stories(data, 146)
    chapters = texts.chapters(data, 60)
    pages = [texts.wrap(lines, name, "ruslit") for name, lines in stories[:118] + chapters]
    spare = stories[118:]
    pages += [texts.wrap(lines, name, "rusdracor") for name, lines in texts.plays(data, 20)]
    pages += texts.technical(data, 40)
    pages += texts.dialogues(data, 6)
    pages += spoil.broken(spare[:10])
    pages += spoil.lookalikes(spare[10:14])
    pages += spoil.stressed(spare[14:18])
    pages += spoil.misdeclared(spare[18:26])
    pages += spoil.old_spelling(texts.pre_reform(data, 4))
    pages += spoil.mirrors(stories[:12])
    pages += spoil.copies(stories[12:30])
    return pages


def all_pages(data: Path) -> list[Page]:
    """Every page once, in the order in which a crawl mixes them."""
    pages = russian_texts(data)
    pages += sources.far_russian(data, 30)
    pages += sources.httpd(data)
    pages += sources.libreoffice(data, 50)
    pages += sources.laws(data)
    pages += junk.pages()
    pages += sources.far_english(data, 300)
    pages += sources.warc_samples(data)
    pages += languages.sentences(data)
    pages += languages.declarations(data, 3)
    return sorted(pages, key=lambda page: (digest(page.url, "order"), page.url))


def noise(place: int) -> list[write.Record]:
    """What lies between pages in every crawl: robots.txt, pictures, redirects, refusals."""
    host = f"http://noise{place}.example.ru"
    dot = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00;"
    moved = (("Location", f"{host}/new"),)
    und = partial(Page, lang="und", source="written", what="", charset="ascii")
    pages = [
        und(f"{host}/robots.txt", b"User-agent: *\nDisallow:\n", content_type="text/plain"),
        und(f"{host}/dot.gif", dot, content_type="image/gif"),
        und(f"{host}/old", b"", status="301 Moved Permanently", headers=moved),
        und(f"{host}/secret", b"<h1>403</h1>", status="403 Forbidden"),
    ]
    return [write.request(pages[0])] + [write.response(page) for page in pages]


Row = tuple[str, Page, str]


def build(data: Path) -> tuple[dict[str, bytes], list[Row]]:
    """The files by name, and a row of the index for each page in them."""
    pages = all_pages(data)
    files: dict[str, bytes] = {}
    rows: list[Row] = []

    def plain(name: str, chosen: Sequence[Page]) -> Sequence[Page]:
        rows.extend((name, page, "") for page in chosen)
        return chosen

    ordinary = [p for p in pages if p.lang == "rus" and p.source in {"ruslit", "phpdoc"} and not p.what]
    ordinary = [p for p in ordinary if p.charset == "utf-8" and len(p.body) < 60_000]
    aside = ordinary[:45]
    odd = {id(page) for page in aside}
    rest = [page for page in pages if id(page) not in odd]
    odd_records = damage.odd_responses(aside[:15])
    for number in range(FILES):
        name = f"crawl-{number:05}.warc.gz"
        share = plain(name, rest[number::FILES])
        records = noise(number) + [write.response(page) for page in share]
        for record, page, what in odd_records[number::FILES]:
            records.append(record)
            rows.append((name, page, f"malformed: {what}"))
        files[name] = write.warc_gz(name, records)
    name = "crawl-00008.arc.gz"
    files[name] = write.arc_gz(name, plain(name, aside[15:20]))
    name = "crawl-00009.warc.wet.gz"
    wet = [
        write.conversion(page.url, sources.visible(page.body.decode())) for page in plain(name, aside[20:25])
    ]
    files[name] = write.warc_gz(name, wet)
    name = "crawl-00010.resources.warc.gz"
    bare = [write.resource(page.url, page.body, "text/html") for page in plain(name, aside[25:29])]
    files[name] = write.warc_gz(name, bare)
    files["broken-truncated.warc.gz"] = damage.truncated_member(
        plain("broken-truncated.warc.gz", aside[29:33])
    )
    files["broken-member.warc.gz"] = damage.broken_member(plain("broken-member.warc.gz", aside[33:37]))
    files["broken-length.warc"] = damage.bad_length(plain("broken-length.warc", aside[37:41]))
    files["broken-one-member.warc.gz"] = damage.one_member(plain("broken-one-member.warc.gz", aside[41:45]))
    files["broken-empty.warc.gz"] = b""
    return files, rows


def ugly(data: Path) -> dict[str, bytes]:
    """One small WARC a defect: a sound page, the defective one, a sound page."""
    stories = sorted(texts.stories(data, 999), key=lambda item: len("".join(item[1])))[:20]
    sound = [
        Page(
            f"http://good.example.ru/{name}.html",
            sources.in_charset(page_html(lines), "utf-8", True),
            "rus",
            "ruslit",
            "",
        )
        for name, lines in stories
    ]
    files = {}
    for record, _, what in damage.odd_responses(sound[2:]):
        name = re.sub("[^a-z0-9]+", "-", what.lower()).strip("-") + ".warc.gz"
        files[name] = write.warc_gz(name, [write.response(sound[0]), record, write.response(sound[1])])
    for name, html in damage.hostile_pages(page_html(stories[2][1])).items():
        page = Page(f"http://hostile.example.ru/{name}.html", html, "rus", "written", name)
        files[f"{name}.warc.gz"] = write.warc_gz(
            name, [write.response(p) for p in (sound[0], page, sound[1])]
        )
    return files


def page_html(lines: list[str]) -> str:
    return texts.layout(texts.BLOG, texts.title_of(lines), paragraphs(lines), lines[0])


def index(rows: Sequence[Row]) -> bytes:
    """A tab-separated table of every page: the truth to test stages against."""
    lines = ["file\turl\tlang\tsource\tcharset\tbytes\twhat"]
    for name, page, what in rows:
        said = "; ".join(filter(None, [page.what, what]))
        lines.append(
            "\t".join([name, page.url, page.lang, page.source, page.charset, str(len(page.body)), said])
        )
    return ("\n".join(lines) + "\n").encode()


def save(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files and their checksums; the README and licences beside them stay."""
    folder.mkdir(parents=True, exist_ok=True)
    sums = "".join(f"{hashlib.sha256(raw).hexdigest()}  {name}\n" for name, raw in sorted(files.items()))
    for name, raw in [*files.items(), ("SHA256SUMS", sums.encode())]:
        (folder / name).write_bytes(raw)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of source material")
    parser.add_argument("--out", type=Path, default=Path("tests/data"), help="where to write")
    arguments = parser.parse_args()
    files, rows = build(arguments.data)
    files["index.tsv"] = index(rows)
    save(arguments.out / "crawl", files)
    save(arguments.out / "ugly", ugly(arguments.data))
    foreign = sum(page.lang != "rus" for _, page, _ in rows)
    size = sum(map(len, files.values()))
    print(f"{len(files)} files, {size:,} bytes, {len(rows)} pages, {foreign / len(rows):.1%} not Russian")


if __name__ == "__main__":
    main()
