"""The alert policy beside a scenario: what is detected when, what is late or noise, what each stretch came to."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf, nan

import pytest

from harness.engine.alerting import FRESH_S, fired_again, stretches, times
from harness.engine.watch import Watch
from harness.model.alerts import Alert, AnyNew, ObjectiveMissed, OverFor, RatioBelow
from harness.model.arms import CONTROL, PLACEBO, TIMELINE, UNTREATED, Arm
from harness.model.criteria import Verdict
from harness.model.events import AlertFired, Claimed, Event, SamplesTaken, SliMeasured, read_lines, to_line
from harness.model.probes import Probe
from harness.model.samples import packed, rounded, unpacked
from harness.model.slis import P95, Counter, Highest, P95OfSamples, Query, Ratio, RequestDelays, Requests, Sample, Sli
from harness.slo.alerts import at as fires_at
from harness.slo.measure import between, measured
from harness.slo.policy import SloPolicy
from tests.fakes.world import FakeEquipment, World, play

SERIES = {
    "good": Requests(lambda sent: sent.accepted),
    "all": Requests(lambda _sent: True),
    "took": RequestDelays(lambda sent: sent.accepted, (0.01, 0.1)),
    "rows": Query("SELECT count(*) FROM somewhere"),
    "shown": Counter("front", "shown_total"),
}
SUCCESS = Sli("front.success", "requests that succeed", 0.999, "ratio", "share", Ratio("good", "all"))
ROWS = Sli("front.rows", "rows given up", 0, "count", "rows", Highest("rows"))
SHOWN = Sli("front.shown", "as the service counts", 0.999, "ratio", "share", Ratio("shown", "shown"))
DLQ = AnyNew("new row", "rows", kind="page")
SLIS = (SUCCESS, ROWS, SHOWN)


def policy(*alerts: Alert) -> SloPolicy:
    return SloPolicy(SERIES, SLIS, alerts)


def row_after(s: float) -> Callable[[float], float | None]:
    return lambda since_s: float(since_s >= s)


def fired(journal: list[Event]) -> list[tuple[str, bool, bool]]:
    return [(e.name, e.late, e.noise) for e in journal if isinstance(e, AlertFired)]


def claimed(journal: list[Event]) -> Claimed:
    return next(e for e in journal if isinstance(e, Claimed))


def measures(journal: list[Event]) -> dict[tuple[str, str], SliMeasured]:
    return {(e.name, e.stretch): e for e in journal if isinstance(e, SliMeasured)}


async def test_the_first_alert_that_fires_detects_it() -> None:
    sooner = RatioBelow("success falls", "good", "all", 0.95, window_s=1.0, minimum=5, kind="page")
    outcome, journal = await play(World(rows=row_after(1.5), refuses_when_broken=True), policy=policy(DLQ, sooner))
    assert fired(journal) == [("success falls", False, False), ("new row", False, False)]
    first = next(e for e in journal if isinstance(e, AlertFired))
    assert outcome.ttd_s == first.t - (outcome.injected_s or 0.0)
    assert 0 < (outcome.ttd_s or 0.0) < 1.5
    assert outcome.recovered_s is not None
    assert outcome.ttr_s == outcome.recovered_s - first.t > 0
    assert (claimed(journal).ttd_s, claimed(journal).ttr_s) == (outcome.ttd_s, outcome.ttr_s)


async def test_without_an_alert_there_is_neither_detection_nor_repair_time() -> None:
    for rules in (policy(DLQ), policy(), None):
        outcome, journal = await play(World(), policy=rules)
        assert fired(journal) == []
        assert (claimed(journal).ttd_s, claimed(journal).ttr_s) == (None, None)
        assert outcome.response_to_recovery_s is not None


async def test_an_alert_after_the_response_began_is_late_and_gives_neither() -> None:
    # The hold ends 2.2 s after the injection, and the recovery is held a second.
    _, journal = await play(World(rows=row_after(2.6)), policy=policy(DLQ))
    assert fired(journal) == [("new row", True, False)]
    assert (claimed(journal).ttd_s, claimed(journal).ttr_s) == (None, None)


async def test_where_nobody_responds_no_alert_is_late() -> None:
    outcome, journal = await play(World(rows=row_after(4.0)), arm=UNTREATED, policy=policy(DLQ))
    assert fired(journal) == [("new row", False, False)]
    assert outcome.ttd_s == pytest.approx(4.0, abs=0.5)
    assert outcome.ttr_s is None


async def test_an_alert_that_was_noise_detects_what_comes_after_the_injection_when_it_was_quiet_between() -> None:
    def rows(since_s: float) -> float:
        return float(since_s > -999.0) + float(since_s > 1.0) + float(since_s > 1.6)

    outcome, journal = await play(World(rows=rows), policy=policy(DLQ))
    assert fired(journal) == [("new row", False, True), ("new row", False, False)]
    assert outcome.ttd_s == pytest.approx(1.0, abs=0.5)
    assert claimed(journal).ttd_s == outcome.ttd_s


async def test_an_alert_that_fires_on_from_before_the_injection_detects_nothing() -> None:
    over = OverFor("rows lasting", "rows", 0.5, 0.8, kind="office")
    _, journal = await play(World(rows=lambda _since_s: 1.0), policy=policy(over))
    assert fired(journal) == [("rows lasting", False, True)]
    assert claimed(journal).ttd_s is None


def test_an_alert_is_told_once_as_noise_and_once_after_it_and_what_is_unknown_is_not_quiet() -> None:
    over = OverFor("rows over", "rows", 0.5, 0.5, kind="office")

    def told(*rows: float | None, injected_at: int) -> list[tuple[float, bool]]:
        taken = [Sample(i * 0.25, {"rows": value}) for i, value in enumerate(rows)]
        of = SamplesTaken(9.0, "X", {}, 0.0, injected_at * 0.25, None, None)
        return [(e.t, e.noise) for e in fired_again(policy(over), taken, of)]

    noise, quiet, unknown = (1, 1, 1), (0,), (None,)
    assert told(*noise, *quiet, *noise, *quiet, *noise, *quiet, *noise, injected_at=8) == [(0.5, True), (2.5, False)]
    assert told(*noise, *unknown, *noise, injected_at=3) == [(0.5, True)]
    assert told(*noise, *noise, injected_at=3) == [(0.5, True)]


async def test_not_recovered_has_a_detection_and_no_repair_time() -> None:
    outcome, _ = await play(World(rows=row_after(1.0), response_works=False), policy=policy(DLQ))
    assert outcome.ttd_s is not None
    assert outcome.ttr_s is None


def replayed(journal: list[Event], rules: SloPolicy) -> tuple[list[AlertFired], SamplesTaken]:
    """What fires on the samples of a journal that was written to disk and read back."""
    read = list(read_lines(to_line(e) for e in journal))
    taken = next(e for e in read if isinstance(e, SamplesTaken))
    return fired_again(rules, unpacked(taken.samples), taken), taken


FALLS = RatioBelow("success falls", "good", "all", 0.95, window_s=1.0, minimum=5, kind="page")
OVER = OverFor("rows lasting", "rows", 0.5, 0.8, kind="office")
MISSED = ObjectiveMissed("missed", SUCCESS, 1.5, kind="office")


@pytest.mark.parametrize(
    ("world", "arm"),
    [
        (World(rows=row_after(1.5), refuses_when_broken=True), TIMELINE),
        (World(rows=row_after(2.6)), TIMELINE),
        (World(rows=row_after(4.0)), UNTREATED),
        (World(rows=lambda since_s: float(since_s > -999.0) + float(since_s > 1.0)), TIMELINE),
        (World(rows=lambda since_s: None if since_s > 0.5 else 0.123456789, silent_from_s=-FRESH_S), TIMELINE),
        (World(), CONTROL),
    ],
)
async def test_alerts_and_their_times_follow_again_from_what_is_in_the_journal(world: World, arm: Arm) -> None:
    rules = policy(DLQ, FALLS, OVER, MISSED)
    outcome, journal = await play(world, arm=arm, policy=rules)
    found, taken = replayed(journal, rules)
    assert found == [e for e in journal if isinstance(e, AlertFired)]
    assert times(found, taken.injected_s, taken.recovered_s) == (outcome.ttd_s, outcome.ttr_s)
    samples = unpacked(taken.samples)
    again = {
        (m.sli.name, stretch): (m.value, m.verdict)
        for stretch, *ends in stretches(taken.steady_s, taken.injected_s, taken.responded_s, samples[-1].at_s)
        for m in rules.measure(samples, *ends)
    }
    assert again == {key: (e.value, e.verdict) for key, e in measures(journal).items()}


async def test_another_threshold_fires_otherwise_on_the_same_samples() -> None:
    _, journal = await play(World(rows=row_after(1.5), refuses_when_broken=True), policy=policy(DLQ, FALLS))
    found, taken = replayed(journal, policy(DLQ, replace(FALLS, threshold=0.0)))
    assert [e.name for e in found] == ["new row"]
    assert times(found, taken.injected_s, None)[0] == pytest.approx(1.5, abs=0.5)


def test_samples_are_the_same_when_they_are_read_back_and_what_stands_still_is_written_once() -> None:
    taken = [
        Sample(0.1, {"a": None, "b": 5}, {"took": None}),
        Sample(0.5, {"a": 0, "b": 5}, {"took": {}}),
        Sample(0.9, {"a": 0.25, "b": 5}, {"took": {0.1: 3, inf: 4}}),
        Sample(1.3, {"a": None, "b": 5}, {"took": {0.1: 3, 0.5: 4, inf: 4}}),
    ]
    data = packed(taken)
    assert unpacked(json.loads(json.dumps(data, allow_nan=False))) == taken
    assert data["values"]["b"] == [[0, 5]]
    unknown = packed([Sample(0.1, {"a": nan}), Sample(0.2, {})])
    assert [s.values for s in unpacked(unknown)] == [{"a": None}, {"a": None}]
    assert rounded(0.123456789) == 0.123457
    for broken in ({}, {"at_s": [1], "values": {"a": [[0]]}, "delays": {}}, {"at_s": "x", "values": {}, "delays": {}}):
        with pytest.raises(ValueError, match=r"\w"):
            unpacked(broken)


async def test_each_stretch_has_what_it_came_to_and_what_it_spent() -> None:
    _, journal = await play(World(rows=row_after(0.5), refuses_when_broken=True), policy=policy())
    found = measures(journal)
    assert {stretch for _, stretch in found} == {"steady", "untreated", "treated"}
    steady, untreated = found["front.success", "steady"], found["front.success", "untreated"]
    assert (steady.value, steady.verdict, steady.budget_minutes) == (1.0, "held", 0.0)
    assert untreated.verdict == "broken"
    assert untreated.good is not None
    assert untreated.total is not None
    assert untreated.budget_minutes == pytest.approx(
        (untreated.total - untreated.good) / untreated.total * (untreated.until_s - untreated.since_s) / 60, rel=0.2
    )
    assert [found["front.rows", s].verdict for s in ("steady", "untreated")] == ["held", "broken"]
    assert found["front.rows", "untreated"].budget_minutes is None


@pytest.mark.parametrize(
    ("arm", "stretches"),
    [(CONTROL, {"steady"}), (UNTREATED, {"steady", "untreated"}), (PLACEBO, {"steady", "untreated"})],
)
async def test_an_arm_has_the_stretches_it_goes_through(arm: object, stretches: set[str]) -> None:
    _, journal = await play(World(), arm=arm, policy=policy())  # type: ignore[arg-type]
    assert {stretch for _, stretch in measures(journal)} == stretches


async def test_what_cannot_be_read_is_unknown_and_fires_nothing() -> None:
    world = World(rows=lambda since_s: None if since_s > 0.5 else 0.0, silent_from_s=-FRESH_S)
    _, journal = await play(world, policy=policy(DLQ))
    found = measures(journal)
    assert fired(journal) == []
    assert [found["front.rows", s].verdict for s in ("steady", "untreated")] == ["held", "unknown"]
    # The old figure of a service that is not scraped any more would look quiet.
    assert found["front.shown", "untreated"].verdict == "unknown"
    assert found["front.shown", "untreated"].total is None
    shown = measures((await play(World(), policy=policy()))[1])["front.shown", "untreated"]
    assert shown.verdict == "held"


async def test_one_scrape_has_all_that_is_wanted_and_services_of_alerts_alone_are_scraped_less_often() -> None:
    async def read(_observer: object) -> float | None:
        return None

    equipment = FakeEquipment(World())
    probe = Probe("a.x", "", read, (("a", "x_total"),))
    watch = Watch(equipment, [probe], lambda _: None, "x", also={"a": frozenset({"y"}), "b": frozenset({"z"})})  # type: ignore[arg-type]
    await watch.begin()
    await equipment.clock.sleep_until(3.9)
    await watch.end()
    of = {name: [w[name] for _, w in equipment.scrapes if name in w] for name in ("a", "b")}
    assert set(of["a"]) == {frozenset({"x_total", "y"})}
    assert (len(of["a"]), len(of["b"])) == (8, 4)


def samples(*rows: tuple[float | None, float | None]) -> list[Sample]:
    return [Sample(float(i), {"good": good, "all": total, "rows": good}) for i, (good, total) in enumerate(rows)]


def test_a_stretch_is_measured_over_a_restart_and_not_over_a_gap() -> None:
    whole = measured(SUCCESS, samples((0, 0), (9, 10), (2, 4), (3, 5)))
    assert (whole.good, whole.total, whole.value) == (12, 15, 0.8)
    for gap in (samples((0, 0), (None, 10), (20, 20)), samples((0, 0)), samples()):
        assert measured(SUCCESS, gap).verdict == Verdict.UNKNOWN.value
    nothing = measured(SUCCESS, samples((5, 5), (5, 5)))
    assert (nothing.value, nothing.verdict, nothing.good, nothing.total) == (None, "unknown", 0, 0)


def test_gauges_are_judged_by_their_highest_or_their_p95() -> None:
    assert measured(ROWS, samples((0, 0), (3, 0), (1, 0))).value == 3
    assert measured(ROWS, samples((0, 0), (None, 0))).value is None
    age = replace(ROWS, kind="p95_s", objective=10, figure=P95OfSamples("rows"))
    assert measured(age, samples(*[(1, 0)] * 19, (50, 0))).value == 1
    assert measured(age, samples((1, 0), (None, 0))).verdict == "unknown"


def test_delays_are_those_of_the_stretch_alone_and_for_reference_when_clocks_disagree() -> None:
    delay = Sli("x.delay", "", 1.0, "p95_s", "s", P95("took", skewed="skew"))

    def took(*counts: tuple[int, int] | None, skew: float = 0) -> list[Sample]:
        return [
            Sample(i, {"skew": skew * i}, {"took": None if c is None else {1.0: c[0], 2.0: c[1], inf: c[1]}})
            for i, c in enumerate(counts)
        ]

    assert measured(delay, took((0, 90), (100, 190))).verdict == "held"
    assert measured(delay, took((100, 100), (100, 110))).value == pytest.approx(1.95)
    assert measured(delay, took((100, 100), (100, 110))).verdict == "broken"
    for unknown in (took((0, 0), None, (9, 9)), took((5, 5), (5, 5)), took((5, 5))):
        assert (measured(delay, unknown).value, measured(delay, unknown).verdict) == (None, "unknown")
    skewed = measured(delay, took((0, 0), (9, 9), skew=1))
    assert skewed.value is not None
    assert skewed.verdict == "unknown"


def test_an_objective_is_missed_over_a_full_window_alone() -> None:
    rule = ObjectiveMissed("missed", SUCCESS, 3.0, kind="office")
    found = samples((0, 0), (10, 10), (20, 20), (30, 30), (39, 40))
    assert [fires_at(rule, found, i) for i in range(5)] == [None, None, None, False, True]
    assert fires_at(rule, samples((0, 0), (10, 10), (None, 20), (30, 30)), -1) is None


def test_a_stretch_reaches_from_the_sample_nearest_to_its_beginning_to_that_nearest_to_its_end() -> None:
    found = samples(*[(n, n) for n in range(10)])
    assert [s.at_s for s in between(found, 2.4, 4.6)] == [2, 3, 4, 5]
    assert between([], 0, 1) == ()
