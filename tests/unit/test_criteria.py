"""Criteria are judged on recorded sweeps alone."""

from hypothesis import given
from hypothesis import strategies as st

from harness.model.criteria import Verdict, always, eventually
from harness.model.probes import Probe, Sweep
from harness.model.span import retries_last, scaled, setting


async def _none(_observer: object) -> float | None:
    return None


P = Probe("x.y_rows", "rows", _none)
Q = Probe("x.z_rows", "other rows", _none)


def sweeps(*values: float | None, every_s: float = 0.5, name: str = P.name) -> list[Sweep]:
    return [Sweep(i * every_s, {name: v}) for i, v in enumerate(values)]


def judged(criterion: object, rows: list[Sweep], now_s: float | None = None) -> Verdict:
    return criterion.judge(rows, 0.0, rows[-1].at_s if now_s is None else now_s).verdict  # type: ignore[attr-defined]


def test_an_eventual_criterion_is_met_from_the_first_stretch_that_lasts() -> None:
    criterion = eventually(P.equals(0), within_s=3, hold_s=1)
    judgement = criterion.judge(sweeps(5, 0, 5, 0, 0, 0), 0.0, 2.5)
    assert (judgement.verdict, judgement.met_at_s) == (Verdict.HELD, 1.5)


def test_it_is_pending_until_the_deadline_and_broken_after() -> None:
    criterion = eventually(P.equals(0), within_s=1, hold_s=1)
    assert judged(criterion, sweeps(5, 5, 5)) is Verdict.PENDING
    assert judged(criterion, sweeps(5, 5, 5, 5, 5)) is Verdict.BROKEN


def test_a_stretch_that_begins_in_time_may_end_after_the_deadline() -> None:
    assert judged(eventually(P.equals(0), within_s=1, hold_s=1), sweeps(5, 5, 0, 0, 0)) is Verdict.HELD
    assert judged(eventually(P.equals(0), within_s=1, hold_s=1), sweeps(5, 5, 5, 0, 0, 0)) is Verdict.BROKEN


def test_missing_data_is_never_good_and_says_so() -> None:
    criterion = eventually(P.equals(0), within_s=1, hold_s=1)
    assert judged(criterion, sweeps(None, None, None, None, None)) is Verdict.UNKNOWN
    assert judged(criterion, sweeps(0, None, None, 0, 0)) is Verdict.UNKNOWN
    # Even with every missing sample good it would not have been met: that is the system's doing.
    assert judged(criterion, sweeps(5, None, 5, None, 5)) is Verdict.BROKEN


def test_a_gap_between_sweeps_leaves_a_hold_unproven() -> None:
    rows = [Sweep(0.0, {P.name: 0}), Sweep(4.0, {P.name: 0})]
    assert judged(eventually(P.equals(0), within_s=1, hold_s=2), rows) is not Verdict.HELD


def test_always_is_broken_by_one_sweep_and_unknown_when_hardly_read() -> None:
    criterion = always(P.at_least(1))
    assert judged(criterion, sweeps(1, 2, 1)) is Verdict.HELD
    assert judged(criterion, sweeps(1, 0, 1)) is Verdict.BROKEN
    assert judged(criterion, sweeps(1, None, None, None)) is Verdict.UNKNOWN
    assert judged(criterion, sweeps(1, None, 1)) is Verdict.HELD


def test_conditions_hold_together_or_not_at_all() -> None:
    criterion = eventually(P.equals(0), Q.equals(0), within_s=10)
    rows = [Sweep(0.0, {P.name: 0, Q.name: 1}), Sweep(0.5, {P.name: 1, Q.name: 0})]
    assert judged(criterion, rows) is Verdict.PENDING
    assert judged(criterion, [*rows, Sweep(1.0, {P.name: 0, Q.name: 0})]) is Verdict.HELD


def test_falls_never_rises_and_ends_lower_or_is_zero() -> None:
    falls = eventually(P.falls(window_s=1.5), within_s=0.0)

    def last(*values: float | None) -> bool | None:
        rows = sweeps(*values)
        return falls.conditions[0].at(rows, len(rows) - 1)

    assert last(5, 4, 4, 3) is True
    assert last(5, 4, 5, 3) is False
    assert last(5, 5, 5, 5) is False
    assert last(0, 0, 0, 0) is True
    assert last(5, 4, 3) is None
    assert last(5, None, 4, 3) is None


def test_grows_and_stops_growing() -> None:
    rows = sweeps(1, 2, 2, 4)
    assert P.grows(window_s=1.5, by=2).at(rows, 3) is True
    assert P.grows(window_s=1.5, by=3).at(rows, 3) is False
    assert P.stops_growing(window_s=1.5).at(rows, 3) is False
    assert P.stops_growing(window_s=1.5).at(sweeps(4, 5, 4, 4), 3) is True


def test_the_evidence_counts_what_the_sweeps_showed() -> None:
    judgement = eventually(P.equals(0), within_s=1).judge(sweeps(5, None, 0), 0.0, 1.0)
    (evidence,) = judgement.conditions
    assert (evidence.met, evidence.missed, evidence.lacked, evidence.last) == (1, 1, 1, 0)
    assert evidence.text == "x.y_rows == 0"


def test_lengths_follow_the_settings() -> None:
    criterion = eventually(P.below(scaled(10)), within_s=setting("a.wait") * 2.0 + 1.0, hold_s=setting("a.wait"))
    plain = criterion.resolve({"a.wait": 3.0, "profile.async-scale": 0.1})
    assert plain.deadline_s == 10.0
    assert str(plain.conditions[0]) == "x.y_rows < 1"


def test_retries_add_up_with_their_cap() -> None:
    settings = {"r.backoff-base": 1.0, "r.backoff-max": 4.0, "r.max-attempts": 5.0}
    assert retries_last("r", jitter=0.5).of(settings) == 0.5 * (1 + 2 + 4 + 4)


values = st.lists(st.one_of(st.none(), st.floats(0, 5)), min_size=1, max_size=40)


@given(values)
def test_a_verdict_once_held_stays_held(found: list[float | None]) -> None:
    criterion = eventually(P.below(2), within_s=3, hold_s=1)
    rows = sweeps(*found)
    held = False
    for n in range(1, len(rows) + 1):
        now = judged(criterion, rows[:n])
        assert now is Verdict.HELD or not held
        held = now is Verdict.HELD


@given(values)
def test_withholding_samples_never_turns_a_verdict_good(found: list[float | None]) -> None:
    criterion = eventually(P.below(2), within_s=3, hold_s=1)
    whole = judged(criterion, sweeps(*found), 100.0)
    for place in range(len(found)):
        less = [None if i == place else v for i, v in enumerate(found)]
        if whole is not Verdict.HELD:
            assert judged(criterion, sweeps(*less), 100.0) is not Verdict.HELD
