"""The pages as a screen reader has them: landmarks, headings, tables, names for everything that is focused or drawn."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model import events as ev
from harness.report import day, html, journal
from harness.report.lang import LANGUAGES, Messages, text
from tests.fakes.page import Element, read
from tests.fakes.world import World, play

PAGES: dict[str, Element] = {}


async def report(folder: Path, lang: str) -> Element:
    """A run of a proven and a refuted scenario with everything that a page shows; read once a language."""
    if lang in PAGES:
        return PAGES[lang]
    events: list[ev.Event] = [
        ev.RunStarted(0.0, None, "r1", "2026-01-01T00:00:00+00:00", 1, "process", "ci", "timeline", ["FM-X-01"]),
        ev.CellReady(0.1, "FM-X-02", "cell-1", 0.1),
    ]
    for label, world in (("FM-X-01", World()), ("FM-X-02", World(response_works=False))):
        events += [replace(e, scenario=label) for e in (await play(world))[1]]
        at_s = events[-1].t
        rows = [["PENDING", 2], ["SENT", None]]
        events += [
            ev.SliMeasured(at_s, label, "front.ok", "what succeeded", "ratio", "", "steady", 1.0, 3.0, 0.99, 0.999, 99, 100,
                           "broken", 0.5),
            ev.Checked(at_s, label, "1.1/check/1", "The backlog", {"store.rows": 1.0}),
            ev.Checked(at_s, label, "1.1/check/2", "The route", {"store.rtt_ms": None}),
            ev.Noted(at_s, label, "a note"), ev.Noted(at_s, None, "a note of the run"),
        ]  # fmt: skip
        events += (
            [ev.QuerySampled(at_s, label, "6.3/sql/1", "d", rows, False, "")] if hasattr(ev, "QuerySampled") else []
        )
    log = folder / "logs" / "cell-1" / "front.log"
    log.parent.mkdir(parents=True)
    log.write_text('{"@timestamp": "2026-01-01T00:00:05.000+00:00", "severity": "ERROR", "message": "refused"}\n')
    (folder / journal.JOURNAL).write_text("".join(ev.to_line(e) + "\n" for e in events), encoding="utf-8")
    PAGES[lang] = read(html.render(folder, Messages(lang)).decode())
    return PAGES[lang]


def game_day(folder: Path) -> Element:
    claim = {"label": "FM-X-01", "claim": "PROVEN", "title": "t", "reason": "", "response_to_recovery_s": 1.0}
    step = day.StepRecord("run", "everything", "2026-01-01", outcome="PROVEN", claims=[claim])
    day.write(day.DayRecord("d", "A day", {"lead": "mia"}, True, "2026-01-01", steps=[step]), folder)
    return read((folder / "day.html").read_text())


@pytest.fixture(params=[*LANGUAGES, "day"])
async def page(request: pytest.FixtureRequest, tmp_path: Path) -> Element:
    return game_day(tmp_path) if request.param == "day" else await report(tmp_path, request.param)


def test_the_page_says_its_language_and_has_a_title(page: Element) -> None:
    (root,) = page.all("html")
    assert root.attributes["lang"] in LANGUAGES
    assert [e.text.strip() for e in page.all("title")] != [""]


async def test_the_page_of_a_language_says_that_one(tmp_path: Path) -> None:
    assert (await report(tmp_path, "ja")).all("html")[0].attributes["lang"] == "ja"


def test_there_is_one_main_part_and_landmarks_are_told_apart(page: Element) -> None:
    assert len(page.all("main")) == 1
    assert Counter(e.name for e in page.all("header", "footer")).most_common(1) in (
        [("header", 1)],
        [("footer", 1)],
        [],
    )
    landmarks = [
        (e.attributes.get("role", e.name), e.attributes.get("aria-label", e.attributes.get("aria-labelledby", "")))
        for e in page.all("nav", "section", "div")
        if e.name == "nav" or e.attributes.get("role") == "region"
        or (e.name == "section" and "role" not in e.attributes and "aria-labelledby" in e.attributes)
    ]  # fmt: skip
    assert [one for one, count in Counter(landmarks).items() if count > 1] == []
    assert all(name for _, name in landmarks)


def test_headings_go_down_one_level_at_a_time_and_say_something(page: Element) -> None:
    headings = page.all("h1", "h2", "h3", "h4", "h5", "h6")
    levels = [int(e.name[1]) for e in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert [(e.says, a, b) for a, b, e in zip(levels, levels[1:], headings[1:], strict=False) if b > a + 1] == []
    assert [e for e in headings if not e.says] == []


def test_every_table_has_a_caption_and_heads_that_say_what_they_are_of(page: Element) -> None:
    tables = page.all("table")
    assert tables
    for table in tables:
        (caption,) = table.all("caption")
        assert caption.says
        heads = table.all("th")
        assert [
            e.parent and e.parent.says for e in heads if e.attributes.get("scope") not in {"col", "row", "rowgroup"}
        ] == []
        assert [table.says for e in heads if not e.says] == []
        if table.attributes.get("class") != "rows":
            # Every row of a body begins with its head; a group's head has a body of its own.
            bodies = [b for b in table.children if b.name == "tbody"]
            assert all(row.children[0].name == "th" for body in bodies for row in body.all("tr"))
            assert all(sum(e.attributes.get("scope") == "rowgroup" for e in body.all("th")) <= 1 for body in bodies)


def test_tables_that_a_narrow_window_lays_out_anew_say_their_parts(page: Element) -> None:
    roles = {"thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
    for table in page.all("table"):
        if table.attributes.get("class") == "stack":
            assert table.attributes["role"] == "table"
            assert [e for e in table.all(*roles) if e.attributes.get("role") != roles[e.name]] == []
            assert {e.attributes.get("role") for e in table.all("th")} == {"columnheader", "rowheader"}


def test_what_is_drawn_has_a_text_beside_it(page: Element) -> None:
    drawn = [e for e in page.walk() if e.attributes.get("role") == "figure"]
    assert [e for e in drawn if not e.attributes.get("aria-label")] == []
    for plot in drawn:
        kind = plot.attributes["data-plot"]
        beside = [
            e for e in (plot.parent.children if plot.parent else []) if "figures-of" in e.attributes.get("class", "")
        ]
        assert kind == "slis" or [e.attributes["data-plot"] for e in beside] == [kind]


def test_whatever_takes_the_focus_has_a_name(page: Element) -> None:
    for e in page.walk():
        named = e.attributes.get("aria-label") or e.attributes.get("aria-labelledby")
        if e.attributes.get("tabindex") == "0":
            assert named, e.attributes
            assert e.attributes.get("role"), e.attributes
        if e.name in {"a", "button", "summary"} and not e.hidden:
            assert named or e.says, e.attributes
        if e.name == "input":
            assert any(label.attributes.get("for") == e.attributes["id"] for label in page.all("label"))
    assert [e.attributes for e in page.walk() if int(e.attributes.get("tabindex", "0")) > 0] == []


def test_names_that_others_refer_to_are_there_once(page: Element) -> None:
    ids = Counter(e.attributes["id"] for e in page.walk() if "id" in e.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    wanted = {e.attributes[name] for e in page.walk() for name in ("aria-labelledby", "for") if name in e.attributes}
    assert wanted <= set(ids)


def test_nothing_speaks_up_by_itself_but_the_number_that_a_filter_leaves(page: Element) -> None:
    live = [
        e for e in page.walk() if "aria-live" in e.attributes or e.attributes.get("role") in {"status", "alert", "log"}
    ]
    assert [e.attributes.get("id") for e in live] in ([], ["shown"])


async def test_the_first_thing_in_the_page_leads_past_its_head(tmp_path: Path) -> None:
    page = await report(tmp_path, "en")
    (body,) = page.all("body")
    first = body.children[0]
    assert (first.name, first.attributes["class"]) == ("a", "skip")
    target = next(e for e in page.walk() if e.attributes.get("id") == first.attributes["href"].removeprefix("#"))
    assert target.attributes["tabindex"] == "-1"
    assert any(e.name == "main" for e in target.up())


async def test_a_mark_or_a_colour_never_speaks_alone(tmp_path: Path) -> None:
    page = await report(tmp_path, "en")
    for e in page.walk():
        if set(e.attributes.get("class", "").split()) & {"badge", "yes", "no", "unsure"} and not e.hidden:
            assert any(c.isalnum() for c in e.says), e.attributes
    amiss = [e for e in page.all("td") if "no" in e.attributes.get("class", "").split()]
    assert amiss
    assert all(text("report.amiss") in e.says for e in amiss)


async def test_log_lines_are_in_the_language_that_programs_write(tmp_path: Path) -> None:
    logs = [e for e in (await report(tmp_path, "ja")).all("ol") if e.attributes.get("class") == "logs"]
    assert logs
    assert {e.attributes["lang"] for e in logs} == {"en"}
