"""Choosing, seeding, sharding, skipping."""

from dataclasses import replace

import pytest

from harness.engine import plan
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.model.arms import CONTROL, TIMELINE
from harness.model.errors import UsageError
from harness.model.scenario import Catalogue, Scenario, Section, Variant
from harness.model.span import Settings
from harness.model.values import Ability
from tests.fakes.world import World, scenario


def _named(id_: str, section: str, *variants: str) -> Scenario:
    made = tuple(Variant(v, {"title": v}) for v in variants)
    return replace(scenario(World()), id=id_, sections=(section,), variants=made)


CATALOGUE = Catalogue(
    "c",
    {s.id: s for s in (_named("FM-A-01", "5.1"), _named("FM-B-01", "5.6", "cut", "slow"), _named("FM-C-01", "5.6"))},
    {"5.1": Section("5.1", "a", ()), "5.6": Section("5.6", "b", ())},
)


def labels(*ids: str, sections: tuple[str, ...] = (), variant: str = "") -> list[str]:
    return [s.label for s in plan.choose(CATALOGUE, ids, sections, variant)]


def test_choosing() -> None:
    assert labels() == ["FM-A-01", "FM-B-01", "FM-C-01"]
    assert labels("fm-b-01") == ["FM-B-01"]
    assert labels(sections=("5.6",)) == ["FM-B-01", "FM-C-01"]
    assert labels(variant="all") == ["FM-A-01", "FM-B-01", "FM-B-01:cut", "FM-B-01:slow", "FM-C-01"]
    assert labels(variant="cut") == ["FM-B-01:cut"]
    assert labels("FM-B-01:slow", "FM-B-01") == ["FM-B-01:slow", "FM-B-01"]


@pytest.mark.parametrize(
    ("ids", "sections", "variant", "says"),
    [
        (("FM-Z-09",), (), "", "there is no scenario FM-Z-09; there are FM-A-01"),
        ((), ("9.9",), "", "the sections are 5.1, 5.6"),
        (("FM-B-01:melt",), (), "", "has no variant melt; it has cut, slow"),
        (("FM-B-01",), (), "melt", "^FM-B-01 has no variant melt; it has cut, slow$"),
        (
            ("FM-A-01", "FM-C-01"),
            (),
            "cut",
            "^FM-A-01 has no variant cut; it has none; FM-C-01 has no variant cut; it has none$",
        ),
        ((), (), "melt", "^no scenario has a variant melt$"),
        (("FM-B-01",), ("5.1",), "", "^FM-B-01 is not of section 5.1, but of 5.6$"),
        (("FM-B-01",), ("5.1",), "cut", "^FM-B-01 is not of section 5.1, but of 5.6$"),
    ],
)
def test_what_is_not_there_is_said(ids: tuple[str, ...], sections: tuple[str, ...], variant: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        plan.choose(CATALOGUE, ids, sections, variant)


def test_scenarios_that_lack_a_variant_are_left_out_where_another_has_it() -> None:
    assert labels("FM-A-01", "FM-B-01", variant="cut") == ["FM-B-01:cut"]


def test_sections_are_listed_by_their_numbers() -> None:
    made = [_named(f"FM-S-{n}", f"5.{n}") for n in (10, 2, 1)]
    catalogue = Catalogue("c", {s.id: s for s in made}, {})
    with pytest.raises(UsageError, match=r"the sections are 5\.1, 5\.2, 5\.10$"):
        plan.choose(catalogue, sections=["9.9"])


def test_a_seed_follows_from_the_run_and_the_label_alone() -> None:
    every = plan.items(plan.choose(CATALOGUE), TIMELINE, 7)
    alone = plan.items(plan.choose(CATALOGUE, ["FM-C-01"]), TIMELINE, 7)
    assert alone[0].seed == every[2].seed
    assert len({i.seed for i in every}) == 3
    assert plan.items(plan.choose(CATALOGUE), CONTROL, 7)[0].seed != every[0].seed


def test_shards_are_a_partition() -> None:
    every = plan.items(plan.choose(CATALOGUE, variant="all"), TIMELINE, 7)
    for count in range(1, 7):
        parts = [plan.shard(every, n, count) for n in range(1, count + 1)]
        assert sorted(i.label for p in parts for i in p) == sorted(i.label for i in every)


def test_a_missing_ability_is_a_reason() -> None:
    fault = replace(scenario(World()).fault, needs=frozenset({Ability.FREEZE, Ability.CUT}))  # type: ignore[type-var]
    item = plan.items([replace(scenario(World()), fault=fault)], TIMELINE, 1)[0]
    assert plan.skipped(item, frozenset(Ability), "process") is None
    assert plan.skipped(item, frozenset({Ability.CUT}), "bare") == "the bare runtime cannot freeze"


def test_another_order_is_the_same_for_the_same_seed_and_loses_nothing() -> None:
    planned = plan.items([replace(scenario(World()), id=f"FM-X-{n:02d}") for n in range(20)], TIMELINE, 3)
    orders = [[i.label for i in plan.shuffled(planned, seed)] for seed in (1, 1, 2)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert all(sorted(order) == [i.label for i in planned] for order in orders)
    assert orders[0] != [i.label for i in planned]


def test_the_longest_begins_first_and_shared_parts_are_waited_for_last() -> None:
    topology = load_topology(None)
    catalogue = load_catalogue("scenarios", topology)

    def numbers_of(scenario: Scenario) -> Settings:
        return topology.numbers("ci", scenario.own)

    order = plan.longest_first(plan.items(list(catalogue.scenarios.values()), TIMELINE, 1), numbers_of)
    uses = [bool(i.scenario.uses) for i in order]
    assert uses == sorted(uses)
    # Its lengths follow from settings: they count like any others.
    assert order[0].label == "FM-NOTI-03"
