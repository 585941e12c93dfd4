"""A page as a screen reader walks it: its elements in their order, with what unfolds put in its place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "wbr", "img", "input", "hr"})
SILENT = frozenset({"script", "style", "title"})
BODY = re.compile(r'<div class="inner"></div>\s*<script type="text/html" class="body">(.*?)</script>', re.DOTALL)
"""The details of a scenario: kept as text until somebody opens it."""


@dataclass
class Element:
    """One element; `text` is its own text, not that of the elements in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: "Element | None" = None
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def walk(self) -> Iterator["Element"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def all(self, *names: str) -> list["Element"]:
        return [e for e in self.walk() if e.name in names]

    @property
    def says(self) -> str:
        """What is read aloud of it."""
        if self.attributes.get("aria-hidden") == "true" or self.name in SILENT:
            return ""
        return " ".join(f"{self.text} {' '.join(child.says for child in self.children)}".split())

    @property
    def hidden(self) -> bool:
        return any(e.attributes.get("aria-hidden") == "true" for e in self.up())

    def up(self) -> Iterator["Element"]:
        at: Element | None = self
        while at is not None:
            yield at
            at = at.parent


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._at = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self._at)
        self._at.children.append(made)
        if tag not in VOID:
            self._at = made

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self._at.name == tag, f"</{tag}> ends <{self._at.name}> {self._at.attributes}"
        if tag not in VOID and self._at.parent is not None:
            self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        self._at.text += f" {data}"


def read(html: str) -> Element:
    """The page with every scenario unfolded; AssertionError when an element is not ended where it should be."""
    tree = _Tree()
    tree.feed(BODY.sub(lambda found: f'<div class="inner">{found[1]}</div>', html))
    tree.close()
    assert tree._at is tree.root
    return tree.root
