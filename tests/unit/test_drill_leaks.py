"""Nothing that the harness adds before the first act tells what is broken: a classifier does no better than chance.

Dry drills: everything the harness writes, names and times within a trainee's reach, without the system's own evidence.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.desk.extras import extras_of
from harness.fronts.drills.choose import Choice, choose
from harness.fronts.drills.sealed import SealedJournal
from harness.fronts.drills.trainee import RULES
from harness.model.events import Acted, RunStarted, ScenarioStarted

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
EXTRAS = extras_of("scenarios", TOPOLOGY)
MODES, EACH = 8, 20

Surface = tuple[str, ...]
"""What a trainee could see, as words."""


@cache
def drills(level: int) -> list[tuple[str, int, Choice]]:
    """At least 20 dry drills of each of eight failure modes."""
    found: dict[str, list[tuple[int, Choice]]] = {}
    for seed in range(1, 4000):
        made = choose(CATALOGUE, EXTRAS, TOPOLOGY, section="", level=level, seed=seed, profile="ci")
        found.setdefault(made.scenario.id, []).append((seed, made))
        if sum(len(f) >= EACH for f in found.values()) >= MODES:
            break
    names = sorted(n for n, f in found.items() if len(f) >= EACH)[:MODES]
    assert len(names) == MODES
    return [(name, seed, made) for name in names for seed, made in found[name][:EACH]]


def surface(label: str, seed: int, made: Choice, folder: Path) -> Surface:
    """What the harness itself puts within reach in one drill before the first act."""
    journal = SealedJournal(folder, TOPOLOGY.secrets.values())
    journal.write(RunStarted(0.0, None, folder.name, "2026-01-01", seed, "process", "ci", "drill", [label], {}))
    s = made.scenario
    journal.write(ScenarioStarted(1.0, s.label, s.title, list(s.sections), "drill", seed, s.fault.says, "", ""))
    journal.write(Acted(2.0, s.label, "injector", "cut", "front->store", {}, 0.1))
    words = [*RULES.split(), *(p.name for p in folder.iterdir()), *(folder / "journal.jsonl").read_text().split('"')]
    journal.close()
    words += [f"decoy {service} {name}" for service, name, _ in made.decoys]
    words += [f"noise {service}" for service in made.noisy]
    words += [f"wait {int(made.wait_s)}"]
    words += [f"setting {owner} {name}" for owner, name in EXTRAS.patience if (owner, name) in s.settings]
    usual = {type(w).__name__ for w in EXTRAS.traffic}
    words += [f"traffic {w.name} {w.rate_hz}" for w in s.workload if type(w).__name__ in usual]
    words += ["argv", "gameday", "drill", "--jsonl", "cell-1", "desk", "drill.sock"]
    return tuple(words)


def accuracy(cases: Sequence[tuple[str, Surface]], seed: int) -> tuple[float, int]:
    """The share that naive Bayes gets right on cases it has not seen, and of how many; five folds."""
    shuffled = list(cases)
    random.Random(seed).shuffle(shuffled)
    right = 0
    for fold in range(5):
        known = [c for n, c in enumerate(shuffled) if n % 5 != fold]
        totals = Counter(label for label, _ in known)
        seen = {label: Counter(w for own, words in known if own == label for w in set(words)) for label in totals}
        for label, words in shuffled[fold::5]:
            guess = max(sorted(totals), key=lambda name: _likelihood(set(words), seen[name], totals[name]))
            right += guess == label
    return right / len(shuffled), len(shuffled)


def _likelihood(words: set[str], seen: Counter[str], total: int) -> float:
    return sum(math.log((seen[w] + 1) / (total + 2)) for w in words)


def beyond_chance(found: float, n: int) -> bool:
    """Whether an accuracy lies above chance's 95 % interval."""
    p = 1 / MODES
    return found > p + 1.96 * math.sqrt(p * (1 - p) / n)


def cases(tmp_path: Path, level: int, plant: Callable[[str, int], str] | None = None) -> list[tuple[str, Surface]]:
    made = []
    for n, (label, seed, choice) in enumerate(drills(level)):
        words = surface(label, seed, choice, tmp_path / f"drill-{level}-{n}")
        own = tuple(w for w in words if not w.startswith(f"drill-{level}-"))
        made.append((label, (*own, plant(label, seed)) if plant else own))
    return made


def test_what_the_harness_adds_tells_nothing(tmp_path: Path) -> None:
    for level in (1, 2):
        found, n = accuracy(cases(tmp_path, level), seed=5)
        assert not beyond_chance(found, n), f"level {level}: {found:.2f} of {n}"


def test_the_classifier_finds_an_id_in_a_label_or_a_path(tmp_path: Path) -> None:
    found, n = accuracy(cases(tmp_path, 1, lambda label, _seed: f"cell-{label.lower()}"), seed=5)
    assert beyond_chance(found, n)


def test_the_classifier_finds_a_leak_in_timing(tmp_path: Path) -> None:
    names = sorted(CATALOGUE.scenarios)

    def page_after(label: str, seed: int) -> str:
        return f"page after {names.index(label) // 2 * 3 + seed % 2} s"

    found, n = accuracy(cases(tmp_path, 1, page_after), seed=5)
    assert beyond_chance(found, n)


def test_a_killed_drill_leaves_a_journal_that_tells_nothing(tmp_path: Path) -> None:
    label, seed, made = drills(1)[0]
    surface(label, seed, made, tmp_path / "d")
    left = (tmp_path / "d" / "journal.jsonl").read_text()
    assert label not in left
    assert "injector" not in left
    assert f'"seed":{seed}' not in left


def test_the_journal_is_whole_once_it_is_opened(tmp_path: Path) -> None:
    journal = SealedJournal(tmp_path / "d", ())
    journal.write(RunStarted(0.0, None, "d", "2026-01-01", 7, "process", "ci", "drill", ["X-1"], {}))
    journal.write(Acted(2.0, "X-1", "injector", "cut", "front->store", {}, 0.1))
    assert "X-1" not in (tmp_path / "d" / "journal.jsonl").read_text()
    assert journal.open() is None
    assert (tmp_path / "d" / "journal.jsonl").read_text().count("X-1") == 2
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["journal.jsonl"]
