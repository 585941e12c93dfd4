"""Reading metrics: increases over restarts, quantiles of buckets, values that the service itself does not know."""

from pathlib import Path
from typing import Any

import pytest

from harness.drivers.clock import VirtualClock
from harness.drivers.metrics import Metrics, parse
from harness.model.slis import quantile
from harness.model.values import Reply


class Answers:
    """Plays the services' expositions in their order."""

    def __init__(self, *texts: str | None) -> None:
        self.texts = list(texts)

    async def ask(self, service: str, path: str, *, instance: int = 0, **_: Any) -> Reply:
        text = self.texts.pop(0)
        return Reply(200 if text is not None else None, (text or "").encode(), {}, None, 0.0)


class OneInstance:
    def addresses(self, service: str) -> list[Path]:
        return [Path()]


async def metrics_of(*texts: str | None, every_s: float = 0.5) -> Metrics:
    clock = VirtualClock()
    made = Metrics(OneInstance(), Answers(*texts), clock)  # type: ignore[arg-type]
    for _ in texts:
        await made.scrape({"s": frozenset({"a_total", "h_seconds"})})
        await clock.sleep(every_s)
    return made


def counter(value: float, code: str = "x") -> str:
    return f'a_total{{code="{code}"}} {value}\n'


async def test_increase_adds_up_over_a_restart() -> None:
    made = await metrics_of(counter(10), counter(14), counter(1), counter(3))
    assert made.increase("s", "a_total", 10) == 4 + 1 + 2


async def test_a_restart_shows_in_one_counter_and_counts_for_all() -> None:
    # z has overtaken itself between two scrapes, y tells of it: z rose by 7, not by 2.
    made = await metrics_of(counter(9, "y") + counter(5, "z"), counter(1, "y") + counter(7, "z"), counter(1, "y"))
    assert made.increase("s", "a_total", 10, {"code": "z"}) == 7
    assert [made.counter("s", "a_total", {"code": c}) for c in ("y", "z", "none")] == [9 + 1 + 1, 5 + 7, 0]


async def test_counters_and_buckets_go_on_over_a_restart() -> None:
    made = await metrics_of(histogram(3, 1, 0), histogram(1, 0, 0))
    assert made.buckets("s", "h_seconds") == {0.1: 4, 0.5: 5, float("inf"): 5}
    assert made.buckets("nobody", "h_seconds") is None
    assert made.counter("nobody", "a_total") is None
    assert made.scraped_s("s") == 0.5
    assert (await metrics_of(counter(1), None)).scraped_s("s") == 0.0
    assert (await metrics_of(None)).scraped_s("s") is None


async def test_increase_needs_two_scrapes_and_a_fresh_one() -> None:
    assert (await metrics_of(counter(1))).increase("s", "a_total", 10) is None
    silent = await metrics_of(counter(1), counter(5), None, None, None, None, None)
    assert silent.increase("s", "a_total", 1.0) is None
    assert silent.increase("s", "a_total", 60) == 4


async def test_labels_choose_one_or_several_series() -> None:
    two = [counter(n) + counter(2 * n, "y") + counter(5 * n, "z") for n in (1, 2)]
    made = await metrics_of(*two)
    assert made.increase("s", "a_total", 10, {"code": "y"}) == 2
    assert made.increase("s", "a_total", 10, {"code": ("x", "z")}) == 6
    assert made.value("s", "a_total") == 2 + 4 + 10
    assert made.value("s", "a_total", {"code": "w"}) is None
    assert made.value("nobody", "a_total") is None


async def test_a_series_that_appears_later_counts_from_zero() -> None:
    made = await metrics_of(counter(1), counter(1) + counter(3, "y"))
    assert made.increase("s", "a_total", 10, {"code": "y"}) == 3


async def test_a_figure_that_the_service_does_not_know_is_missing() -> None:
    made = await metrics_of("a_total NaN\n")
    assert made.value("s", "a_total") is None


def histogram(low: int, high: int, more: int) -> str:
    return (
        f'h_seconds_bucket{{le="0.1"}} {low}\nh_seconds_bucket{{le="0.5"}} {low + high}\n'
        f'h_seconds_bucket{{le="+Inf"}} {low + high + more}\n'
    )


async def test_quantiles_are_of_the_increase_alone() -> None:
    made = await metrics_of(histogram(100, 0, 0), histogram(100, 10, 0))
    assert made.quantile_s("s", "h_seconds", 0.5, 10) == pytest.approx(0.3)
    assert (await metrics_of(histogram(1, 1, 1), histogram(1, 1, 1))).quantile_s("s", "h_seconds", 0.5, 10) is None


def test_quantiles_interpolate_and_end_at_the_last_finite_bound() -> None:
    assert quantile([(1.0, 10), (2.0, 20), (float("inf"), 20)], 0.5) == 1.0
    assert quantile([(1.0, 10), (2.0, 20), (float("inf"), 20)], 0.75) == 1.5
    assert quantile([(1.0, 0), (float("inf"), 4)], 0.95) == 1.0
    assert quantile([], 0.5) is None
    assert quantile([(1.0, 0), (float("inf"), 0)], 0.5) is None


def test_only_the_wanted_samples_are_kept() -> None:
    found = parse("# HELP a_total x\n# TYPE a_total counter\na_total 1\nb_total 2\n", ["a_total"])
    assert found == {("a_total", frozenset()): 1.0}


def test_an_exposition_is_read_as_it_is_written() -> None:
    text = 'a_total{code="x y} z",other="\\"q\\""} 1.5e3 1700000000\na_total 2\n\nh_seconds_bucket{le="+Inf"} 7\n'
    assert parse(text, ["a_total", "h_seconds"]) == {
        ("a_total", frozenset({("code", "x y} z"), ("other", '"q"')})): 1500.0,
        ("a_total", frozenset()): 2.0,
        ("h_seconds_bucket", frozenset({("le", "+Inf")})): 7.0,
    }


@pytest.mark.parametrize(
    "text", ['a_total{code="x', "a_total", "a_total x", 'a_total{code="x"}', "<html>no metrics</html>"]
)
def test_what_is_cut_off_or_no_exposition_is_no_sample(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse(text, ["a_total"])
