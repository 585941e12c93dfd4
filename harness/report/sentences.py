"""Sentences that code makes of names and numbers: recognised by their English template, said by another language's.

A template is a text with named places: `{link} is refused`. A place takes one word; one of WIDE takes any text, and what
it takes is said in the other language too, where it can be. `{n:session|sessions}` takes the word that goes with the
number `n`. What no template fits stays as it is.
"""

import re
import string
from collections.abc import Callable, Mapping
from functools import lru_cache

from harness.model.words import BETWEEN, filled

WIDE = frozenset({"says", "error", "names", "what"})
"""Places that take more than one word."""

SEPARATORS = ("; ", ": ", ", ")
"""Between texts that are said one by one when no template fits them together."""

Words = Callable[[str], str]
"""The words of a key of the table `criterion`, in the other language."""

_ANY, _WORD = r".+", r"\S+?"
_CONDITION = r"\S+ (?:(?:==|>=|<=|>|<) [^,]+?|(?:grows|falls|stops growing) over [^,]+? s)"
_CRITERION = re.compile(
    rf"(?P<always>always )?(?P<conditions>{_CONDITION}(?: and {_CONDITION})*?)(?:, within (?P<within>[^,]+) s)?"
    r"(?:, for (?P<hold>[^,]+) s)?"
)
_AND = re.compile(r" and (?=\S+ (?:==|>=|<=|>|<|grows|falls|stops) ?)")
_NUMBERED = re.compile(r"([A-Z]\w*\d) (.+)")


def pattern(template: str) -> re.Pattern[str]:
    """What recognises the texts of a template."""
    parts = []
    for literal, name, words, _ in string.Formatter().parse(template):
        parts.append(re.escape(literal))
        if words and BETWEEN in words:
            parts.append(f"(?:{'|'.join(map(re.escape, words.split(BETWEEN)))})")
        elif name:
            parts.append(f"(?P<{name}>{_ANY if name in WIDE else _WORD})")
    return re.compile("".join(parts), re.DOTALL)


class Sentences:
    """The sentences of one language.

    Attributes:
        exact: whole texts by their English.
        templates: texts with places by their English; the first one that fits is taken.
    """

    def __init__(self, words: Words, templates: Mapping[str, str], exact: Mapping[str, str]) -> None:
        self._words = words
        self._exact = {english: said for english, said in exact.items() if said}
        self._templates: list[tuple[re.Pattern[str], str]] = []
        for english, said in templates.items():
            if "{" in english:
                self._templates.append((pattern(english), said))
            else:
                self._exact.setdefault(english, said)
        self.say = lru_cache(maxsize=4096)(self._say)

    def _say(self, english: str) -> str:
        known = self._exact.get(english)
        if known is not None:
            return known
        # Several sentences are told apart first: what follows belongs to no place of the first one.
        parts = english.split("; ")
        if len(parts) > 1:
            return "; ".join(map(self.say, parts))
        if criterion := self._criterion(english):
            return criterion
        for shape, said in self._templates:
            found = shape.fullmatch(english)
            if found:
                return filled(said, {name: self.say(value) for name, value in found.groupdict().items()})
        return self._in_parts(english)

    def _criterion(self, english: str) -> str:
        """A criterion, which says its conditions and the times that it gives them; empty when it is none."""
        found = _CRITERION.fullmatch(english)
        if not found or not (found["always"] or found["within"] or _AND.search(english)):
            return ""
        said = self._words("and").join(map(self.say, _AND.split(found["conditions"])))
        if found["always"]:
            return self._words("always").format(conditions=said)
        if not found["within"]:
            return said
        key = "at_once" if found["hold"] in (None, "0") else "held"
        return self._words(key).format(conditions=said, within=found["within"], hold=found["hold"])

    def _in_parts(self, english: str) -> str:
        """A text of which some parts are known; the text itself when none is."""
        numbered = _NUMBERED.fullmatch(english)
        if numbered and (said := self._exact.get(numbered[2])):
            return f"{numbered[1]} {said}"
        for between in SEPARATORS[1:]:
            head, found, tail = english.partition(between)
            if found:
                said_head, said_tail = self.say(head), self.say(tail)
                if (said_head, said_tail) != (head, tail):
                    return f"{said_head}{between}{said_tail}"
        return english
