"""Decode bytes to text: by the declared charset if it is allowed, else as UTF-8, else as Windows-1252.

Bytes that are valid neither in the declared charset nor in UTF-8 are decoded by the declared charset, with replacement
characters. If that charset is not allowed or is a form of Unicode, they are decoded as Windows-1252.

The declared charset is untrusted: `punycode` takes minutes for a few hundred kilobytes, and `utf-7` and the escape
codecs produce characters that the sender did not write. Only the codecs in `ALLOWED` are used.
"""

from __future__ import annotations

import codecs
import re

ALLOWED = {
    "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "big5", "big5hkscs", "gb2312", "gbk", "gb18030", "hz",
    "euc_jp", "shift_jis", "cp932", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_ext", "euc_kr", "cp949",
    "johab", "iso2022_kr", "koi8-r", "koi8-u", "kz1048", "mac-roman", "mac-cyrillic", "mac-greek", "mac-latin2", "mac-turkish",
    "tis-620", "cp437", "cp850", "cp852", "cp855", "cp857", "cp858", "cp860", "cp862", "cp863", "cp864", "cp865", "cp866",
    "cp869", "cp874", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "iso8859-1",
    "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-10",
    "iso8859-11", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16",
}  # fmt: skip
ALIASES = {"iso-8859-8-i": "iso8859-8", "unicode-1-1-utf-8": "utf-8", "ks_c_5601-1987": "cp949", "x-sjis": "cp932"}
# Each charset is replaced by a superset of it. Text labelled Latin-1, for example, is Windows-1252 in practice.
SUPERSETS = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}

CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that JSON parsers or databases reject: controls except tab and line breaks, lone surrogates, U+FFFE and
U+FFFF."""


def decoded(raw: bytes, charset: str | None) -> str:
    """Decode bytes and remove control characters. Never raises.

    Args:
        raw: The bytes.
        charset: The declared charset, if any.

    Returns:
        The text.
    """
    codec = _codec(charset)
    for name in dict.fromkeys(filter(None, [codec, "utf-8"])):
        try:
            return clean(raw.decode(name))
        except (UnicodeDecodeError, ValueError):
            continue
    if codec and not codec.startswith("utf"):
        return clean(raw.decode(codec, "replace"))
    return clean(raw.decode("cp1252", "replace"))


def unescaped(text: str) -> str:
    """Decode header text that the parser returned with surrogate escapes, as UTF-8, else as Windows-1252.

    Args:
        text: The text of the header.

    Returns:
        The text without control characters.
    """
    if text.isascii():
        return clean(text)
    return decoded(text.encode("utf-8", "surrogateescape"), None)


def clean(text: str) -> str:
    """Remove the characters that `CONTROLS` matches.

    Args:
        text: The text.

    Returns:
        The text without these characters.
    """
    return CONTROLS.sub("", text)


def _codec(charset: str | None) -> str | None:
    label = (charset or "").strip().strip("\"'").casefold()[:40]
    label = ALIASES.get(label, label)
    try:
        name = codecs.lookup(label).name if label else ""
    except (LookupError, ValueError):
        return None
    return SUPERSETS.get(name, name) if name in ALLOWED else None
