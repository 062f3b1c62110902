"""Forms of a lemma cut by hand, with their cuts.

The forms are those of pymorphy3's dictionary (extra `morphology`; used to fit the model, never at run time).
Where a form is cut follows from the lemma's cuts by rules: an ending is taken off, participles' and tenses'
suffixes are taken off, and what remains must be the lemma's stem, but for the last letters, in which Russian
stems alternate (сон - сна, рука - ручной, люблю). A form that no rule explains is left out.
"""

from __future__ import annotations

from typing import Final

from tokenizer.inflection import analyzer
from tokenizer.morphemes import Lemma, morph_cuts

ENDINGS: Final = {
    kind: tuple(endings.split())
    for kind, endings in {
        "NOUN": "а я ы и у ю е ё о ь й ой ей ёй ою ею ом ем ём ам ям ах ях ами ями ов ев ёв ью ми",
        "ADJ": "ый ий ой ая яя ое ее ые ие ого его ому ему ым им ую юю ою ею ей ом ем ых их ыми ими а я о е "
        "ы и ь ья ье ьи ьего ьему ьим ью ьей ьем ьих ьими",
        "VERB": "у ю ешь ёшь ет ёт ем ём ете ёте ут ют ишь ит им ите ат ят и й ь йте ьте",
    }.items()
}
PARTICIPLES: Final = (
    "ущ",
    "ющ",
    "ащ",
    "ящ",
    "вш",
    "ш",
    "нн",
    "енн",
    "ённ",
    "ем",
    "им",
    "ом",
    "н",
    "ен",
    "ён",
    "т",
)
GERUNDS: Final = ("в", "вши", "ши", "я", "а")
THEMES: Final = ("а", "я", "и", "е", "о", "у", "ну", "ова", "ева", "ива", "ыва", "ва")
LABIAL: Final = "бпвмф"


def _same_stem(stem: str, wanted: str, *, exact: bool) -> bool:
    """Whether a form's stem is the lemma's, but for an alternation at its end."""
    if exact:
        return stem == wanted
    if stem == wanted or (wanted[-1:] in ("ь", "й") and stem == wanted[:-1]):
        return True
    if len(stem) < 2 or len(wanted) < 2:
        return False
    if len(stem) == len(wanted):  # рук-, руч-; оконь-, окон-
        return stem[:-1] == wanted[:-1]
    if len(stem) == len(wanted) - 1:  # отец, отц-
        return wanted[-2] in "оеё" and stem == wanted[:-2] + wanted[-1]
    if len(stem) == len(wanted) + 1:  # окн-, окон; люб-, любл-
        fleeting = stem[-2] in "оеё" and stem[:-2] + stem[-1] == wanted
        return fleeting or (stem[-1] == "л" and wanted[-1] in LABIAL and stem[:-1] == wanted)
    return False


def _cuts(morphs: list[str], stem: str, tail: list[str]) -> tuple[int, ...] | None:
    """The cuts of a form of which `stem` stands for `morphs` and `tail` follows; None if it can't be."""
    wanted = "".join(morphs)
    # A theme vowel does not alternate: it is there or not.
    exact = len(morphs) > 1 and morphs[-1] in THEMES
    if not morphs or not _same_stem(stem, wanted, exact=exact):
        return None
    last = stem[len(wanted) - len(morphs[-1]) :]
    if not last:
        return None
    return morph_cuts([*morphs[:-1], last, *(morph for morph in tail if morph)])


def _nominal(morphs: list[str], form: str, endings: tuple[str, ...]) -> tuple[int, ...] | None:
    for ending in ["", *endings]:
        if form.endswith(ending):
            cuts = _cuts(morphs, form[: len(form) - len(ending)], [ending])
            if cuts is not None:
                return cuts
    return None


def _stems(morphs: list[str]) -> list[list[str]]:
    """The stems of a verb without -ть: with its theme, without it, and with -у- for -ова-."""
    found = [morphs]
    if len(morphs) > 1 and morphs[-1] in THEMES:
        found.append(morphs[:-1])
        if morphs[-1] in ("ова", "ева"):
            found.append([*morphs[:-1], "у" if morphs[-1] == "ова" else "ю"])
    return found


def _verbal(morphs: list[str], form: str, tag: str) -> tuple[int, ...] | None:
    if "PRTF" in tag or "PRTS" in tag:
        tails = [[p, e] for p in PARTICIPLES for e in ["", *ENDINGS["ADJ"]]]
    elif "GRND" in tag:
        tails = [[g] for g in GERUNDS]
    elif "past" in tag:
        tails = [["л", e] for e in ("", "а", "о", "и")]
    else:
        tails = [[e] for e in sorted(ENDINGS["VERB"], key=len, reverse=True)]
    # The longest stem that explains the form: чита-ю before чит-аю.
    for stem in _stems(morphs):
        for tail in tails:
            end = "".join(tail)
            if form.endswith(end):
                cuts = _cuts(stem, form[: len(form) - len(end)], tail)
                if cuts is not None:
                    return cuts
    return None


def _verb_form(lemma: Lemma, form: str, tag: str) -> tuple[int, ...] | None:
    morphs = [morph for morph, kind in lemma.morphs if kind != "POSTFIX"]
    if morphs[-1] not in ("ть", "ти"):
        return None
    postfix = next((p for p in ("ся", "сь") if lemma.text.endswith(("ся", "сь")) and form.endswith(p)), "")
    bare = form[: len(form) - len(postfix)]
    cuts = _verbal(morphs[:-1], bare, tag)
    if cuts is None:
        return None
    return (*cuts, len(bare)) if postfix else cuts


def form_cuts(lemma: Lemma) -> dict[str, tuple[int, ...]]:
    """Form -> its cuts, for the forms of the lemma's paradigm that the rules explain."""
    found: dict[str, tuple[int, ...]] = {}
    parses = [parse for parse in analyzer().parse(lemma.text) if parse.normal_form == lemma.text]
    stem = [morph for morph, kind in lemma.morphs if kind != "END"]
    for parse in parses[:1]:
        for other in parse.lexeme:
            form, tag = other.word, str(other.tag)
            if not form.isalpha() or form == lemma.text or "Supr" in tag:
                continue
            if "INFN" in str(parse.tag):
                cuts = _verb_form(lemma, form, tag)
            elif "NOUN" in tag:
                cuts = _nominal(stem, form, ENDINGS["NOUN"])
            elif "ADJF" in tag or "ADJS" in tag:
                cuts = _nominal(stem, form, ENDINGS["ADJ"])
            else:
                cuts = None
            if cuts is not None:
                found.setdefault(form, cuts)
    return found
