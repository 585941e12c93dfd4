"""Indicators, error budgets and alerts are worked out by hand here; missing data is never good."""

from collections.abc import Sequence
from functools import partial
from itertools import accumulate
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.alerts import Alert, AnyNew, CountRising, Growing, OverFor, RatioBelow, ShareAbove
from harness.model.criteria import Verdict
from harness.model.slis import P95, Highest, Ratio, Sample, Sli, SliKind
from harness.slo.alerts import at as fires_at
from harness.slo.alerts import first_firing
from harness.slo.budget import Spent, budget_minutes, spent
from harness.slo.sli import Window, judge, objective_met, p95, ratio, together

SUCCESS = Sli("x.success", "calls that succeed", 0.999, "ratio", "share", Ratio("good", "all"))
DELAY = Sli("x.p95", "server time", 0.4, "p95_s", "s", P95("delay"))
FAILED = Sli("x.failed", "rows given up", 0, "count", "rows", Highest("rows"))
HELD, BROKEN, UNKNOWN = Verdict.HELD, Verdict.BROKEN, Verdict.UNKNOWN

BELOW = RatioBelow("api", "good", "all", 0.95, window_s=20, minimum=20, kind="page")
ABOVE = ShareAbove("login errors", "errors", "all", 0.05, window_s=20, minimum=10, kind="office")
RISING = CountRising("bad gateway", "bad", at_least=5, times_before=3, window_s=20, kind="page")
DLQ = AnyNew("dlq", "rows", kind="page")
BACKLOG = Growing("backlog", "rows", evaluations=3, every_s=20, at_least=10, kind="page")
LASTING = OverFor("outbox age", "age", threshold=10, for_s=30, kind="office")


def at(**columns: Sequence[float | None]) -> list[Sample]:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [Sample(i * 10.0, row) for i, row in enumerate(rows)]


def fired(alert: Alert, samples: list[Sample]) -> list[bool | None]:
    return [fires_at(alert, samples, i) for i in range(len(samples))]


def test_a_ratio_is_good_of_all_and_windows_come_together_when_every_one_is_known() -> None:
    assert [ratio(Window(*w)) for w in ((999, 1000), (0, 5), (5, 5))] == [0.999, 0, 1]
    unknown = [(0, 0), (None, 5), (5, None), (None, None), (nan, 5), (5, nan), (5, inf), (6, 5), (-1, 5)]
    assert [ratio(Window(*w)) for w in unknown] == [None] * len(unknown)
    assert together([Window(9, 10), Window(0, 0), Window(5, 10)]) == Window(14, 20)
    assert together([Window(9, 10), Window(None, 10)]) == together([]) == Window(None, None)


def test_an_objective_is_met_at_exactly_itself() -> None:
    assert objective_met(ratio(Window(999, 1000)), 0.999) is True
    assert objective_met(ratio(Window(9995, 10000)), 0.9995) is True
    assert objective_met(ratio(Window(998, 1000)), 0.999) is False
    assert [objective_met(r, 0.999) for r in (None, nan, 99.9, -0.1)] == [None] * 4  # 99.9 is a percentage, no share


def test_a_value_is_judged_by_its_kind_and_a_missing_one_is_unknown() -> None:
    assert [judge(SUCCESS, v) for v in (0.999, 0.9989, 1.2, None, nan)] == [HELD, BROKEN, UNKNOWN, UNKNOWN, UNKNOWN]
    assert [judge(DELAY, v) for v in (0.399, 0.4, inf, None, nan)] == [HELD, BROKEN, BROKEN, UNKNOWN, UNKNOWN]
    assert [judge(FAILED, v) for v in (0, 1, None, nan)] == [HELD, BROKEN, UNKNOWN, UNKNOWN]
    assert [judge(s, -0.1) for s in (SUCCESS, DELAY, FAILED)] == [UNKNOWN] * 3  # as skewed clocks give


@pytest.mark.parametrize(("objective", "kind"), [(99.9, "ratio"), (0, "ratio"), (-1, "p95_s"), (nan, "count")])
def test_an_objective_that_is_none_is_refused(objective: float, kind: SliKind) -> None:
    with pytest.raises(ValueError, match=r"^x\.y: "):
        Sli("x.y", "", objective, kind, "", Highest("x"))


def test_p95_is_the_nearest_rank() -> None:
    # 0.95 x 19 = 18.05 is rank 19; 0.95 x 20 = 19 is rank 19; 0.95 x 21 = 19.95 is rank 20.
    assert [p95(range(1, n + 1)) for n in (1, 19, 20, 21)] == [1, 19, 19, 20]
    assert all(100 * rank >= 95 * n > 100 * (rank - 1) for n in range(1, 500) if (rank := p95(range(1, n + 1)) or 0))
    assert p95(range(100, 0, -1)) == 95
    assert [p95([0.1] * 95 + [inf] * 5), p95([0.1] * 94 + [inf] * 6)] == [0.1, inf]
    assert [p95([]), p95([0.1, None, 0.1]), p95([0.1, nan, 0.1])] == [None] * 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.data())
def test_withholding_a_delay_never_makes_it_good(delays: list[float], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(delays) - 1))
    fewer = [None if i == gone else d for i, d in enumerate(delays)]
    assert judge(DELAY, p95(fewer)) is not HELD or judge(DELAY, p95(delays)) is HELD


events = st.integers(0, 2000).flatmap(lambda total: st.builds(Window, st.integers(0, total), st.just(total)))


@given(st.lists(events, min_size=1, max_size=10), st.data(), st.booleans())
def test_withholding_a_count_never_makes_it_good(windows: list[Window], data: st.DataObject, good: bool) -> None:
    gone = data.draw(st.integers(0, len(windows) - 1))
    fewer = list(windows)
    fewer[gone] = Window(None, windows[gone].total) if good else Window(windows[gone].good, None)
    assert judge(SUCCESS, ratio(together(fewer))) is not HELD or judge(SUCCESS, ratio(together(windows))) is HELD
    assert spent([(1.0, w) for w in fewer], 0.999) is None


def test_the_budgets_of_28_days_are_exact() -> None:
    assert [budget_minutes(0.999), budget_minutes(0.9995), budget_minutes(0)] == [40.32, 20.16, 28 * 24 * 60]
    assert budget_minutes(0.999, window_days=30) == 43.2


@pytest.mark.parametrize(("objective", "days"), [(1, 28), (99.9, 28), (-0.1, 28), (nan, 28), (0.9, 0), (0.9, inf)])
def test_there_is_no_budget_without_room_or_time(objective: float, days: float) -> None:
    for ask in (budget_minutes, partial(spent, [(60.0, Window(1, 1))])):
        with pytest.raises(ValueError, match=r"leaves a budget|days is none"):
            ask(objective, days)


def test_what_was_spent_is_worked_out_by_hand() -> None:
    # 2000 events in 600 s are 8,064,000 in 28 days, of which 8064 may be bad; 504 were, a sixteenth. All of them bad
    # for 504/2000 of 10 min are 2.52 min, a sixteenth of 40.32 min. 25.2 % bad is 252 times 0.1 %.
    windows = [(300.0, Window(996, 1000)), (300.0, Window(500, 1000))]
    assert spent(windows, 0.999) == Spent(504, 2.52, ratio_of_budget=0.0625, burn_rate=252)
    assert spent([(60.0, Window(100, 100))], 0.999) == Spent(0, 0, 0, 0)


def test_a_whole_window_at_a_burn_rate_of_one_spends_exactly_the_budget() -> None:
    assert spent([(28 * 86400.0, Window(9990, 10000))], 0.999) == Spent(10, 40.32, 1, 1)
    assert spent([(28 * 86400.0, Window(9980, 10000))], 0.999) == Spent(20, 80.64, 2, 2)
    assert spent([(7 * 86400.0, Window(9990, 10000))], 0.999, window_days=7) == Spent(10, 10.08, 1, 1)


def test_quiet_time_counts_as_observed() -> None:
    # The same 10 of 100 bad: twice the time halves the rate, and so what the window may be expected to hold.
    assert spent([(60.0, Window(90, 100))], 0.99) == Spent(10, 0.1, 10 / 40320, 10)
    assert spent([(60.0, Window(90, 100)), (60.0, Window(0, 0))], 0.99) == Spent(10, 0.2, 20 / 40320, 10)


def test_what_was_spent_is_unknown_when_any_data_is_missing() -> None:
    for windows in ([], [Window(0, 0)], [Window(9, 10), Window(None, 10)], [Window(9, 10), Window(11, 10)]):
        assert spent([(60.0, w) for w in windows], 0.999) is None
    for seconds in (0.0, -1.0, inf, nan):
        with pytest.raises(ValueError, match="a stretch of"):
            spent([(seconds, Window(1, 1))], 0.999)


def test_a_falling_ratio_fires_below_its_threshold_over_the_window() -> None:
    # Rises over 20 s: 40 of 40, 38 of 40 = 0.95 (not below), 37 of 40 = 0.925.
    samples = at(good=[100, 120, 140, 158, 177], all=[100, 120, 140, 160, 180])
    assert fired(BELOW, samples) == [None, None, False, False, True]
    assert fires_at(BELOW, samples, -1) is True


def test_a_share_fires_above_its_threshold() -> None:
    # 1 of 20 is 5 %, not above it.
    assert fired(ABOVE, at(errors=[0, 0, 1, 2], all=[0, 10, 20, 30])) == [None, None, False, True]
    assert fired(ABOVE, at(errors=[0, 0, 2], all=[0, None, 10]))[-1] is None


def test_too_few_events_are_quiet_only_when_the_data_is_complete() -> None:
    assert [fired(BELOW, at(good=[0, 0, 0], all=[0, 9, n]))[-1] for n in (19, 20)] == [False, True]
    assert [fired(ABOVE, at(errors=[0, 0, 2], all=[0, 5, n]))[-1] for n in (9, 10)] == [False, True]
    assert fired(BELOW, at(good=[0, None, 0], all=[0, 9, 19]))[-1] is None
    for rule in (RatioBelow, ShareAbove):  # of nothing there is no share, if no minimum is asked
        assert fired(rule("x", "a", "b", 0.5, 20, 0, kind="page"), at(a=[7, 7, 7], b=[9, 9, 9]))[-1] is None


def test_a_missing_sample_is_unknown_for_as_long_as_the_window_holds_it() -> None:
    samples = at(good=[0, 0, None, 0, 0, 0], all=[0, 20, 40, 60, 80, 100])
    assert fired(BELOW, samples) == [None, None, None, None, None, True]
    assert fired(BELOW, [Sample(s.at_s, {"good": 0}) for s in samples]) == [None] * 6
    assert [fired(BELOW, at(good=[0, 0, 0], all=[0, v, 40]))[-1] for v in (20, nan, inf)] == [True, None, None]


def test_a_restart_begins_from_zero_for_both_counters_of_a_rule() -> None:
    # 100 -> 10 is a rise of 10: 20 + 10 in all, of which 20 + 8 good, below 0.95; or 20 + 10.
    assert [fired(BELOW, at(good=[80, 100, n], all=[80, 100, 10]))[-1] for n in (8, 10)] == [True, False]
    # `good` did not fall, yet it was restarted with `all`: 10 + 40 of 20 + 40, not 10 + 0.
    rule = RatioBelow("x", "good", "all", 0.8, window_s=20, minimum=20, kind="page")
    assert fired(rule, at(good=[30, 40, 40], all=[80, 100, 40]))[-1] is False


def test_a_window_is_full_from_a_sample_at_or_before_its_beginning() -> None:
    def last(*at_s: float) -> bool | None:
        return fired(BELOW, [Sample(t, {"good": 0, "all": 10 * t}) for t in at_s])[-1]

    assert [last(0, 10, 19), last(0, 10, 20), last(0, 10, 19, 28)] == [None, True, True]
    # Samples further apart than half the window are missing ones.
    assert last(0, 11, 20) is None
    # 0.1 s ten times over is less than 1 s; it is full all the same.
    brief = OverFor("x", "age", 10, for_s=1, kind="office")
    assert fired(brief, [Sample(t, {"age": 11}) for t in accumulate([0.1] * 10, initial=0.0)]) == [None] * 10 + [True]


def test_a_count_rises_when_it_is_many_and_many_times_the_window_before() -> None:
    def last(*bad: float | None) -> bool | None:
        return fired(RISING, at(bad=bad))[-1]

    assert [last(0, 0, 0, 2, 5), last(0, 0, 0, 2, 4)] == [True, False]  # 5 after none; 4 are too few
    assert [last(0, 1, 2, 4, 8), last(0, 1, 2, 4, 7)] == [True, False]  # 6 = 3 x 2; 5 < 3 x 2
    assert [last(7, 7, 7, 3, 5), last(7, 2, 2, 4, 7)] == [True, False]  # restarted: 3 + 2; in the window before: 2
    assert [last(0, 0, 2, 9), last(None, 0, 0, 2, 5), last(0, 0, 0, None, 5)] == [None] * 3


def test_any_new_row_fires_once_also_when_it_came_unread() -> None:
    assert fired(DLQ, at(rows=[2, 2, 3, 3, 1, 2])) == [None, False, True, False, False, True]
    assert fired(DLQ, at(rows=[None, 0, None, None, 1, 1])) == [None, None, None, None, True, False]
    assert fired(DLQ, at(rows=[0, None, 0, 0])) == [None, None, None, False]


def test_a_backlog_grows_at_each_evaluation() -> None:
    def last(*rows: float | None) -> bool | None:
        return fired(BACKLOG, at(rows=rows))[-1]

    # Every other sample is an evaluation; in between it does not matter.
    assert [last(1, 0, 4, 0, 7, 0, 10), last(1, None, 4, 0, 7, 0, 10)] == [True, True]
    assert [last(1, 0, 4, 0, 7, 0, 9), last(1, 0, 7, 0, 7, 0, 10), last(8, 0, 4, 0, 7, 0, 10)] == [False] * 3
    assert [last(4, 0, 7, 0, 10), last(1, 0, None, 0, 7, 0, 10)] == [None, None]
    # At 20 s the latest sample is half an evaluation old, or older.
    for at_s, value in ((10, True), (9, None)):
        assert fired(BACKLOG, [Sample(t, {"rows": 10 + t}) for t in (0, at_s, 30, 60)])[-1] is value


def test_a_gauge_is_over_for_the_whole_stretch() -> None:
    assert fired(LASTING, at(age=[11, 10, 11, 11, 11, 11])) == [None, None, None, False, False, True]  # 10 is not over
    assert fired(LASTING, at(age=[11, None, 11, 11, 11])) == fired(LASTING, at(age=[11, nan, 11, 11, 11])) == [None] * 5
    assert fired(LASTING, at(age=[inf] * 4))[-1] is True


def test_the_first_firing_is_the_first_sample_known_to_fire() -> None:
    samples = at(rows=[0, 1, 1, 2, None, 3])
    assert [first_firing(DLQ, samples, s) for s in (0, 10, 10.5, 30.5, 50.5)] == [10, 10, 30, 50, None]
    assert first_firing(LASTING, at(age=[11] * 6), 31) == 40  # the window may begin before


def test_a_rule_or_an_index_that_cannot_be_is_refused() -> None:
    for rule, *asked in (
        *((rule, "a", "b", *t, 20) for rule in (RatioBelow, ShareAbove) for t in ((95, 300), (0.95, 0))),
        *((CountRising, "a", 5, 3, 0), (Growing, "a", 0, 60, 10), (Growing, "a", 5, 0, 10), (OverFor, "a", 10, 0)),
    ):
        with pytest.raises(ValueError, match=r"^x: "):
            rule("x", *asked, kind="page")
    for alert in (BELOW, ABOVE, RISING, DLQ, BACKLOG, LASTING):
        with pytest.raises(IndexError):
            fires_at(alert, [], 0)


columns = st.tuples(*[st.tuples(st.integers(0, 60), st.integers(0, 60))] * 10)


@given(st.sampled_from([BELOW, ABOVE, RISING, BACKLOG, LASTING, DLQ]), columns, st.integers(0, 9), st.booleans())
def test_withholding_a_value_never_makes_an_alert_quiet(
    alert: Alert, rows: Sequence[tuple[int, int]], gone: int, whole: bool
) -> None:
    full = [{"all": w, "good": p, "errors": p, "bad": p, "rows": p, "age": p} for w, p in rows]
    samples = [Sample(i * 10.0, v) for i, v in enumerate(full)]
    fewer = list(samples)
    fewer[gone] = Sample(gone * 10.0, {k: v for k, v in full[gone].items() if (k == "all") is not whole})
    for before, after in zip(fired(alert, samples), fired(alert, fewer), strict=True):
        # Any new row may be seen at the next reading instead; the others stay as they were or become unknown.
        assert after in (before, None) or (alert is DLQ and after is True)
