"""Lines of a terminal: wide characters count twice, and a text of them may be broken nearly anywhere."""

import textwrap
import unicodedata

from rich.cells import cell_len

CLOSING = frozenset({"Pe", "Pf", "Po"})
"""Categories of characters that no line begins with."""


def wrapped(said: str, width: int, first: str, indent: int) -> list[str]:
    """A text in lines of at most `width` columns, the first after `first`, the others after `indent` blanks.

    A word that is wider than a line is not broken when it holds wide characters nowhere near.
    """
    if said.isascii() and first.isascii():
        return textwrap.wrap(said, width, initial_indent=first, subsequent_indent=" " * indent) or [first.rstrip()]
    lines, line = [], first
    for piece in _pieces(said):
        if cell_len(line) + cell_len(piece) > width and line.strip():
            lines.append(line.rstrip())
            line = " " * indent + piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()]


def padded(said: str, columns: int) -> str:
    """A text with blanks up to a column; as it is when it is wider."""
    return said + " " * max(0, columns - cell_len(said))


def _pieces(said: str) -> list[str]:
    """Where a line may end: after a blank and after a wide character that no closing mark follows."""
    pieces = [""]
    for before, character in zip(" " + said, said, strict=False):
        breaks = before == " " or cell_len(before) > 1 or cell_len(character) > 1
        if breaks and unicodedata.category(character) not in CLOSING:
            pieces.append("")
        pieces[-1] += character
    return pieces
