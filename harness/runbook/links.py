"""What of a document leads somewhere else, and what can be led to."""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it.tree import SyntaxTreeNode

from harness.runbook.blocks import line_of, plain_of

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"<[a-z][^<>]*>", re.IGNORECASE)
_HTML_ID = re.compile(r"""\s(?:id|name)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_HTML_LINK = re.compile(r"""\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'\s>]+))""", re.IGNORECASE)
_PATH = re.compile(r"^[\w./-]+\.(?:md|markdown)(?:#[\w-]+)?$")

_HTML = frozenset({"html_inline", "html_block"})


@dataclass(frozen=True)
class Link:
    """A reference to somewhere else, as Markdown has it: characters that no address may have come percent-encoded."""

    target: str
    line: int


def links_of(node: SyntaxTreeNode) -> Iterator[Link]:
    """Links and images, in Markdown or in HTML, and paths of other documents that are only written as code."""
    line = line_of(node)
    for inner in node.walk():
        line = line_of(inner) or line
        if inner.type == "link":
            yield Link(str(inner.attrs.get("href", "")), line)
        elif inner.type == "image":
            yield Link(str(inner.attrs.get("src", "")), line)
        elif inner.type == "code_inline" and _PATH.match(inner.content.strip()):
            yield Link(inner.content.strip(), line)
        elif inner.type in _HTML:
            for n, text in enumerate(_COMMENT.sub(_blank, inner.content).split("\n")):
                yield from (Link(html.unescape("".join(found)), line + n) for found in _HTML_LINK.findall(text))


def anchors_of(root: SyntaxTreeNode) -> Iterator[str]:
    """What a mark can lead to; headings of the same name are numbered from the second on."""
    met: Counter[str] = Counter()
    for node in root.walk():
        if node.type == "heading":
            name = anchor(plain_of(node))
            yield f"{name}-{met[name]}" if met[name] else name
            met[name] += 1
        elif node.type in _HTML:
            for tag in _TAG.findall(_COMMENT.sub("", node.content)):
                yield from map(html.unescape, _HTML_ID.findall(tag))


def _blank(comment: re.Match[str]) -> str:
    """As many lines as a comment has, so that what follows it is told where it stands."""
    return "\n" * comment[0].count("\n")


def anchor(title: str) -> str:
    """The anchor of a heading: small letters, blanks as dashes, no punctuation."""
    kept = "".join(c for c in title.strip().lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")
