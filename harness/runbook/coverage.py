"""What of a runbook is covered: every failure mode against its section, scenario and last claim, and every gap by name.

Pure: the document, the catalogue, the accepted digests and what runs have shown go in, a `Coverage` comes out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from harness.model.events import KINDS, SliMeasured
from harness.model.runbook import Bullet
from harness.model.scenario import Catalogue
from harness.runbook.movement import Sample, moves, taken, too_slow
from harness.runbook.parse import SILENT, Chapter, Item, Runbook

GAPS = {
    "document": "the document itself cannot be used",
    "no-scenario": "failure modes without a scenario",
    "no-section": "failure modes that no section of the runbook has",
    "unknown-id": "ids that the list of failure modes does not have",
    "no-checks": "sections without checks",
    "no-response": "sections without a response",
    "no-criteria": "sections without recovery criteria",
    "unclaimed": "bullets that nothing claims",
    "changed": "bullets whose text is not the accepted one",
    "lost-claim": "claims by something that is not there",
    "dead-link": "links that lead nowhere",
    "broken-sql": "queries that do not parse",
    "writes": "queries that would do more than read; never run",
    "failed-sql": "queries that the database refuses",
    "never-moves": "queries that never move under their section's faults",
    "uninformative": "bullets whose measurements never move under their section's faults",
}
"""The kinds of gaps, in the order in which they are told."""


@dataclass(frozen=True)
class Gap:
    """One thing that is missing; `kind` and `subject` tell it from others, whatever `says` says."""

    kind: str
    subject: str
    says: str

    @property
    def name(self) -> str:
        """How a baseline names it."""
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True)
class LastClaim:
    """The newest claim of a failure mode in the runs that were read.

    Attributes:
        label: of the scenario, with the variant.
        at: the time of day of its run.
        age_s: how long ago that was; None when it cannot be told.
        slis: indicators that missed their objective while nobody responded.
    """

    label: str
    claim: str
    run_id: str
    at: str
    age_s: float | None
    slis: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueryState:
    """What is known of one query.

    Attributes:
        moved: whether its rows moved under the fault in some run, more than traffic alone moves them; None when that is
            not known.
        failed: why it could not be run, or empty.
        samples: how many times it was run.
        must_move: false in a section without failure modes: what checks the data stands still while that is sound.
    """

    key: str
    line: int
    moved: bool | None
    failed: str
    samples: int
    scaled_only: bool = False
    must_move: bool = True


@dataclass(frozen=True)
class Row:
    """One failure mode; counts are (claimed, all) of the bullets in its sections, None without a section."""

    id: str
    sections: tuple[str, ...]
    symptom: str
    checks: tuple[int, int] | None
    response: tuple[int, int] | None
    recovery: tuple[int, int] | None
    slis: tuple[str, ...] | None
    scenario: str
    variants: int
    last: LastClaim | None


@dataclass(frozen=True)
class Claimed:
    """One bullet and what executes it; `accepted` is None when nothing was ever accepted for its key."""

    item: Item
    by: tuple[str, ...]
    accepted: bool | None


@dataclass
class Coverage:
    """The whole result."""

    runbook: Runbook
    rows: list[Row] = field(default_factory=list)
    bullets: list[Claimed] = field(default_factory=list)
    queries: list[QueryState] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def new(self, baseline: Iterable[str]) -> list[Gap]:
        """The gaps that a baseline does not name."""
        known = set(baseline)
        return [gap for gap in self.gaps if gap.name not in known]


@dataclass(frozen=True)
class Seen:
    """What runs have shown: last claims by id, samples of queries, kinds of events that were told, and what moved.

    `kinds` is None when no run was seen that could have told them. `moved` says by id and probe whether it left its steady
    band under the fault in some run; what was never read often enough is not in it.
    """

    claims: Mapping[str, LastClaim] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    kinds: frozenset[str] | None = None
    moved: Mapping[tuple[str, str], bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """A query that is not run, by key: its kind of gap and why."""

    kind: str
    says: str


def missed(slis: Iterable[SliMeasured]) -> tuple[str, ...]:
    """The indicators that missed their objective while nobody responded, each once."""
    bad = (s.name for s in slis if s.stretch == "untreated" and s.verdict.lower() in {"missed", "broken", "bad"})
    return tuple(dict.fromkeys(bad))


def cover(
    book: Runbook,
    catalogue: Catalogue,
    *,
    known: Sequence[str] = (),
    accepted: Mapping[str, Sequence[str]],
    dead_links: Sequence[tuple[str, int, str]] = (),
    refused: Mapping[str, Refusal] | None = None,
    seen: Seen | None = None,
) -> Coverage:
    """Put everything together.

    `known` are the ids of a list of failure modes, empty when none was given; `dead_links` are (target, line, why).
    """
    seen = seen or Seen()
    result = Coverage(book)
    book_name = book.path or "the text"
    result.gaps += [Gap("document", _subject(p, book_name), p) for p in book.problems]
    # Some kinds of events are told under some faults only: runs of a part of the catalogue say nothing of the rest.
    whole = seen.kinds is not None and seen.claims.keys() >= catalogue.scenarios.keys()
    claims = _Claims(catalogue, (seen.kinds if whole else None) or frozenset(KINDS))
    result.bullets = [_claimed(item, claims, accepted) for item in book.items if item.part not in SILENT]
    by_key = {c.item.key: c for c in result.bullets}
    ids = list(dict.fromkeys([*(known or catalogue.scenarios), *book.ids, *catalogue.scenarios]))
    result.rows = [_row(i, book, catalogue, by_key, seen) for i in sorted(ids)]
    result.gaps += _gaps_of_ids(result.rows, book, known)
    for chapter in book.chapters:
        result.gaps += _gaps_of_chapter(chapter)
    result.gaps += _gaps_of_bullets(result.bullets, claims)
    result.gaps += _uninformative(result.bullets, claims, catalogue, seen.moved)
    result.gaps += [Gap("dead-link", target, f"line {line}: {target} {why}") for target, line, why in dead_links]
    for chapter in book.chapters:
        for query in chapter.queries:
            section = {i for i in chapter.ids if i in catalogue.scenarios}
            state, gaps = _query(query, section, (refused or {}).get(query.key), seen.samples)
            result.queries.append(state)
            result.gaps += gaps
    order = list(GAPS)
    result.gaps.sort(key=lambda g: order.index(g.kind))
    return result


class _Claims:
    """What of the catalogue executes which bullet."""

    def __init__(self, catalogue: Catalogue, kinds: frozenset[str]) -> None:
        self._kinds = kinds
        self._checks = {c.key: c for s in catalogue.sections.values() for c in s.checks}
        self._bullets = {b.key: b for s in catalogue.sections.values() for b in s.bullets}
        whole = [v for s in catalogue.scenarios.values() for v in s.forms]
        self._steps = {f"{s.id}:{step.act.__name__}" for s in whole for step in s.response}
        self._judged = {p.name for s in whole for p in s.probes}

    def of(self, key: str) -> tuple[str, ...]:
        """What executes a bullet and is there; empty for nothing."""
        check, bullet = self._checks.get(key), self._bullets.get(key)
        found = [p.name for p in check.probes] if check else []
        if bullet:
            lost = set(self._lost(bullet))
            found += [name for name in bullet.names if name not in lost]
        return tuple(found)

    def probes(self, key: str) -> tuple[str, ...]:
        """The measurements that execute a bullet."""
        check, bullet = self._checks.get(key), self._bullets.get(key)
        return (*(p.name for p in (check.probes if check else ())), *(bullet.probes if bullet else ()))

    def lost(self, key: str) -> tuple[str, ...]:
        """What is said to execute a bullet and is not there."""
        bullet = self._bullets.get(key)
        return self._lost(bullet) if bullet else ()

    def _lost(self, bullet: Bullet) -> tuple[str, ...]:
        probes = [p for p in bullet.probes if p not in self._judged]
        steps = [s for s in bullet.steps if s not in self._steps]
        events = [f"every run's {e}" for e in bullet.events if e not in self._kinds]
        return (*probes, *steps, *events)


def _claimed(item: Item, claims: _Claims, accepted: Mapping[str, Sequence[str]]) -> Claimed:
    digests = accepted.get(item.key)
    return Claimed(item, claims.of(item.key), None if digests is None else item.digest in digests)


def _row(id_: str, book: Runbook, catalogue: Catalogue, by_key: Mapping[str, Claimed], seen: Seen) -> Row:
    chapters = book.chapters_of(id_)
    scenario = catalogue.scenarios.get(id_)

    def count(part: str) -> tuple[int, int] | None:
        items = [item for c in chapters for item in c.of(part)]
        return (sum(bool(by_key[i.key].by) for i in items), len(items)) if chapters else None

    last = seen.claims.get(id_)
    return Row(
        id_,
        tuple(c.key for c in chapters),
        "; ".join(c.title for c in chapters),
        count("check"),
        count("response"),
        count("recovery"),
        last.slis if last else None,
        scenario.title if scenario else "",
        len(scenario.variants) if scenario else 0,
        last,
    )


def _gaps_of_ids(rows: Sequence[Row], book: Runbook, known: Sequence[str]) -> list[Gap]:
    found = []
    for row in rows:
        if not row.scenario:
            found.append(Gap("no-scenario", row.id, f"{row.id} has no scenario"))
        if not row.sections:
            what = f": {row.scenario}" if row.scenario else ""
            found.append(Gap("no-section", row.id, f"{row.id} is not in the runbook{what}"))
        if known and row.id in book.ids and row.id not in known:
            found.append(
                Gap("unknown-id", row.id, f"{row.id} (section {', '.join(row.sections)}) is in no list of ids")
            )
    return found


def _gaps_of_chapter(chapter: Chapter) -> list[Gap]:
    if not chapter.ids:
        return []
    where = f"section {chapter.key}, {chapter.title}"
    return [
        Gap(kind, chapter.key, f"{where}, has no {what}")
        for part, kind, what in (
            ("check", "no-checks", "ordered checks"),
            ("response", "no-response", "response"),
            ("recovery", "no-criteria", "recovery criteria"),
        )
        if not chapter.of(part)
    ]


def _gaps_of_bullets(bullets: Sequence[Claimed], claims: _Claims) -> list[Gap]:
    found = []
    for bullet in bullets:
        item = bullet.item
        text = item.text if len(item.text) <= 60 else item.text[:59] + "…"
        if not bullet.by:
            found.append(Gap("unclaimed", item.key, f"{item.key} (line {item.line}): {text}"))
        elif bullet.accepted is not True:
            found.append(Gap("changed", f"{item.key}={item.digest}", f"{item.key} (line {item.line}): {text}"))
        found += [
            Gap("lost-claim", f"{item.key}={name}", f"{item.key} is claimed by {name}, {_why_lost(name)}")
            for name in claims.lost(item.key)
        ]
    return found


def _uninformative(
    bullets: Sequence[Claimed], claims: _Claims, catalogue: Catalogue, moved: Mapping[tuple[str, str], bool]
) -> list[Gap]:
    """Bullets none of whose measurements left its steady band under any fault of the section: they tell nothing of it.

    One that nobody could see move, such as a cohort, which begins with the response, keeps its bullet from being blamed,
    and so does a fault of the section that no run was under.
    """
    found = []
    met = {i for i, _ in moved}
    for bullet in bullets:
        key = bullet.item.key
        ids = [s.id for s in catalogue.scenarios.values() if key.partition("/")[0] in s.sections]
        if not met.issuperset(ids):
            continue
        probes = claims.probes(key)
        told = [[moved[i, p] for i in ids if (i, p) in moved] for p in probes]
        if told and all(seen and not any(seen) for seen in told):
            says = f"{key} (line {bullet.item.line}): {', '.join(probes)} did not move under any fault of the section"
            found.append(Gap("uninformative", key, says))
    return found


def _why_lost(name: str) -> str:
    if name.startswith("every run's "):
        return "which no run has told"
    return "a step that no response has" if ":" in name else "a probe that no criterion has"


def _query(
    query: Item, ids: AbstractSet[str], refusal: Refusal | None, samples: Sequence[Sample]
) -> tuple[QueryState, list[Gap]]:
    where = f"{query.key} (line {query.line})"
    if refusal is not None:
        state = QueryState(query.key, query.line, None, refusal.says, 0)
        return state, [Gap(refusal.kind, query.key, f"{where}: {refusal.says}")]
    own = [s for s in samples if s.event.key == query.key and s.event.digest == query.digest and taken(s.event)]
    good = [s for s in own if s.event.failed is None]
    newest = [s for s in own if s.folder == own[0].folder]
    # A machine that is busy makes any query slow, now and then; what the database refuses, it refuses from then on.
    if own and (not good or all(s.event.failed and not too_slow(s.event) for s in newest)):
        failed = newest[-1].event.failed or ""
        return QueryState(query.key, query.line, None, failed, len(own)), [
            Gap("failed-sql", query.key, f"{where}: {failed}")
        ]
    plain, scaled = (moves(s for s in good if s.event.scaled is so) for so in (False, True))
    seen = [*plain, *scaled]
    # Under a fault of its section that no run was under, it may move yet.
    met = {s.id for s in good if s.event.moment == "hold"} >= ids
    moved = True if True in seen else None if None in seen or not seen or not met else False
    only = True in scaled and True not in plain
    state = QueryState(query.key, query.line, moved, "", len(good), scaled_only=only, must_move=bool(ids))
    if moved is False and state.must_move:
        runs = len({s.run for s in good})
        return state, [
            Gap("never-moves", query.key, f"{where}: no other rows under the fault than before it, {runs} run(s)")
        ]
    return state, []


def _subject(problem: str, book_name: str) -> str:
    """A problem without its place, so that a baseline can name it from anywhere, whatever is written above it."""
    return re.sub(r"^[0-9]+: ", "", problem.replace(book_name, "").strip(" :")) or problem
