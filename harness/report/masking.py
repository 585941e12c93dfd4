"""Secrets in texts that people will read: found by their form and by the name beside them, and replaced by stars.

The journal masks the secrets that the stack's topology knows. Logs hold others: tokens of users, cookies, connection
strings. Masking is by form, so it may star out a harmless word; it must not let a secret through.
"""

import re
from typing import Any

STARS = "***"

_NAME = (
    r"[\w.$-]*(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
    r"|session[_-]?id|sid|csrf|xsrf|otp|signature|jwt|connection[_-]?string|auth[_-]?code|code[_-]?verifier)"
)
"""Names whose value is a secret, with whatever stands before them: `PGPASSWORD`, `db.password`, `access_token`."""

_QUOTE = r"""\\*["'`]"""
_VALUE = rf"(?:(?P<open>{_QUOTE})(?:(?!(?P=open)).)*(?:(?P=open)|$)|(?:bearer|basic|digest)\s+[^\s,;&\"'<>]+|[^\s,;&\"'<>)}}\]]+)"

_PREFIXES = r"gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-|sk_live_|rk_live_|AKIA|ASIA|AIza|npm_|pypi-|hvs\."
"""How tokens begin that services give a form of their own."""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # A private key or certificate, however it is broken into lines.
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), STARS),
    # scheme://user:password@host and scheme://token@host
    (
        re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]*:)[^\s/\"'<>]*@", re.IGNORECASE),
        r"\g<head>***@",
    ),
    (re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://)[^\s/:@\"'<>]{8,}@", re.IGNORECASE), r"\g<head>***@"),
    # Headers: everything up to the end of the line or of the quoted text.
    (
        re.compile(
            rf"(?P<head>\b(?:proxy-)?authorization(?:{_QUOTE})?\s*(?:[:=,]|=>)\s*)(?:b(?=[\"']))?{_VALUE}",
            re.IGNORECASE,
        ),
        r"\g<head>***",
    ),
    (
        re.compile(
            rf"(?P<head>\b(?:set-)?cookies?(?:{_QUOTE})?\s*(?:[:=,]|=>)\s*)(?:b(?=[\"']))?"
            rf"(?:(?P<open>{_QUOTE})(?:(?!(?P=open)).)*(?:(?P=open)|$)|[^\r\n\"'<>}}]+)",
            re.IGNORECASE,
        ),
        r"\g<head>***",
    ),
    # ALTER ROLE somebody PASSWORD '...'
    (re.compile(r"(?P<head>\bpassword\s+)'(?:[^']|'')*'?", re.IGNORECASE), r"\g<head>***"),
    # name=value, name: value, "name": "value", \"name\": \"value\"; not the == of a comparison
    (
        re.compile(
            rf"(?P<head>\b{_NAME}(?:{_QUOTE})?\s*(?:=>|:(?!:)|(?<![<>=!])=(?!=))\s*)(?:b(?=[\"']))?{_VALUE}",
            re.IGNORECASE,
        ),
        r"\g<head>***",
    ),
    # --password value
    (re.compile(rf"(?P<head>(?<!\S)--?{_NAME}\s+)(?!-){_VALUE}", re.IGNORECASE), r"\g<head>***"),
    (re.compile(r"\b(?P<head>(?:bearer|basic)\s+)[\w+/=.~-]{6,}", re.IGNORECASE), r"\g<head>***"),
    # Tokens that tell what they are: JSON web tokens, and those of services that give theirs a prefix.
    (re.compile(r"\beyJ[\w-]{4,}(?:\.[\w-]*){1,4}"), STARS),
    (re.compile(rf"\b(?:{_PREFIXES})[\w-]{{12,}}"), STARS),
)


def masked(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def masked_all(value: Any) -> Any:
    """The same for every text inside a JSON value; a text under a telling name is a secret whatever it looks like."""
    match value:
        case str():
            return masked(value)
        case list():
            return [masked_all(v) for v in value]
        case dict():
            named = value.get("name")
            told = isinstance(named, str) and _TELLING.fullmatch(named) is not None
            return {
                k: STARS if _tells(k, v) or (told and k == "value" and v) else masked_all(v) for k, v in value.items()
            }
        case _:
            return value


_TELLING = re.compile(rf"{_NAME}|(?:proxy-)?authorization|(?:set-)?cookies?", re.IGNORECASE)


def _tells(name: str, value: Any) -> bool:
    return isinstance(value, str) and value != "" and _TELLING.fullmatch(str(name)) is not None
