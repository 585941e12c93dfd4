"""The text of a file in whatever encoding a document comes in."""

import unicodedata


def decode(raw: bytes) -> tuple[str, str, str]:
    """The text, its encoding, and what is wrong with it (empty: nothing)."""
    if not raw.strip():
        return "", "", "is empty"
    marked = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    for encoding in (marked, *_JAPANESE):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding in _JAPANESE and not _japanese(text):
            continue
        if encoding == marked and b"\x1b$" in raw:
            continue
        return ("", "", "is binary, not Markdown") if _binary(text) else (text, encoding.removesuffix("-sig"), "")
    if b"\x00" in raw:
        return "", "", "is binary, not Markdown"
    from charset_normalizer import from_bytes  # noqa: PLC0415  (slow to import, and nearly never wanted)

    best = from_bytes(raw).best()
    if best is None or _binary(str(best)):
        return "", "", "is in no encoding that could be recognised; save it as UTF-8"
    return str(best), best.encoding, ""


_JAPANESE = ("iso2022_jp", "euc_jp", "cp932")
"""Tried in this order, for a guess by statistics takes short texts in them for Korean or Chinese."""


def _japanese(text: str) -> bool:
    """Whether it reads as Japanese: kana, and hardly any of the half-width ones that a wrong guess yields."""
    kana = sum("\u3041" <= c <= "\u30ff" for c in text)
    return kana > 0 and sum("\uff61" <= c <= "\uff9f" for c in text) * 10 < kana


def _binary(text: str) -> bool:
    """Whether the text has characters that no document has."""
    odd = sum(1 for c in text if unicodedata.category(c) == "Cc" and c not in "\n\r\t\f\v")
    return odd * 200 > len(text)
