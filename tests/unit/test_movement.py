"""Whether a query's rows move under a fault, or only with the traffic; which samples tell nothing at all."""

import pytest

from harness.engine.queries import NO_TIME
from harness.model.events import Queried
from harness.runbook.movement import Sample, moves, taken

Rows = list[list[str | None]]


def run_of(*rows: Rows, at_s: tuple[float, ...] = (1.0, 3.0, 8.0)) -> list[Sample]:
    """A steady state of 2 s and a hold 5 s later."""
    moments = ("steady", "steady", "hold")
    return [
        Sample("r", Queried(t, "FM-X-01", "1.1/sql/1", scaled=False, rows=r, moment=m))
        for t, r, m in zip(at_s, rows, moments, strict=True)
    ]


def counts(**of: int) -> Rows:
    return [[name.upper(), str(n)] for name, n in of.items()]


def ids(*names: str) -> Rows:
    return [[name, "1"] for name in names]


@pytest.mark.parametrize(
    ("rows", "moved"),
    [
        # What stood still.
        ((counts(bad=0), counts(bad=0), counts(bad=0)), False),
        ((counts(bad=0), counts(bad=0), counts(bad=1)), True),
        (([], [], counts(failed=3)), True),
        ((counts(failed=3), counts(failed=3), []), True),
        ((counts(a=1, b=2), counts(a=1, b=2), [*reversed(counts(a=1, b=2))]), False),
        (([["7", None]], [["7", None]], [["7", "4"]]), True),
        # What grows with traffic, five a second: on as before, a little slower or faster, ten times as fast, no more.
        ((counts(sent=10), counts(sent=20), counts(sent=45)), False),
        ((counts(sent=10), counts(sent=20), counts(sent=35)), False),
        ((counts(sent=10), counts(sent=20), counts(sent=65)), False),
        ((counts(sent=10), counts(sent=20), counts(sent=270)), True),
        ((counts(sent=10), counts(sent=20), counts(sent=20)), True),
        (([], counts(sent=10), counts(sent=10)), True),
        # What falls as the traffic goes on.
        ((counts(left=90), counts(left=80), counts(left=55)), False),
        ((counts(left=90), counts(left=80), counts(left=80)), True),
        # One that waits now and then, and a hundred that wait.
        ((counts(sent=0), counts(pending=1, sent=9), counts(sent=34)), None),
        ((counts(sent=0), counts(pending=1, sent=9), counts(pending=100, sent=34)), True),
        ((counts(sent=0), counts(sent=9), counts(pending=1, sent=34)), False),
        ((counts(pending=1, sent=0), counts(pending=1, sent=9), counts(sent=34)), False),
        ((counts(sent=0), counts(sent=9), counts(failed=5, sent=34)), True),
        # Lists of ids, which are others every time; their length is a figure like any other.
        ((ids("a", "b"), ids("b", "c"), ids("d", "e")), None),
        ((ids("a", "b"), ids("b", "c"), ids(*"defghijklmnop")), True),
        # Means, which are never the same twice.
        (([["0.012"]], [["0.013"]], [["0.015"]]), False),
        (([["0.012"]], [["0.013"]], [["0.9"]]), True),
    ],
)
def test_rows_move_when_they_leave_what_traffic_alone_does_to_them(
    rows: tuple[Rows, Rows, Rows], moved: bool | None
) -> None:
    assert moves(run_of(*rows)) == [moved]


def test_without_two_samples_of_the_steady_state_nobody_knows_what_traffic_does() -> None:
    whole = run_of(counts(bad=0), counts(bad=0), counts(bad=5))
    assert moves(whole[:2]) == moves(whole[2:]) == []
    assert moves(whole[1:]) == moves(run_of([], [], counts(bad=5), at_s=(3.0, 3.0, 8.0))) == [None]
    assert moves(run_of(counts(bad=0), counts(bad=0), counts(bad=0))[1:]) == [False]


@pytest.mark.parametrize(
    "failed",
    [
        f"{NO_TIME} 2 s",
        "PostgreSQL: canceling statement due to statement timeout",
        'PostgreSQL: connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused',
        "PostgreSQL: connection timeout expired",
        "PostgreSQL: the connection is closed",
        "PostgreSQL: consuming input failed: server closed the connection unexpectedly",
        "PostgreSQL: terminating connection due to administrator command",
    ],
)
def test_a_sample_that_the_database_had_no_say_in_was_not_taken(failed: str) -> None:
    assert not taken(Queried(1.0, None, "k", scaled=False, failed=failed))


@pytest.mark.parametrize(
    "failed",
    [
        None,
        'PostgreSQL: relation "ops.connections" does not exist LINE 1: SELECT 1 FROM ops.connections',
        'PostgreSQL: column "connection_id" does not exist',
        'PostgreSQL: relation "statement timeout" does not exist',
        "PostgreSQL: permission denied for table connection",
    ],
)
def test_a_query_that_the_database_refuses_for_its_own_words_was(failed: str | None) -> None:
    assert taken(Queried(1.0, None, "k", scaled=False, failed=failed))
