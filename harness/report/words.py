"""Every word of the report that is not the journal's, by key and language; the message catalogue has them."""

from harness.report import lang as lang_
from harness.report.lang import beginning

LANGS = lang_.LANGUAGES

__all__ = ["LANGS", "beginning", "text"]


def text(key: str, lang: str = "en") -> str:
    """The words of a key; an unknown key (a phase or finding of a newer version) gives its last part as it is."""
    return lang_.text(key, lang)
