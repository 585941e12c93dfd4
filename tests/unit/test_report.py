"""The report for people: whatever became of a run there is a page, with its claims, its evidence, and nothing harmful."""

import html as escaping
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from harness.fronts import reports
from harness.model import events as ev
from harness.model.errors import UsageError
from harness.report import html, journal, markdown, record
from harness.report.lang import Messages, beginning, text
from tests.fakes.world import World, play

START = ev.RunStarted(
    0.0, None, "r1", "2026-01-01T00:00:00+00:00", 1, "process", "ci", "timeline", ["FM-X-01"], {"store": "1"}
)
END = ev.RunFinished(99.0, None, "2026-01-01T00:01:39+00:00")


KEYS = set(beginning("", "en"))

PLAYED: dict[bool, list[ev.Event]] = {}


async def events_of(*, works: bool = True) -> list[ev.Event]:
    """The events of a run whose response works or not; played once, for many tests look at the same."""
    if works not in PLAYED:
        PLAYED[works] = (await play(World(response_works=works)))[1]
    return [START, *PLAYED[works], END]


def put(folder: Path, events: Iterable[ev.Event]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / journal.JOURNAL).write_text("".join(ev.to_line(e) + "\n" for e in events), encoding="utf-8")
    return folder


def page(folder: Path, lang: str = "en") -> str:
    return html.render(folder, Messages(lang)).decode()


async def test_a_proven_run_says_so_with_the_evidence_of_every_phase(tmp_path: Path) -> None:
    found = page(put(tmp_path, await events_of()))
    assert "The claim is proven" in found
    for role in ("symptom as control", "symptom", "recovery as untreated", "recovery"):
        assert re.search(rf'<h5 id="s1-e\d+-h">{role} <span class="yes">', found), role
    assert "What failed first" not in found


async def test_a_refuted_run_says_what_failed_first_and_links_to_the_evidence(tmp_path: Path) -> None:
    found = page(put(tmp_path, await events_of(works=False)))
    assert "1 of 1 claim refuted" in found
    assert "What failed first" in found
    link = re.search(r'Not recovered</strong>.*?href="#(s1-e\d+)"', found)
    assert link
    assert re.search(rf'<h5 id="{link[1]}-h">recovery <span class="no">', found)


async def test_every_link_leads_somewhere(tmp_path: Path) -> None:
    found = page(put(tmp_path, await events_of()))
    names = set(re.findall(r'\bid="([^"]+)"', found))
    links = set(re.findall(r'href="#([^"]+)"', found))
    assert links
    assert links <= names


async def test_nothing_is_fetched_from_elsewhere(tmp_path: Path) -> None:
    found = page(put(tmp_path, await events_of()))
    assert not re.findall(r'(?:src|href)="(?!#)', found)
    assert "url(" not in found
    assert "@import" not in found


async def test_markup_in_titles_reasons_and_logs_is_text(tmp_path: Path) -> None:
    evil = '</script></template><script>alert(1)</script><img src=x onerror="alert(2)">'
    events = await events_of(works=False)
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted))
    events = [
        ev.ScenarioStarted(**{**vars(e), "title": evil, "symptom": evil}) if isinstance(e, ev.ScenarioStarted) else e
        for e in events
    ]
    events += [ev.Noted(1.0, label, evil), ev.Noted(1.0, None, evil), ev.Swept(30.0, label, {evil: 1.0}, 1.0)]
    events.insert(1, ev.CellReady(0.1, label, "cell-1", 0.1))
    log = tmp_path / "logs" / "cell-1" / "front.log"
    log.parent.mkdir(parents=True)
    log.write_text(
        "".join(
            json.dumps({"@timestamp": f"2026-01-01T00:00:{s:02}.000+00:00", "severity": "ERROR", "message": evil})
            + "\n"
            for s in range(40)
        )
    )
    found = page(put(tmp_path, events))
    assert "alert(1)" in found
    assert "<script>alert" not in found
    assert "<img" not in found
    assert str(escaping.escape(evil)).split("alert")[0].replace("&quot;", "&#34;") in found


async def with_a_cell(run: Path) -> tuple[list[ev.Event], float, Path]:
    """A run whose scenario had a cell: its events, the moment of its step, and the folder of the cell's logs."""
    events = await events_of()
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted))
    events.insert(1, ev.CellReady(0.1, label, "cell-1", 0.1))
    home = run / "logs" / "cell-1"
    home.mkdir(parents=True)
    return events, next(e.t for e in events if isinstance(e, ev.Stepped)), home


async def test_log_lines_around_the_events_are_shown_with_secrets_masked(tmp_path: Path) -> None:
    events, acted, home = await with_a_cell(tmp_path)

    def line(t: float, message: str) -> str:
        at = f"2026-01-01T00:{int(t // 60):02}:{t % 60:06.3f}+00:00"
        return json.dumps({"@timestamp": at, "severity": "WARNING", "logger": "l", "message": message}) + "\n"

    (home / "front.log").write_text(
        line(acted, "refused password=hunter2-long authorization: Bearer abcdef123456")
        + line(acted + 600, "long after")
    )
    (home / "broken.log").write_bytes(b"\xff\xfe rubbish\n" * 50)
    found = page(put(tmp_path, events))
    assert "refused password=***" in found
    assert "hunter2" not in found
    assert "abcdef123456" not in found
    assert "long after" not in found


async def test_a_run_that_was_killed_and_a_last_line_cut_off_are_readable(tmp_path: Path) -> None:
    events = await events_of()
    put(tmp_path, events[: len(events) // 2])
    path = tmp_path / journal.JOURNAL
    path.write_bytes(path.read_bytes() + b'{"v":1,"kind":"swe\xff')
    found = page(tmp_path)
    assert "ended from outside" in found
    assert "1 line of the journal could not be read" in found
    assert "inconclusive" in found


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"[1]\nnull\n\x00\xff\n", b'{"kind":"claim","t":"x","scenario":"a"}\n']
)
def test_a_journal_of_nothing_gives_a_page(tmp_path: Path, content: bytes) -> None:
    (tmp_path / journal.JOURNAL).write_bytes(content)
    assert "Nothing was run" in page(tmp_path)


async def test_another_version_of_the_journal_is_shown_as_far_as_it_is_understood(tmp_path: Path) -> None:
    lines = [json.loads(ev.to_line(e)) for e in await events_of()]
    for number, line in enumerate(lines):
        line["v"] = 7
        line["surprise"] = {"a": number}
        if line["kind"] == "judged":
            line["conditions"] = [{"said": "otherwise"}, *line["conditions"]]
        if line["kind"] == "judged" and number % 2:
            del line["met_at_s"]
        if line["kind"] == "finding":
            line["finding"] = "A_NEW_FINDING"
    lines.insert(5, {"kind": "a_new_kind", "t": 1.0, "scenario": None})
    (tmp_path / journal.JOURNAL).write_text("\n".join(json.dumps(line) for line in lines))
    found = page(tmp_path)
    assert "could not be read" in found
    assert "A_NEW_FINDING" in found


async def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    assert page(put(tmp_path, await events_of())).count("not measured") >= 4


async def test_what_was_measured_beside_the_phases_is_shown(tmp_path: Path) -> None:
    events = await events_of()
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted))
    events += [
        ev.SliMeasured(
            20.0, label, "front.ok_ratio", "Logins that work", "ratio", "ratio", 0.999, "untreated", 5.0, 9.0, 0.5,
            "broken", 5, 10, 0.033,
        ),
        ev.AlertFired(7.0, label, "FrontBurns", "page", False),
        ev.LedgerCounted(20.0, label, {"published": 12}),
        ev.InvariantJudged(20.0, label, "once", "Nothing twice", "broken", "1 id twice", [{"id": "a-1", "seen": 2}]),
        ev.RuleJudged(20.0, label, "3.2/rule/1", "Never delete", "held", ""),
        ev.Queried(20.0, label, "5.6/query/1", True, [["1", None]]),
        ev.Completed(20.0, label, False, [{"key": "1", "text": "lag is gone", "met": None, "evidence": "no sample"}]),
        ev.Recorded(20.0, label, {"affected_slis": ["front.ok_ratio"]}),
    ]  # fmt: skip
    found = page(put(tmp_path, events))
    for said in ("Logins that work", "5/10", "0.033", "FrontBurns", "published: 12", "1 id twice", "a-1", "Never delete",
                 "5.6/query/1", "lag is gone", "no sample", "affected slis"):  # fmt: skip
        assert said in found, said


async def test_many_scenarios_stay_one_bounded_page(tmp_path: Path) -> None:
    events = await events_of()
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted))
    lines = [ev.to_line(e) for e in events if e.scenario == label]
    body = "".join("\n".join(lines).replace(f'"{label}"', f'"FM-X-{n:03}"') + "\n" for n in range(12))
    put(tmp_path, [START])
    with (tmp_path / journal.JOURNAL).open("a") as opened:
        opened.write(body)
    found = html.render(tmp_path)
    assert found.count(b'<details class="scenario"') == 12
    assert len(found) - len(html.plotting()) < 12 * 60_000


async def test_a_long_scenario_is_thinned_out_and_says_so(tmp_path: Path) -> None:
    events = await events_of()
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted))
    events += [ev.Swept(40 + n / 5, label, {"front.number_items": float(n)}, 1.0) for n in range(3_000)]
    found = page(put(tmp_path, events))
    data = json.loads(re.findall(r'class="data">(.*?)</script>', found)[0])
    assert len(data["t"]) <= 1200
    assert data["every"] > 1


async def test_the_text_holds_the_same_and_nothing_in_it_is_markup(tmp_path: Path) -> None:
    evil = "a | b `c` <img src=x> [l](http://x) **bold**"
    events = [
        ev.ScenarioStarted(**{**vars(e), "title": evil, "symptom": evil}) if isinstance(e, ev.ScenarioStarted) else e
        for e in await events_of(works=False)
    ]
    found = markdown.render(put(tmp_path, events)).decode()
    assert found.startswith("# 1 of 1 claim refuted")
    assert "Not recovered" in found
    rendered = MarkdownIt("commonmark").enable("table").render(found)
    assert "<img" not in rendered
    assert "<a " not in rendered
    assert "<strong>bold" not in rendered
    assert rendered.count("<table>") >= 2


async def test_a_ci_job_gets_the_text_as_its_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    events = await events_of()
    assert reports.write(record.of(events, keep_sweeps=False), put(tmp_path / "run", events)) == []
    found = (tmp_path / "summary.md").read_text()
    assert found.startswith("before\n# ")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "run" / "report.md" / "no"))
    trouble = reports.write(record.of(events, keep_sweeps=False), tmp_path / "run")
    assert len(trouble) == 1


def test_a_summary_too_long_for_the_service_is_cut_between_blocks() -> None:
    cut = markdown.summary(b"a line\n\n" * 200_000)
    assert len(cut) < 1_000_000
    assert cut.endswith("a line\n\n…\n".encode())


async def test_an_old_run_is_rendered_again_and_its_files_for_programs_stay(tmp_path: Path) -> None:
    folder = put(tmp_path / "reports" / "r1", await events_of())
    (folder / "run.json").write_text("old")
    written = reports.rendered_again(Path("r1"), tmp_path / "reports", Messages("ja"))
    assert [path.name for path in written] == ["report.md", "report.html"]
    assert "実証済み" in (folder / "report.html").read_text()
    assert (folder / "run.json").read_text() == "old"
    (tmp_path / "reports" / "r3").mkdir()
    (tmp_path / "reports" / "r3" / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="there is no journal"):
        reports.rendered_again(Path("r3"), tmp_path / "reports", Messages())
    with pytest.raises(UsageError, match="there is no run r2; name its id"):
        reports.rendered_again(Path("r2"), tmp_path / "reports", Messages())


async def test_a_page_that_cannot_be_made_loses_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = await events_of()
    put(tmp_path, events)

    def broken(*_: object) -> bytes:
        raise KeyError("planted")

    monkeypatch.setattr(html, "render", broken)
    trouble = reports.write(record.of(events, keep_sweeps=False), tmp_path)
    assert len(trouble) == 1
    assert "report.html could not be made: 'planted'" in trouble[0]
    assert json.loads((tmp_path / "run.json").read_text())["claims"][0]["claim"] == "PROVEN"
    assert (tmp_path / "junit.xml").exists()
    assert reports.page(tmp_path) == tmp_path


async def test_japanese_is_there_for_every_word(tmp_path: Path) -> None:
    found = page(put(tmp_path, await events_of()), "ja")
    assert '<html lang="ja">' in found
    assert "タイムライン" in found
    ours = ("claim.", "finding.", "phase.", "ended.", "role.", "part.", "report.", "script.")
    assert all(text(key, "ja") != text(key, "en") for key in KEYS if key.startswith(ours))


async def test_what_the_catalogue_says_is_translated_too(tmp_path: Path) -> None:
    events = await events_of()
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted)) or ""
    messages = Messages("ja", {"scenarios": {label: {"title": "配信が止まる"}}, "steps": {"Set it back": "元に戻す"}})
    events += [ev.Stepped(20.0, label, "Set it back", False, 0.1), ev.Stepped(20.0, label, "Another", False, 0.1)]
    found = html.render(put(tmp_path, events), messages).decode()
    assert "配信が止まる" in found
    assert "元に戻す" in found
    assert "Another" in found


def test_every_word_that_the_pages_ask_for_is_there() -> None:
    asked = {
        key
        for path in html.TEMPLATES.glob("*.j2")
        for key in re.findall(r"""\bw\(["']([\w.]+)["'][,)]""", path.read_text())
    }
    assert asked
    assert asked <= KEYS


async def test_an_excerpt_shows_some_scenarios_says_so_and_leaves_the_runs_report_alone(tmp_path: Path) -> None:
    events = await events_of()
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted))
    other = [replace(e, scenario="FM-Z-09") if e.scenario == label else e for e in events[1:-1]]
    folder = put(tmp_path / "reports" / "r1", [*events[:-1], *other, END])
    into = tmp_path / "to-forward"
    written = reports.rendered_again(Path("r1"), tmp_path / "reports", Messages(), ["FM-Z-09"], into)
    assert [path.parent for path in written] == [into, into]
    for path in written:
        said = path.read_text()
        assert "An excerpt: 1 of the 2 scenarios" in said
        assert "FM-Z-09" in said
        assert str(label) not in said
    assert not (folder / "report.html").exists()
    with pytest.raises(UsageError, match="has no scenario FM-Q-01; it has"):
        reports.rendered_again(Path("r1"), tmp_path / "reports", Messages(), ["FM-Q-01"], into)


async def test_the_whole_run_is_no_excerpt(tmp_path: Path) -> None:
    assert "An excerpt" not in page(put(tmp_path, await events_of()))


async def test_a_note_tells_nothing_of_the_machine_its_files_lie_on(tmp_path: Path) -> None:
    note = ev.Noted(1.0, None, "runbook /home/somebody/clone/docs/book.md: GET /v1/me fails, see /tmp/a-b/x.log")
    found = page(put(tmp_path, [*await events_of(), note]))
    assert "runbook …/docs/book.md: GET /v1/me fails, see …/a-b/x.log" in found
    assert "somebody" not in found


async def test_what_a_log_says_again_and_again_is_one_line_that_tells_how_often(tmp_path: Path) -> None:
    events, acted, home = await with_a_cell(tmp_path)
    lines = [(acted, "closed"), (acted + 0.01, "closed"), (acted + 0.02, "closed"), (acted + 0.03, "opened")]
    (home / "front.log").write_text(
        "".join(f"2026-01-01T00:{int(t // 60):02}:{t % 60:06.3f}+00:00 WARN {said}\n" for t, said in lines)
    )
    found = page(put(tmp_path, events))
    assert found.count("opened") == 1
    assert "(x" not in found, "these lines differ by their time"
    (home / "front.log").write_text(
        "".join(
            json.dumps({"@timestamp": f"2026-01-01T00:{int(t // 60):02}:{t % 60:06.3f}+00:00", "message": said}) + "\n"
            for t, said in lines
        )
    )
    found = page(put(tmp_path, events))
    assert "closed (x3)" in found
    assert "opened (x" not in found


async def test_the_record_tells_moments_since_the_injection_and_one_line_for_each_stop(tmp_path: Path) -> None:
    events = await events_of()
    label = next(e.scenario for e in events if isinstance(e, ev.ScenarioStarted))
    zero_s = next(e.since_s for e in events if isinstance(e, ev.Judged) and e.what == "symptom")
    fields = {
        "stops": [{"stop": "Front", "values": {}}, {"stop": "Back", "values": {"back.age_s": 4.0}}],
        "timeline": {"symptom_at_s": zero_s + 2, "ttd_s": None},
        "blank": ["owner", "due"],
    }
    found = page(put(tmp_path, [*events[:-1], ev.Recorded(events[-2].t, label, fields), END]))
    assert "<dd>Front: —</dd><dd>Back: back.age_s: 4</dd>" in found
    assert "<dd>symptom +2.00 s, TTD —</dd>" in found
    assert "<dd>owner, due</dd>" in found
