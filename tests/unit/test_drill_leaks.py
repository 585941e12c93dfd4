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
from harness.model.events import Acted, RunStarted, ScenarioStarted
from harness.report.lang import text

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
EXTRAS = extras_of("scenarios", TOPOLOGY)
MODES, EACH = 8, 60

Surface = tuple[str, ...]
"""What a trainee could see, as words."""


@cache
def drills(level: int) -> list[tuple[str, int, Choice]]:
    """At least 60 dry drills of each of eight failure modes: with 20, chance alone sets one apart in some seeds."""
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
    words = [
        *text("drill.rules").split(),
        *(p.name for p in folder.iterdir()),
        *(folder / "journal.jsonl").read_text().split('"'),
    ]
    journal.close()
    words += [f"decoy {service} {name}" for service, name, _ in made.decoys]
    words += [f"wait {int(made.wait_s)}"]
    words += [f"setting {owner} {name}" for owner, name in EXTRAS.patience if (owner, name) in s.settings]
    words += [f"traffic {type(w).__name__} {w.name} {w.rate_hz}" for w in s.workload]
    words += ["argv", "gameday", "drill", "--jsonl", "cell-1", "desk", "drill.sock"]
    return tuple(words)


def accuracy(cases: Sequence[tuple[str, Surface]], seed: int) -> tuple[float, int]:
    """The share that naive Bayes gets right on cases it has not seen, and of how many; five folds."""
    guesses = guessed(cases, seed)
    return sum(label == guess for label, guess in guesses) / len(guesses), len(guesses)


def recalls(cases: Sequence[tuple[str, Surface]], seed: int) -> dict[str, float]:
    """The same for each label alone."""
    guesses = guessed(cases, seed)
    n = Counter(label for label, _ in guesses)
    return {one: sum(label == guess == one for label, guess in guesses) / n[one] for one in n}


def guessed(cases: Sequence[tuple[str, Surface]], seed: int) -> list[tuple[str, str]]:
    """Each case's label and what naive Bayes, trained on the other folds, takes it for; labels weigh the same."""
    shuffled = list(cases)
    random.Random(seed).shuffle(shuffled)
    made = []
    for fold in range(5):
        known = [c for n, c in enumerate(shuffled) if n % 5 != fold]
        totals = Counter(label for label, _ in known)
        seen = {label: Counter(w for own, words in known if own == label for w in set(words)) for label in totals}
        # Smoothed towards the word's share among all: a word that is always there says nothing of small labels.
        shares = {w: n / len(known) for w, n in sum(seen.values(), Counter()).items()}
        for label, words in shuffled[fold::5]:
            guess = max(sorted(totals), key=lambda name: _likelihood(set(words), seen[name], totals[name], shares))
            made.append((label, guess))
    return made


def _likelihood(words: set[str], seen: Counter[str], total: int, shares: dict[str, float]) -> float:
    return sum(math.log((seen[w] + shares[w]) / (total + 1)) for w in words if w in shares)


def told_apart(cases: Sequence[tuple[str, Surface]], seed: int) -> list[str]:
    """The failure modes that are told from all the others, which the mean of a classifier of eight hardly shows.

    Balanced accuracy, one against the rest, above what chance reaches in one catalogue of 500 (z by Bonferroni for eight
    comparisons): every scenario that is added draws the drills anew, and must not fail here for nothing.
    """
    z = 3.48
    found = []
    for one in sorted({label for label, _ in cases}):
        own = [(str(label == one), words) for label, words in cases]
        rates = recalls(own, seed)
        n = Counter(label for label, _ in own)
        bound = 0.5 + z * 0.5 * math.sqrt(sum(0.25 / n[label] for label in rates))
        if sum(rates.values()) / 2 > bound:
            found.append(one)
    return found


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
        of_level = cases(tmp_path, level)
        found, n = accuracy(of_level, seed=5)
        assert not beyond_chance(found, n), f"level {level}: {found:.2f} of {n}"
        assert told_apart(of_level, seed=5) == [], f"level {level}"


def test_no_decoy_is_left_out_for_a_scenario() -> None:
    decoys = {(service, name) for service, name, _ in EXTRAS.decoys}
    for scenario in CATALOGUE.scenarios.values():
        for variant in scenario.forms:
            assert not decoys & variant.settings.keys(), variant.label


def test_the_classifier_finds_an_id_in_a_label_or_a_path(tmp_path: Path) -> None:
    found, n = accuracy(cases(tmp_path, 1, lambda label, _seed: f"cell-{label.lower()}"), seed=5)
    assert beyond_chance(found, n)


def test_the_classifier_finds_a_leak_in_timing(tmp_path: Path) -> None:
    names = sorted(CATALOGUE.scenarios)

    def page_after(label: str, seed: int) -> str:
        return f"page after {names.index(label) // 2 * 3 + seed % 2} s"

    found, n = accuracy(cases(tmp_path, 1, page_after), seed=5)
    assert beyond_chance(found, n)


def test_noise_is_within_reach_and_chosen_without_a_look_at_what_is_broken(tmp_path: Path) -> None:
    for n, (label, seed, made) in enumerate(drills(2)[::EACH]):
        heard = {w for w in surface(label, seed, made, tmp_path / f"drill-{n}") if w.startswith("traffic Noise")}
        assert heard == {f"traffic Noise noise of {service} 1.0" for service in made.noisy}


def test_the_classifier_finds_noise_that_follows_what_is_broken(tmp_path: Path) -> None:
    services = sorted(TOPOLOGY.services)
    names = sorted(CATALOGUE.scenarios)

    def follows(label: str, _seed: int) -> str:
        return f"traffic Noise noise of {services[names.index(label) % len(services)]} 1.0 again"

    found, n = accuracy(cases(tmp_path, 2, follows), seed=5)
    assert beyond_chance(found, n)


def test_the_classifier_finds_traffic_that_only_one_scenario_has(tmp_path: Path) -> None:
    own = min({label for label, _, _ in drills(1)})
    found = told_apart(cases(tmp_path, 1, lambda label, _seed: f"traffic own {label == own}"), seed=5)
    # Any other is told a little from the rest as well: one of the rest is known by its traffic.
    assert own in found


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
