"""Secrets in texts that people will read: found by their form and by the name beside them, and replaced by stars.

The journal masks the secrets that the stack's topology knows. Logs hold others: tokens of users, cookies, connection
strings. Masking is by form, so it may star out a harmless word; it must not let a secret through.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

STARS = "***"

_NAME = (
    r"[\w.$-]*(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
    r"|session[_-]?id|sid|csrf|xsrf|otp|signature|jwt|connection[_-]?string|auth[_-]?code|code[_-]?verifier)"
)
"""Names whose value is a secret, with whatever stands before them: `PGPASSWORD`, `db.password`, `access_token`."""

_QUOTE = r"""\\*["'`]"""
_QUOTED = rf"(?P<open>{_QUOTE})(?:(?!(?P=open))(?:\\.|.))*(?:(?P=open)|$)"
_VALUE = rf"(?:{_QUOTED}|(?:bearer|basic|digest)\s+[^\s,;&\"'<>]+|[^\s,;&\"'<>)}}\]]+)"

_PREFIXES = r"gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-|sk_live_|rk_live_|AKIA|ASIA|AIza|npm_|pypi-|hvs\."
"""How tokens begin that services give a form of their own."""


@dataclass(frozen=True)
class _Rule:
    """A form that secrets have; it is looked for only in texts that hold one of the hints, for regular expressions are slow."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    instead: str = r"\g<head>***"


_NAMED = (
    "pass", "pwd", "secret", "token", "key", "credential", "session", "sid", "csrf", "xsrf", "otp", "signature", "jwt",
    "connection", "auth", "verifier",
)  # fmt: skip
_ANY = re.IGNORECASE

REMEMBERED = 500
"""Texts up to this many characters are remembered: a journal says the same names again and again."""

_RULES = (
    # A private key or certificate, however it is broken into lines.
    _Rule(("-----begin",), re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), STARS),
    # scheme://user:password@host and scheme://token@host
    _Rule(("://",), re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]*:)[^\s\"'<>]*@", _ANY)),
    _Rule(("://",), re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://)[^\s/:@\"'<>]{8,}@", _ANY)),
    # Headers: everything up to the end of the line or of the quoted text.
    _Rule(
        ("authorization",),
        re.compile(
            rf"(?P<head>\b(?:proxy-)?authorization(?:{_QUOTE})?\s*(?:[:=,]|=>)\s*)(?:b(?=[\"']))?{_VALUE}", _ANY
        ),
    ),
    _Rule(
        ("cookie",),
        re.compile(
            rf"(?P<head>\b(?:set-)?cookies?(?:{_QUOTE})?\s*(?:[:=,]|=>)\s*)(?:b(?=[\"']))?"
            rf"(?:{_QUOTED}|[^\r\n\"'<>}}]+)",
            _ANY,
        ),
    ),
    # ALTER ROLE somebody PASSWORD '...'
    _Rule(("password",), re.compile(r"(?P<head>\bpassword\s+)'(?:[^']|'')*'?", _ANY)),
    # name=value, name: value, "name": "value", \"name\": \"value\"; not the == of a comparison
    _Rule(
        _NAMED,
        re.compile(
            rf"(?P<head>\b{_NAME}(?:{_QUOTE})?\s*(?:=>|:(?!:)|(?<![<>=!])=(?!=))\s*)(?:b(?=[\"']))?{_VALUE}", _ANY
        ),
    ),
    # ('name', 'value') and ['--name', 'value']: pairs of headers, lists of arguments
    _Rule(_NAMED, re.compile(rf"(?P<head>[\"'](?:--?)?{_NAME}{_QUOTE}\s*,\s*)(?:b(?=[\"']))?{_QUOTED}", _ANY)),
    # What a login brings back in its address, and cookies that a line names without their header.
    _Rule(
        ("code=", "state=", "nonce="),
        re.compile(r"(?P<head>[?&](?:code|\w*state|nonce)=)[^\s&\"'<>]+", _ANY),
    ),
    _Rule(("session=",), re.compile(rf"(?P<head>\b[\w.-]*session=){_VALUE}", _ANY)),
    # In words: requirepass value, password for somebody: value, token value
    _Rule(("requirepass", "masterauth"), re.compile(rf"(?P<head>\b(?:requirepass|masterauth)\s+){_VALUE}", _ANY)),
    _Rule(("password for",), re.compile(rf"(?P<head>\bpassword for [^\s:]+:\s*){_VALUE}", _ANY)),
    _Rule(
        ("password", "secret", "token"),
        re.compile(
            r"(?P<head>\b(?:password|secret|token)\s+)(?=[\w+/=.~-]*\d)(?=[\w+/=.~-]*[a-z])[\w+/=.~-]{8,}", _ANY
        ),
    ),
    # --password value
    _Rule(_NAMED, re.compile(rf"(?P<head>(?<!\S)--?{_NAME}\s+)(?!-){_VALUE}", _ANY)),
    _Rule(("bearer", "basic"), re.compile(r"\b(?P<head>(?:bearer|basic)\s+)[\w+/=.~-]{6,}", _ANY)),
    # Tokens that tell what they are: JSON web tokens, and those of services that give theirs a prefix.
    _Rule(("eyj",), re.compile(r"\beyJ[\w-]{4,}(?:\.[\w-]*){1,4}"), STARS),
    _Rule(
        ("gh", "glpat-", "xox", "sk", "rk_", "akia", "asia", "aiza", "npm_", "pypi-", "hvs."),
        re.compile(rf"\b(?:{_PREFIXES})[\w-]{{12,}}"),
        STARS,
    ),
)


def masked(text: str) -> str:
    """The text without what looks like a secret."""
    return _remembered(text) if len(text) <= REMEMBERED else _masked(text)


def _masked(text: str) -> str:
    low = text.lower()
    for rule in _RULES:
        if any(hint in low for hint in rule.hints):
            text = rule.pattern.sub(rule.instead, text)
    return text


_remembered = lru_cache(maxsize=8192)(_masked)


_PLACE = re.compile(r"(?<![\w/:.…])/(?:[\w.+@-]+/)+(?=[\w.+@-]+/[\w.+@-]+)")
"""What stands before the last two names of a path from the root."""


def shortened(text: str) -> str:
    """The text without where on a machine its files lie, for reports are passed on: a path's last two names are left."""
    return _PLACE.sub("…/", text)


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
