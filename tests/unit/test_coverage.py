"""Coverage: every planted gap is found and named, and a complete runbook has none."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.fronts import books, coverage_text
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.cli import main
from harness.model.errors import UsageError
from harness.model.events import Claimed as ClaimEvent
from harness.model.events import Queried, RuleJudged, RunStarted, Swept, to_line
from harness.model.runbook import Query, done, judged, measured
from harness.model.scenario import Catalogue, Check, Scenario, Section
from harness.runbook.coverage import Coverage, LastClaim, Refusal, Seen, cover
from harness.runbook.movement import Sample
from harness.runbook.parse import parse, read
from tests.fakes.world import World
from tests.fakes.world import scenario as a_scenario

ROOT = Path(__file__).parents[2]
TEXT = """
# Book

## 1.1 Small failures

Failure modes: `FM-X-01`

Checks:
1. bad rows

```sql
SELECT count(*) FROM bad;
```

Response:
- set the route back

Recovery criteria:
- no bad rows

## 3.2 Rules
- one thing at a time
"""


@pytest.fixture
def small() -> Scenario:
    return a_scenario(World())


def catalogue(small: Scenario) -> Catalogue:
    bad = small.recovery.probes[0]
    section = Section(
        "1.1",
        "Small failures",
        (Check("1.1/check/1", "bad rows", (bad,)),),
        (done("1.1/response/1", "FM-X-01:respond"), measured("1.1/recovery/1", bad)),
    )
    rules = Section("3.2", "Rules", (), (judged("3.2/rule/1", "rule"),))
    return Catalogue("small", {small.id: small}, {"1.1": section, "3.2": rules})


def accepted(text: str = TEXT) -> dict[str, list[str]]:
    return {item.key: [item.digest] for item in parse(text).items}


AT_S = {"begun": 1.0, "steady": 3.0, "hold": 8.0, "recovered": 12.0, "idle": 1.0}
"""When samples are taken; the first of the two of the steady state is `begun` here."""


def query(moment: str, rows: int, run: str = "a", failed: str | None = None, *, scaled: bool = False) -> Sample:
    digest, name = parse(TEXT).queries[0].digest, "steady" if moment == "begun" else moment
    return Sample(run, Queried(AT_S[moment], "FM-X-01", "1.1/sql/1", scaled, [[str(rows)]], failed, digest, name))


def course(*rows: int, run: str = "a", scaled: bool = False) -> tuple[Sample, ...]:
    """The samples of a run: as the steady state begins and ends, and in the hold."""
    return tuple(query(m, n, run, scaled=scaled) for m, n in zip(("begun", "steady", "hold"), rows, strict=True))


MOVES = (*course(0, 0, 7), query("recovered", 0))


def of(small: Scenario, text: str = TEXT, samples: Sequence[Sample] = MOVES, **more: object) -> Coverage:
    kinds = more.pop("kinds", None)
    claims = {small.id: LastClaim(small.id, "PROVEN", "r", "", None)} if kinds else {}
    seen = Seen(claims, samples, kinds)  # type: ignore[arg-type]
    more = {"accepted": accepted(), **more}
    return cover(parse(text), catalogue(small), seen=seen, **more)  # type: ignore[arg-type]


def names(result: Coverage) -> list[str]:
    return [g.name for g in result.gaps]


def test_a_complete_runbook_has_no_gap(small: Scenario) -> None:
    result = of(small, known=["FM-X-01"], kinds=frozenset({"rule"}))
    assert names(result) == []
    assert [(r.checks, r.response, r.recovery) for r in result.rows] == [((1, 1), (1, 1), (1, 1))]
    assert result.queries[0].moved is True


@pytest.mark.parametrize(
    ("old", "new", "gap"),
    [
        ("`FM-X-01`", "`FM-X-01`, `FM-X-02`", "no-scenario:FM-X-02"),
        ("`FM-X-01`", "`FM-X-02`", "no-section:FM-X-01"),
        ("- no bad rows", "- hardly any bad rows", "changed:1.1/recovery/1="),
        ("- no bad rows", "- no bad rows\n- nothing else", "unclaimed:1.1/recovery/2"),
        ("Recovery criteria:\n- no bad rows", "", "no-criteria:1.1"),
        ("Checks:\n1. bad rows", "", "no-checks:1.1"),
        ("Response:\n- set the route back", "", "no-response:1.1"),
    ],
)
def test_a_planted_gap_is_found(small: Scenario, old: str, new: str, gap: str) -> None:
    assert any(name.startswith(gap) for name in names(of(small, TEXT.replace(old, new))))


def test_an_id_that_the_list_of_failure_modes_lacks_is_found(small: Scenario) -> None:
    assert "unknown-id:FM-X-01" in names(of(small, known=["FM-X-09"]))
    assert "no-scenario:FM-X-09" in names(of(small, known=["FM-X-09"]))


def test_a_claim_by_what_is_not_there_is_found(small: Scenario) -> None:
    gone = replace(small, response=())
    assert names(of(gone)) == ["unclaimed:1.1/response/1", "lost-claim:1.1/response/1=FM-X-01:respond"]
    assert "lost-claim:3.2/rule/1=every run's rule" in names(of(small, kinds=frozenset({"claim"})))


def test_a_query_that_never_moves_or_is_refused_is_found(small: Scenario) -> None:
    still = (*course(3, 3, 3), query("recovered", 3))
    assert names(of(small, samples=still)) == ["never-moves:1.1/sql/1"]
    assert names(of(small, samples=(*still, *course(0, 0, 1, run="b")))) == []
    missing = (query("idle", 0, failed='PostgreSQL: relation "bad" does not exist'),)
    assert names(of(small, samples=missing)) == ["failed-sql:1.1/sql/1"]
    named = (query("idle", 0, failed='PostgreSQL: relation "ops.connections" does not exist'),)
    assert names(of(small, samples=named)) == ["failed-sql:1.1/sql/1"]
    assert names(of(small, refused={"1.1/sql/1": Refusal("writes", "DELETE")})) == ["writes:1.1/sql/1"]


def test_a_query_that_moves_only_once_it_is_scaled_is_told_so(small: Scenario) -> None:
    result = of(small, samples=(*course(0, 0, 0), *course(0, 0, 4, scaled=True)))
    assert names(result) == []
    assert result.queries[0].scaled_only


def test_what_says_nothing_about_a_query_is_no_verdict_on_it(small: Scenario) -> None:
    late = (query("hold", 0, failed="no time was left for it: the queries before it took 2 s"),)
    once = (query("steady", 0), query("hold", 7))
    for samples in ((), late, once, (query("idle", 3),)):
        result = of(small, samples=samples)
        assert names(result) == []
        assert result.queries[0].moved is None


def test_a_baseline_lets_only_new_gaps_fail(small: Scenario) -> None:
    result = of(small, TEXT.replace("`FM-X-01`", "`FM-X-01`, `FM-X-02`"))
    assert [g.name for g in result.new(["no-scenario:FM-X-02"])] == []
    assert [g.name for g in result.new([])] == ["no-scenario:FM-X-02"]


def test_dead_links_are_found_and_living_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n## The place\n")
    book = tmp_path / "book.md"
    book.write_text(
        "# Book\n\n## 1.1 Here (FM-X-01)\n\n[a](other.md#the-place) [b](other.md#nowhere) [c](gone.md) `docs/gone.md`"
        " [d](#11-here-fm-x-01) [e](#elsewhere) [f](https://example.org/x)\n"
    )
    found = {target for target, _, _ in books.dead_links(read(book))}
    assert found == {"other.md#nowhere", "gone.md", "docs/gone.md", "#elsewhere"}


def dead(folder: Path, text: str) -> dict[str, str]:
    """What of a document's links is told, by target."""
    book = folder / "book.md"
    book.write_text(f"# Book\n\n## 5.1 復旧判定 FM-X-01\n\n{text}\n")
    return {target: why for target, _, why in books.dead_links(read(book))}


@pytest.mark.parametrize(
    "link",
    [
        "[a](設計.md)", "[a](%E8%A8%AD%E8%A8%88.md)", "[a](#51-復旧判定-fm-x-01)", "[a](my%20file.md)", "[a](<my file.md>)",
        "[a](設計.md#復旧判定)", "[a](設計.md?plain=1#復旧判定)", "[a](tel:+4912345)", "[a](slack:foo)",
        f"![a](data:image/png;base64,{'A' * 400})", "[a](//example.org/x)",
        "[a](#checks-1)\n\n### Checks\n\n### Checks", "[a](#checks-2)\n\n### Checks\n\n### Checks\n\n> ### Checks",
        '<a id="Here.1"></a> [a](#Here.1)', "[a](#old)\n\n<a\n class=x name='old' id=\"new\">",
        '[a](#new)\n\n<div>\n<p class="x" id=new>\n</div>',
    ],
)  # fmt: skip
def test_a_link_that_leads_somewhere_is_not_told_however_it_is_written(tmp_path: Path, link: str) -> None:
    (tmp_path / "設計.md").write_text("# 復旧判定\n")
    (tmp_path / "my file.md").write_text("# x\n")
    assert dead(tmp_path, link) == {}


@pytest.mark.parametrize(
    ("link", "target", "why"),
    [
        ("[a](計画.md)", "計画.md", "is not there"),
        ("[a](設計.md#見出し)", "設計.md#見出し", "has no such heading"),
        ("[a](#checks-2)\n\n### Checks\n\n### Checks", "#checks-2", "has no such heading"),
        ('[a](#gone)\n\n<!-- <a id="gone"> -->', "#gone", "has no such heading"),
        ('[a](#gone)\n\n```\n<a id="gone">\n```', "#gone", "has no such heading"),
        ('see <a href="gone.md">it</a>', "gone.md", "is not there"),
        ("<p>\n<img alt='' src='gone.png'>\n</p>", "gone.png", "is not there"),
        (f"[a]({'a' * 300}.md)", f"{'a' * 300}.md", "is not there"),
        ("[a](x%00.md)", "x%00.md", "is not there"),
        ("[a](x%1B%0Ay.md)", "x%1B%0Ay.md", "is not there"),
    ],
)
def test_a_link_that_leads_nowhere_is_told_as_people_write_it(tmp_path: Path, link: str, target: str, why: str) -> None:
    (tmp_path / "設計.md").write_text("# 復旧判定\n")
    assert dead(tmp_path, link) == {target: why}


def test_the_queries_of_a_section_are_sampled_in_its_scenarios_alone(small: Scenario) -> None:
    text = TEXT + "\n## 6.3 Data\n\n```sql\nSELECT 1;\n```\n"
    other = replace(small, id="FM-X-02")
    both = replace(catalogue(small), scenarios={s.id: s for s in (small, other)})
    queries = {k: Query(k, "d", "SELECT 1") for k in ("1.1/sql/1", "6.3/sql/1")}
    found = books.with_queries(both, parse(text), queries).scenarios
    assert [q.key for q in found["FM-X-01"].queries] == ["1.1/sql/1", "6.3/sql/1"]
    assert [q.key for q in found["FM-X-02"].queries] == ["6.3/sql/1"]


def test_the_newest_run_tells_the_last_claim_and_its_samples(tmp_path: Path) -> None:
    def run(name: str, arm: str, at: str, claim: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        events = (
            RunStarted(0.0, None, name, at, 1, "process", "ci", arm, ["FM-X-01"]),
            Swept(0.5, "FM-X-01", {}, 1.0),
            MOVES[0].event,
            RuleJudged(0.9, "FM-X-01", "3.2/rule/1", "one thing", "held", ""),
            ClaimEvent(1.0, "FM-X-01", claim, [], "", 1.0, None, None, None),
        )
        (folder / "journal.jsonl").write_text("\n".join(to_line(e) for e in events) + '\n{"v":1,"kind":"cla')

    run("20260101-000000-aaaa", "timeline", "2026-01-01T00:00:00.000+00:00", "REFUTED")
    run("20260102-000000-bbbb", "timeline", "2026-01-02T00:00:00.000+00:00", "PROVEN")
    run("20260103-000000-cccc", "control", "2026-01-03T00:00:00.000+00:00", "REFUTED")
    (tmp_path / "20260104-000000-dddd").mkdir()
    (tmp_path / "20260104-000000-dddd" / "journal.jsonl").write_bytes(b"\x00\xff not a journal\n")
    seen = books.seen_in(tmp_path)
    assert seen.claims["FM-X-01"].claim == "PROVEN"
    assert seen.claims["FM-X-01"].age_s is not None
    assert seen.claims["FM-X-01"].age_s > 0
    assert len(seen.samples) == 3
    assert seen.kinds is not None
    assert "rule" in seen.kinds
    assert "completion" not in seen.kinds
    assert books.seen_in(tmp_path / "nowhere").claims == {}


def test_the_table_is_as_wide_as_a_terminal_and_the_others_can_be_read(small: Scenario) -> None:
    result = of(small, TEXT.replace("- no bad rows", "- hardly any bad rows") + "\n- " + "長い文。" * 40)
    for line in coverage_text.table(result, []).splitlines():
        assert sum(2 if ord(c) > 0x2E80 else 1 for c in line) <= 80
    assert json.loads(coverage_text.as_json(result, None))["gaps"][0]["kind"] == "unclaimed"
    assert "| FM-X-01 | 1.1 | Small failures | 1/1 | 1/1 |" in coverage_text.markdown(result, None)


def test_what_has_no_proof_is_told_after_the_gaps(small: Scenario) -> None:
    result = of(small, known=["FM-X-01"])
    head, last = (coverage_text.table(result, None).splitlines()[n] for n in (2, -1))
    assert head.split()[:3] == ["failure", "mode", "section"]
    assert last == "No gaps. 1 failure mode has no proof in reports: gameday run"
    told = coverage_text.table(result, None, Path("other"))
    assert told.endswith("No gaps. 1 failure mode has no proof in other: gameday run --reports other")
    for claim, end in (("REFUTED", "gameday run"), ("PROVEN", "\nNo gaps.")):
        rows = [replace(row, last=LastClaim("FM-X-01", claim, "r1", "", 1.0, ())) for row in result.rows]
        assert coverage_text.table(replace(result, rows=rows), None).endswith(end)
    assert "| failure mode | section | title | checks |" in coverage_text.markdown(result, None)
    assert json.loads(coverage_text.as_json(result, None))["failure_modes"][0]["symptom"] == "Small failures"


def test_a_failure_mode_without_a_scenario_is_a_gap_and_no_proof_can_be_made(small: Scenario) -> None:
    told = coverage_text.table(of(small, TEXT.replace("`FM-X-01`", "`FM-X-01`, `FM-X-02`")), None)
    assert told.endswith("\n1 gap. 1 failure mode has no proof in reports: gameday run")


# The command, on the real catalogue -----------------------------------------------------------------------------------


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main.main(["coverage", "--offline", *arguments], prog_name="gameday")
    return int(end.value.code or 0)


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 99])
def test_a_file_that_is_no_runbook_is_one_line_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    book = tmp_path / "book.md"
    book.write_bytes(content)
    assert called("--runbook", str(book), "--reports", str(tmp_path)) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("failed", "asked"),
    [(None, False), ("no time was left for it: the queries before it took 2 s", True), ("PostgreSQL: no such", False)],
)
def test_a_query_whose_samples_were_not_taken_is_run_on_a_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: str | None, asked: bool
) -> None:
    book, folder, digest = tmp_path / "book.md", tmp_path / "20260101-000000-aaaa", parse(TEXT).queries[0].digest
    book.write_text(TEXT)
    folder.mkdir()
    sample = Queried(0.5, "FM-X-01", "1.1/sql/1", scaled=False, failed=failed, digest=digest, moment="hold")
    started = RunStarted(0.0, None, folder.name, "2026-01-01T00:00:00.000+00:00", 1, "process", "ci", "timeline", [])
    (folder / "journal.jsonl").write_text(f"{to_line(started)}\n{to_line(sample)}\n")
    run: list[str] = []

    def run_queries(queries: Sequence[Query], *_: object) -> list[Queried]:
        run.extend(q.key for q in queries)
        return []

    monkeypatch.setattr("harness.fronts.idle.run_queries", run_queries)
    with pytest.raises(SystemExit):
        main.main(["coverage", "--runbook", str(book), "--reports", str(tmp_path)], prog_name="gameday")
    assert run == ["1.1/sql/1"] * asked


def test_strict_and_baseline_decide_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book, known = tmp_path / "book.md", tmp_path / "known.json"
    book.write_text("# Book\n\n## 1.1 A section (FM-NONE-01)\n\nChecks:\n- a\n")
    common = ("--runbook", str(book), "--reports", str(tmp_path / "none"))
    assert called(*common) == 0
    assert called(*common, "--strict") == 1
    assert "no proof in" in capsys.readouterr().out
    assert called(*common, "--write-baseline", str(known)) == 0
    assert called(*common, "--baseline", str(known)) == 0
    book.write_text(book.read_text() + "\nSee [there](gone.md).\n")
    assert called(*common, "--baseline", str(known)) == 1
    assert "NEW line 8: gone.md is not there" in capsys.readouterr().out
    known.write_text("[]")
    assert called(*common, "--baseline", str(known)) == 2


def test_a_baseline_that_cannot_be_written_is_one_line_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book.md"
    book.write_text("# Book\n\n## 1.1 A section (FM-NONE-01)\n\nChecks:\n- a\n")
    place = tmp_path / "nowhere" / "known.json"
    assert called("--runbook", str(book), "--reports", str(tmp_path), "--write-baseline", str(place)) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert f"{place} cannot be written: No such file or directory" in line


def test_accepted_digests_that_cannot_be_written_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "_folder", lambda _package: tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"accepted.json cannot be written: No such file or directory"):
        books.accept("small", parse(TEXT), ["1.1/check/1"])


def test_our_runbook_has_the_same_bullets_in_both_languages_and_every_id() -> None:
    english, japanese = (read(ROOT / "docs" / name) for name in ("runbook.md", "runbook.ja.md"))
    assert [i.key for i in english.items] == [i.key for i in japanese.items]
    assert [(q.key, q.digest) for q in english.queries] == [(q.key, q.digest) for q in japanese.queries]
    assert english.ids == japanese.ids
    assert set(load_catalogue("scenarios", load_topology(None)).scenarios) == set(english.ids)
    assert english.problems == japanese.problems == []


def test_our_runbook_has_no_gap_that_is_not_known(tmp_path: Path) -> None:
    for name in ("runbook.md", "runbook.ja.md"):
        book = ("--runbook", str(ROOT / "docs" / name))
        assert called(*book, "--reports", str(tmp_path), "--baseline", str(ROOT / "docs/coverage-baseline.json")) == 0


def test_every_step_of_every_response_is_claimed_by_a_bullet() -> None:
    catalogue = load_catalogue("scenarios", load_topology(None))
    claimed = {name for s in catalogue.sections.values() for bullet in s.bullets for name in bullet.steps}
    whole = [v for s in catalogue.scenarios.values() for v in s.forms]
    assert {f"{s.id}:{step.act.__name__}" for s in whole for step in s.response} == claimed


def test_the_known_gaps_of_our_runbook_are_still_gaps(tmp_path: Path) -> None:
    fresh = tmp_path / "baseline.json"
    book = ("--runbook", str(ROOT / "docs/runbook.md"), "--reports", str(tmp_path / "none"))
    assert called(*book, "--write-baseline", str(fresh)) == 0
    assert json.loads(fresh.read_text()) == json.loads((ROOT / "docs/coverage-baseline.json").read_text())
