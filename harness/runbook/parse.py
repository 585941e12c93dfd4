"""Reading a runbook: any Markdown, Japanese or English, into sections, bullets with keys, queries and links.

A section's lists are told apart by the label before each (`Checks:`, `確認順序:`) or, without one, by the words of the
section's heading. Bullets are keyed `<section>/<part>/<number>` with a digest of their text. Nothing in a file is an
error here: what cannot be used is one line in `problems`.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it.tree import SyntaxTreeNode

from harness.runbook.blocks import line_of, plain_of, tree_of
from harness.runbook.encoding import decode
from harness.runbook.links import Link, anchors_of, links_of

MOST_BYTES = 2**20
"""A runbook that is larger than this is no document that a person reads."""

ID = re.compile(r"(?<![A-Z0-9-])FM(?:-[A-Z][A-Z0-9]*)+-[0-9]{2,3}(?![0-9])")
"""An id of a failure mode."""

PARTS: dict[str, tuple[str, ...]] = {
    "id": ("対象障害", "障害モード", "failure mode", "covers", "ids"),
    "sql": ("確認sql", "sql", "クエリ", "queries", "query"),
    "recovery": ("復旧判定", "復旧条件", "復旧基準", "復旧確認", "回復判定", "回復条件", "recover", "back to normal when"),
    "check": ("確認", "切り分け", "調査", "check", "diagnos", "investigat", "verify"),
    "response": (
        "初期対応", "一次対応", "応急", "暫定", "恒久対応", "対応", "対処", "復旧手順", "復旧作業", "response", "respond",
        "first response", "immediate", "mitigat", "remed", "action", "steps", "procedure", "what to do", "recovery step",
        "recovery action", "recovery procedure", "resolution",
    ),
    "symptom": ("症状", "事象", "現象", "symptom", "what people see", "signs"),
}  # fmt: skip
"""Words that a label begins with, by the part that it announces: the longest that fits tells."""

KINDS: dict[str, tuple[str, ...]] = {
    "condition": ("完了判定", "終了判定", "完了条件", "completion", "complete", "when it is over", "all clear"),
    "record": ("事後", "ポストモーテム", "post-mortem", "postmortem", "afterwards", "after the incident"),
    "reference": ("参照", "関連", "references", "see also", "related", "look further", "further reading"),
    "scope": ("責務", "対象範囲", "範囲", "この文書", "scope", "this document", "about", "covers"),
    "rule": ("優先", "ルール", "原則", "priorit", "rules", "principle"),
    "step": ("フロー", "手順", "抑制", "復旧", "flow", "procedure", "steps", "recovery", "suppression", "holding load", "first"),
}  # fmt: skip
"""Words in a heading, by the part that its lists without a label belong to; looked for in this order."""

ITEM = "item"
"""The part of lists that nothing tells apart."""

OTHER = "other"
"""The part of lists in a section of failure modes whose label is none that is known: somebody has to look at them."""

SILENT = frozenset({"id", "reference", "scope", ITEM})
"""Parts that say nothing which could be carried out, so nobody has to claim them."""

_SQL_FENCES = frozenset({"sql", "postgres", "postgresql", "psql", "pgsql"})
_QUERY = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*(?:select|with)\b", re.IGNORECASE | re.DOTALL)
"""How a block that names no language begins when it is a query: comments come first."""

_NUMBERED = re.compile(r"^\s*(\d+(?:\.\d+)*)[.)\uff0e\u3001:\uff1a]?\s+(.*)$", re.DOTALL)
_BOLD = re.compile(r"(\*\*|__)(?:(?!\1).)+\1")


@dataclass(frozen=True)
class Item:
    """One bullet.

    Attributes:
        key: `<section>/<part>/<number>`.
        digest: of its text, without markup and spacing.
        line: where it stands, from 1 on.
    """

    key: str
    text: str
    digest: str
    line: int

    @property
    def part(self) -> str:
        """The part that it belongs to."""
        return self.key.split("/")[1]


@dataclass
class Chapter:
    """A section of the document; its parents hold what stands directly below their own heading only."""

    key: str
    title: str
    line: int
    kind: str = ITEM
    ids: list[str] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    queries: list[Item] = field(default_factory=list)

    def of(self, part: str) -> list[Item]:
        """Its bullets of one part."""
        return [item for item in self.items if item.part == part]


@dataclass
class Runbook:
    """A document as it was read.

    Attributes:
        encoding: how its bytes were read; empty when they could not be.
        anchors: of its headings, as a reader of Markdown would link to them, and the ids that its HTML sets.
        problems: what is wrong with the document itself, one line each.
    """

    path: str
    encoding: str = ""
    chapters: list[Chapter] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """Every id that a section lists, in the order of the document, each once."""
        return list(dict.fromkeys(i for c in self.chapters for i in c.ids))

    @property
    def items(self) -> list[Item]:
        """Every bullet."""
        return [item for c in self.chapters for item in c.items]

    @property
    def queries(self) -> list[Item]:
        """Every query."""
        return [query for c in self.chapters for query in c.queries]

    def chapters_of(self, id_: str) -> list[Chapter]:
        """The sections that list an id."""
        return [c for c in self.chapters if id_ in c.ids]


def digest_of(text: str) -> str:
    """A short digest of a text that markup, width of characters and spacing do not change."""
    return _digest("".join(unicodedata.normalize("NFKC", re.sub(r"[`*_~]", "", text)).split()))


def digest_of_sql(text: str) -> str:
    """A short digest of a query that only its spacing does not change."""
    return _digest(" ".join(text.split()))


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def read(path: Path) -> Runbook:
    """Read a file; what is wrong with it is in `problems`, and nothing is raised."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            return Runbook(str(path), problems=[f"{path} is no file"])
        if size > MOST_BYTES:
            return Runbook(
                str(path),
                problems=[f"{path} has {size / 2**20:.1f} MB; a runbook has at most {MOST_BYTES // 2**20} MB"],
            )
        raw = path.read_bytes()
    except OSError as error:
        return Runbook(str(path), problems=[f"{path} cannot be read: {error.strerror}"])
    text, encoding, problem = decode(raw)
    if problem:
        return Runbook(str(path), problems=[f"{path} {problem}"])
    return parse(text, str(path), encoding)


def parse(text: str, path: str = "", encoding: str = "utf-8") -> Runbook:
    """Read a text as a runbook."""
    book = Runbook(path, encoding)
    root = tree_of(text, _lazy_label)
    reader = _Reader(book)
    for node in root.children:
        reader.take(node)
    book.anchors = set(anchors_of(root))
    if not book.ids:
        book.problems.append(f"{path or 'the text'} lists no failure mode; ids look like {'FM'}-AREA-01")
    return book


class _Reader:
    """Goes through the blocks of a document in their order."""

    def __init__(self, book: Runbook) -> None:
        self._book = book
        self._chapter = Chapter("0", "", 1)
        self._level = 0
        self._part: str | None = None
        self._steps: dict[str, int] = {}
        self._counters: list[int] = []
        self._keys: set[str] = set()
        self._again: Counter[str] = Counter()
        self._numbers: Counter[tuple[str, str]] = Counter()

    def take(self, node: SyntaxTreeNode) -> None:
        """Take one block in."""
        self._book.links.extend(links_of(node))
        match node.type:
            case "heading":
                self._heading(node)
            case "paragraph":
                self._label(plain_of(node), bold=_BOLD.fullmatch(node.children[0].content.strip()) is not None)
            case "ordered_list" | "bullet_list":
                self._list(node)
            case "fence" | "code_block":
                self._fence(node)
            case "table" | "blockquote":
                self._ids(plain_of(node))
                self._fences(node)
            case _:
                return

    def _heading(self, node: SyntaxTreeNode) -> None:
        title, level = plain_of(node).strip(), int(node.tag[1:])
        numbered = _NUMBERED.match(title)
        if numbered is None and self._chapter.key != "0" and level > self._level and (part := _part(title)) is not None:
            self._part, self._steps = part, {}
            return
        del self._counters[level:]
        self._counters += [0] * (level - len(self._counters))
        self._counters[level - 1] += 1
        # Without numbers of its own a section is known by its place; the title of the whole document counts for nothing.
        place = ".".join(str(n) for n in (self._counters[1:] if level > 1 else self._counters) if n) or "1"
        key, name = (numbered[1], numbered[2]) if numbered else (place if level > 1 else "0", title)
        if key in self._keys and key != "0":
            line = line_of(node)
            self._book.problems.append(f"{self._book.path or 'the text'}:{line}: a second section {key}")
            # By how often the number was there before, not by the line: keys outlive lines that are put in above.
            self._again[key] += 1
            key = f"{key}#{self._again[key] + 1}"
        self._keys.add(key)
        self._chapter = Chapter(key, name, line_of(node), _kind(name))
        self._book.chapters.append(self._chapter)
        self._level, self._part, self._steps = level, None, {}
        self._ids(name)

    def _label(self, text: str, *, bold: bool) -> None:
        """A paragraph that ends with a colon, or is as short as a label, announces what follows it."""
        plain = text.strip()
        announces = bold or plain.endswith((":", "\uff1a"))
        if announces or len(plain) <= 40:
            self._part, self._steps = _part(plain), {}
        self._ids(text)
        if announces and self._part is None and self._chapter.kind == ITEM and self._chapter.ids:
            self._part = kind if (kind := _kind(plain)) in {"reference", "record"} else OTHER

    def _list(self, node: SyntaxTreeNode) -> None:
        part = self._part or self._chapter.kind
        ordered = node.type == "ordered_list"
        items = self._chapter.items
        if not ordered and items and self._steps.get(part) == len(items):
            # Dashes below a numbered step that Markdown ends the numbered list for: they belong to the step. A numbered
            # list of ids alone leaves no step behind.
            last = items[-1]
            text = " ".join([last.text, *(plain_of(item) for item in node.children)])
            items[-1] = Item(last.key, text, digest_of(text), last.line)
            self._fences(node)
            return
        for child in node.children:
            text = " ".join(plain_of(child).split())
            self._ids(text)
            if part == "id" and ID.search(text):
                continue
            self._numbers[self._chapter.key, part] += 1
            key = f"{self._chapter.key}/{part}/{self._numbers[self._chapter.key, part]}"
            items.append(Item(key, text, digest_of(text), line_of(child)))
            if ordered:
                # How many bullets there are with it: another one after it, and it is the last step no more.
                self._steps[part] = len(items)
            self._fences(child)

    def _fences(self, node: SyntaxTreeNode) -> None:
        for inner in node.walk():
            if inner.type in {"fence", "code_block"}:
                self._fence(inner)

    def _fence(self, node: SyntaxTreeNode) -> None:
        # A language may stand alone, among other words, or as a class in braces: {.sql}.
        words = [word.lstrip(".") for word in re.split(r"[\s,{}]+", node.info.lower() if node.info else "") if word]
        if words[:1] and words[0] not in _SQL_FENCES:
            return
        if not words and not _QUERY.match(node.content):
            return
        key = f"{self._chapter.key}/sql/{len(self._chapter.queries) + 1}"
        text = node.content.strip()
        self._chapter.queries.append(Item(key, text, digest_of_sql(text), line_of(node)))

    def _ids(self, text: str) -> None:
        """Only where a section names what it covers: in its heading, in a list of ids, or in a table of them."""
        listed = self._part in {"id", None} and self._chapter.kind not in {"reference", "record"}
        for found in ID.findall(text) if listed and self._chapter.key != "0" else ():
            if found not in self._chapter.ids:
                self._chapter.ids.append(found)


def _lazy_label(line: str, above: str) -> bool:
    """Whether a line is a label that Markdown takes for more of the item or of the list of ids above, for want of a blank line.

    Below a paragraph that is no label itself it may be the end of a sentence.
    """
    plain = line.strip()
    marked = plain.rstrip(" *_").endswith((":", "\uff1a")) or _BOLD.fullmatch(plain) is not None
    return marked and _part(plain) is not None and (not above or _part(above) is not None)


def _part(label: str) -> str | None:
    """The part that a label announces; None when it announces none."""
    plain = unicodedata.normalize("NFKC", label).strip(" *_#:.").lower().replace(" sql", "sql")
    fits = [(len(word), part) for part, words in PARTS.items() for word in words if plain.startswith(word)]
    # Of words that are as long, the part that stands first; "checks (SQL)" announces queries, whatever it begins with.
    best = max(fits, key=lambda fit: fit[0], default=(0, None))[1]
    return "sql" if best != "id" and plain.endswith(("sql", "クエリ")) else best


def _kind(title: str) -> str:
    plain = unicodedata.normalize("NFKC", title).lower()
    return next((kind for kind, words in KINDS.items() if any(w in plain for w in words)), ITEM)
