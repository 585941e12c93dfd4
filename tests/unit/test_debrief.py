"""A drill in another language: whatever a trainee reads is said in it, and what programs read stays the same."""

import asyncio
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.desk.desk import Desk
from harness.fronts.desk.extras import Extras
from harness.fronts.desk.served import ALL
from harness.fronts.desk.sight import OwnSight
from harness.fronts.drills.fronts import Program, Terminal
from harness.fronts.drills.trainee import Asked, Notes, page_of
from harness.fronts.messages import load_messages
from harness.model.drill import CAUSES, HINTS, BrokenRule, DrillRecord, Entry
from harness.model.errors import UsageError
from harness.model.scenario import Catalogue
from harness.model.scoring import score
from harness.report import debrief
from harness.report.lang import LANGUAGES, Messages, text, words
from tests.fakes.examples import examples
from tests.fakes.trainees import TRAINEES, answer_to, record_of
from tests.fakes.world import FakeEquipment, World

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
JA = load_messages("scenarios", "ja")
FAILED = "no setting of account was changed; see the change history"
LABELS = [label for label, s in CATALOGUE.scenarios.items() if s.sections]

GRAMMAR = {
    *("the", "a", "an", "is", "are", "was", "were", "of", "to", "and", "not", "it", "its", "by", "no", "for", "with", "in"),
    *("on", "that", "this", "from", "has", "had", "be", "been", "never", "but", "after", "before"),
}  # fmt: skip
"""Words that stand in nearly every English sentence, and in no name."""

NAMES = ("unique violation", "matchmaking worker", "Bad Gateway", "gameday ops", "client id")


def english_in(said: str, *typed: str) -> list[str]:
    """What looks like an English sentence in a Japanese text, without what the trainee typed and what is code."""
    said = " ".join(said.split())
    for one in sorted(typed, key=len, reverse=True):
        said = said.replace(" ".join(one.split()), "§") if one else said
    said = re.sub(r"`[^`]*`", "§", said)
    for name in NAMES:
        said = said.replace(name, "§")
    found = [word for word in re.findall(r"[A-Za-z]+(?:['-][a-z]+)*", said) if word in GRAMMAR]
    return found + re.findall(r"(?<![\w/.>-])[a-z]{2,}(?: [a-z]{2,})+(?![\w/.-])", said)


def typed(record: DrillRecord) -> Iterator[str]:
    yield from (e.says for e in record.entries if e.kind in debrief.COMMANDS)


def everything(label: str) -> DrillRecord:
    """A drill in which everything happened that a debrief can tell of."""
    answer = asyncio.run(answer_to(CATALOGUE.scenarios[label], CATALOGUE, TOPOLOGY))
    second = next(s for s in CATALOGUE.scenarios.values() if s.id != answer.label)
    made = record_of("careless", answer, TOPOLOGY, 1)
    act = {
        "verb": "sql",
        "target": "oncall",
        "name": "",
        "text": "update x set a = 1",
        "failed": FAILED,
    }
    hints = [Entry(30.0 + n, "hint", hint, {"level": hint}) for n, hint in enumerate(HINTS)]
    more = [*hints, Entry(40.0, "act", "sql oncall update x set a = 1", act)]
    probe = next(iter(CATALOGUE.scenarios[label].recovery.conditions)).probe.name
    return replace(
        made, page=CATALOGUE.alerts[0].name, entries=tuple(sorted([*made.entries, *more], key=lambda e: e.t)),
        answer=replace(
            answer, others=((second.label, second.title),),
            decoys=("account account.database.pool-size was set to 12", "account was asked for what it does not have"),
        ),
        collateral=f"what should stay whole did not: {probe} == 0: last never read, met in 0 of 1 sweep, 1 without a sample",
        rules=tuple(BrokenRule(r.key, r.title, "sql x is not limited to named rows") for r in CATALOGUE.conduct.rules)
        if CATALOGUE.conduct else (),
        budget_minutes=1.0, level=3, whole=False, ended="nobody could be paged",
    )  # fmt: skip


def records() -> Iterator[DrillRecord]:
    for label in LABELS:
        answer = asyncio.run(answer_to(CATALOGUE.scenarios[label], CATALOGUE, TOPOLOGY))
        for name in TRAINEES if label == LABELS[0] else ("careless", "harmful"):
            made = record_of(name, answer, TOPOLOGY, 1)
            page = CATALOGUE.alerts[len(name) % len(CATALOGUE.alerts)].name
            entries = tuple(replace(e, says=page) if e.kind == "page" else e for e in made.entries)
            yield replace(made, page=page, entries=entries)
        yield everything(label)


def test_one_look_at_a_section_is_one_line_and_looks_at_others_stay() -> None:
    """A section's checks are read one after the other; a program looks at the next section as soon as it has the answer."""
    keys = [("5.1", 0.00), ("5.1", 0.02), ("5.1", 0.05), ("5.2", 0.07), ("5.1", 9.0)]
    looked = tuple(Entry(t, "check", f"checks {key}", {"key": f"{key}/check/1"}) for key, t in keys)
    made = replace(everything(LABELS[0]), entries=looked)
    assert [e.t for e in debrief.shown(made)] == [0.00, 0.07, 9.0]


def test_a_japanese_debrief_holds_no_english_sentence() -> None:
    for made in records():
        own = (*typed(made), "an alert")
        for said in (debrief.text(made, JA), debrief.markdown(made, JA)):
            assert english_in(said, *own) == [], said


def test_the_look_for_english_finds_a_sentence_left_over() -> None:
    made = everything(LABELS[0])
    left = replace(made, collateral="somebody has unplugged it")
    assert english_in(debrief.text(left, JA), *typed(left), "an alert")
    assert english_in(debrief.text(made), *typed(made))


@pytest.mark.parametrize("said", [Messages(), JA], ids=LANGUAGES)
def test_a_debrief_fits_a_terminal_and_shows_the_answer(said: Messages) -> None:
    for made in records():
        shown = debrief.text(made, said)
        assert [line for line in shown.splitlines() if cell_len(line) > 79] == []
        assert made.answer.label in shown
        assert f"{score(made).total:.1f}" in shown
        assert made.answer.label in debrief.markdown(made, said)


ZEROS = {
    "en": (
        "from the fault",
        "from the page, not from the fault",
        ("to the page", "to detection", "to the right diagnosis", "to recovery"),
    ),
    "ja": ("障害の発生から", "障害の発生ではなく", ("呼び出しまで", "検知まで", "正しい診断まで", "回復まで")),
}
"""How the two moments are called that a debrief counts from, and what it counts to from the fault."""


@pytest.mark.parametrize("said", [Messages(), JA], ids=LANGUAGES)
def test_a_debrief_says_what_its_times_count_from(said: Messages) -> None:
    made = everything(LABELS[0])
    fault, page, ends = ZEROS[said.lang]
    shown, written = debrief.text(made, said), debrief.markdown(made, said)
    table, _, rest = written.partition("\n## ")
    took = debrief.times(made)
    for end, name in zip(ends, ("page_s", "detect_s", "diagnose_s", "recover_s"), strict=True):
        value = took[name]
        assert re.search(rf"\| {fault} ?{end} \| {'' if value is None else f'{value:.1f} '}", table)
    timeline, score_of = (
        rest.partition(f"\n## {words(said.lang)[f'debrief.{head}']}\n")[n] for head, n in [("steps", 0), ("score", 2)]
    )
    assert page in timeline
    assert page in score_of
    flat = "".join(shown.split())
    assert all("".join(end.split()) in flat.partition("".join(fault.split()))[2] for end in ends)
    assert "".join(page.split()) in flat


def test_names_and_keys_of_the_json_are_the_same_in_every_language() -> None:
    made = everything(LABELS[0])
    english, japanese = (debrief.plain(made, said) for said in (Messages(), JA))
    assert (english.pop("lang"), japanese.pop("lang")) == ("en", "ja")
    for both in (english, japanese):
        assert both["drill"] == made.plain()
        for table, texts in (("points", ("why",)), ("acts", ("act", "why")), ("rules", ("title", "says"))):
            for row in both[table]:
                for name in texts:
                    row.pop(name)
    assert english == japanese


def test_a_second_factor_is_named_with_its_label() -> None:
    made = everything(LABELS[0])
    for said in (Messages(), JA):
        ((label, title),) = made.answer.others
        assert f"{label}: {said.title(label, title)}"[:20] in debrief.text(made, said)


# What is asked and answered meanwhile ---------------------------------------------------------------------------------


def asked_of(world: World, said: Messages, catalogue: Catalogue = CATALOGUE) -> tuple[Desk, Asked]:
    equipment = FakeEquipment(world)
    answer = asyncio.run(answer_to(CATALOGUE.scenarios[LABELS[0]], CATALOGUE, TOPOLOGY))
    notes = Notes(equipment.clock, paged_s=0.0)

    async def confirmed() -> tuple[bool, str]:
        return False, ""

    asked = Asked(
        notes, TOPOLOGY, catalogue, 90.0, lambda: catalogue.alerts[0].name, lambda: answer, confirmed,
        lambda _why: None, ("5.1", "5.6"), said,
    )  # fmt: skip
    sight = OwnSight(equipment, catalogue, None)
    return Desk(
        equipment, catalogue, sight, {**ALL, **asked.verbs()}, Extras({"x": ("tool", "y")}), messages=said
    ), asked


REQUESTS = (
    "help", "rules", "page", "detect here", "diagnose 5.6 entitlement route", "diagnose 9 x y", "diagnose 5.6 x y",
    "diagnose 5.6 entitlement y", "recovered", *(f"hint {h}" for h in HINTS), "hint x", "give-up", "alerts", "changes",
    "dashboard", "tools", "restart nowhere", "bogus", "restart", 'sql "x', "scale front many", "scale front 99",
    "tool x", "checks", "checks 9.9", "rollback front nothing", "job start x",
    "status", "routes x", "logs x", "settings x", "",
)  # fmt: skip


def test_every_answer_of_a_japanese_drill_is_in_japanese() -> None:
    desk, _ = asked_of(World(), JA)
    commands = [f"{v.name} {v.usage}".strip() for v in desk.verbs.values()]
    commands += ["job start NAME [K=V ...]", "job slow NAME HZ", "job stop NAME", "gameday ops --name drill VERB"]

    own = ("hint nudge|check|section|step", "tool y", "front store", "rules verbs")

    async def ask() -> list[tuple[str, str]]:
        return [(request, (await desk.handle({"do": request}))["says"]) for request in REQUESTS]

    for request, says in asyncio.run(ask()):
        left = english_in(says, *commands, *CAUSES, *TOPOLOGY.services, *TOPOLOGY.parts, *HINTS, *own)
        assert left == [], f"{request}: {says}"


def test_every_verb_says_what_it_is_for_in_every_language() -> None:
    desk, _ = asked_of(World(), Messages())
    for lang in LANGUAGES:
        known = words(lang)
        assert {f"verb.{name}" for name in desk.verbs} == {key for key in known if key.startswith("verb.")}
        assert {f"group.{v.group}" for v in desk.verbs.values()} == {key for key in known if key.startswith("group.")}


def test_every_name_of_a_debrief_has_its_words() -> None:
    tables = {"worth": {"right", "not needed", "wrong", "harmful"}, "point": {*HINTS}}
    for made in records():
        tables["point"] |= {p.what.partition(": ")[0] for p in score(made).points}
    for table, names in tables.items():
        assert {f"{table}.{name}" for name in names} <= set(words("en"))


def test_the_page_tells_the_alert_and_the_time_there_is() -> None:
    data = {"alert": CATALOGUE.alerts[0].name, "limit_s": 60.0, "drill": "d"}
    assert page_of(data, Messages()).endswith("You have 1 minute. help lists what you can do.")
    assert "15 minutes" in page_of({**data, "limit_s": 900.0}, Messages())
    assert "45 seconds" in page_of({**data, "limit_s": 45.0}, Messages())
    assert english_in(page_of(data, JA), "help") == []
    assert JA.alert(CATALOGUE.alerts[0].name) in page_of(data, JA)


def told_by(front: Any, out: io.StringIO) -> str:
    made = everything(LABELS[0])
    front.tell("rules", {"rules": text("drill.rules", front._messages.lang), "level": 1, "limit_s": 900.0})
    front.tell("page", {"alert": made.page, "limit_s": 900.0, "drill": "d"})
    front.tell("over", {"why": "the time is over"})
    front.tell("debrief", {"record": made, "folder": "reports/drill-1"})
    return out.getvalue()


def test_a_terminal_speaks_japanese_throughout() -> None:
    made, out = everything(LABELS[0]), io.StringIO()
    said = told_by(Terminal(JA, io.StringIO(), out), out)
    assert (
        english_in(said, *typed(made), "an alert", "gameday ops --name drill VERB", "hint nudge|check|section|step")
        == []
    )


def test_a_program_reads_the_same_names_in_every_language_and_the_texts_in_its_own() -> None:
    found = {}
    for said in (Messages(), JA):
        out = io.StringIO()
        found[said.lang] = [json.loads(line) for line in told_by(Program(said, io.StringIO(), out), out).splitlines()]
    for english, japanese in zip(found["en"], found["ja"], strict=True):
        assert list(english) == list(japanese)
        assert english["type"] == japanese["type"]
    page, over = found["ja"][1], found["ja"][2]
    assert page["alert"] == CATALOGUE.alerts[0].name
    assert JA.alert(page["alert"]) in page["says"]
    assert over["why"] == "the time is over"


def test_wrong_use_of_a_drill_is_told_in_its_language() -> None:
    desk, _ = asked_of(World(), JA)
    with pytest.raises(UsageError, match="節はありません"):
        asyncio.run(desk.do(["diagnose", "9.9", "x", "y"]))


def test_the_examples_are_what_a_debrief_is_now() -> None:
    old = [path.name for path, said in examples() if not path.is_file() or path.read_text(encoding="utf-8") != said]
    assert old == [], "write them again: python -m tests.fakes.examples"
