"""The blocks of a Markdown text, where some lines begin one of their own that Markdown alone would not begin there."""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

Begins = Callable[[str, str], bool]
"""Whether a line within a paragraph begins a block: the line, and the paragraph's first one, or empty within a list."""


def tree_of(text: str, begins: Begins) -> SyntaxTreeNode:
    """The blocks as if a blank line stood before every line that begins one; where they stand is told of the text as it is."""
    markdown = MarkdownIt("commonmark").enable("table")
    root = SyntaxTreeNode(markdown.parse(text))
    found = sorted({line for node in root.children for line in _beginning(node, begins)})
    if not found:
        return root
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in reversed(found):
        lines.insert(line, "")
    # The blank line before the n-th of them is the (line + n)-th now.
    blank = [line + n for n, line in enumerate(found)]
    tokens = markdown.parse("\n".join(lines))
    for token in tokens:
        if token.map is not None:
            token.map = [at - bisect_left(blank, at) for at in token.map]
    return SyntaxTreeNode(tokens)


def _beginning(node: SyntaxTreeNode, begins: Begins) -> Iterator[int]:
    """The lines, from 0 on, within a block's paragraphs that begin one of their own."""
    within = node.type in {"bullet_list", "ordered_list"}
    if not within and node.type != "paragraph":
        return
    for paragraph in node.walk():
        if paragraph.type != "paragraph" or paragraph.map is None:
            continue
        first, *rest = paragraph.children[0].content.split("\n")
        for n, line in enumerate(rest, start=1):
            if begins(line, "" if within else first):
                yield paragraph.map[0] + n


def plain_of(node: SyntaxTreeNode) -> str:
    """The text of a block without markup; the lines of what it holds are joined by blanks."""
    if node.type in {"text", "code_inline"}:
        return node.content
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    if node.type in {"fence", "code_block", "html_block"}:
        return ""
    inner = "" if node.type == "inline" or node.type in {"link", "strong", "em", "s"} else " "
    return inner.join(plain_of(child) for child in node.children)


def line_of(node: SyntaxTreeNode) -> int:
    """The line of the text that a block begins on, from 1 on; 0 where that is not told."""
    return node.map[0] + 1 if node.map else 0
