"""Russian in Latin letters, by the schemes that people and programs use: to find transliterated copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_SAME: Final = dict(zip("абвгдезиклмнопрстуфыэ", "abvgdeziklmnoprstufye", strict=True)) | {"ъ": "", "ь": ""}
_HISSING: Final = {"ж": "zh", "ч": "ch", "ш": "sh"}
#: Scheme -> letters. Signs are left out, as most people leave them out; words are compared without marks.
SCHEMES: Final[dict[str, dict[str, str]]] = {
    # BGN/PCGN and English-language habit.
    "bgn": {"ё": "yo", "й": "y", "х": "kh", "ц": "ts", "щ": "shch", "ю": "yu", "я": "ya"},
    # Passports: ICAO Doc 9303.
    "icao": {"ё": "e", "й": "i", "х": "kh", "ц": "ts", "щ": "shch", "ъ": "ie", "ю": "iu", "я": "ia"},
    # Chats and addresses of pages.
    "chat": {"ё": "e", "й": "y", "х": "h", "ц": "c", "щ": "sch", "ю": "yu", "я": "ya"},
    # ISO 9 without marks (GOST 7.79, system B).
    "gost": {"ё": "yo", "й": "j", "х": "x", "ц": "c", "щ": "shh", "ю": "yu", "я": "ya"},
    "yandex": {"ё": "yo", "й": "j", "х": "h", "ц": "c", "щ": "shch", "ю": "yu", "я": "ya"},
    # Scholars and German habit.
    "j": {"ё": "jo", "й": "j", "х": "h", "ц": "c", "щ": "shch", "ю": "ju", "я": "ja"},
}
_TABLES: Final = {
    name: str.maketrans(
        {
            **(_SAME | _HISSING | own),
            **{letter.upper(): latin for letter, latin in (_SAME | _HISSING | own).items()},
        }
    )
    for name, own in SCHEMES.items()
}


def transliterated(text: str) -> Iterator[str]:
    """The text by each scheme, equal ones once; nothing for a text without Russian letters."""
    yield from dict.fromkeys(one for table in _TABLES.values() if (one := text.translate(table)) != text)
