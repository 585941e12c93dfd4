"""What every scenario of the catalogue has in common."""

import re

import pytest

from harness.model.scenario import Scenario
from tests.catalogue.real_run import CATALOGUE, TOPOLOGY

SCENARIOS = list(CATALOGUE.scenarios.values())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
def test_a_scenario_is_complete(scenario: Scenario) -> None:
    assert re.fullmatch(r"FM-[A-Z]+(-[A-Z]+)?-\d\d", scenario.id)
    assert scenario.module.rsplit("/", 1)[1].startswith(scenario.id.lower().replace("-", "_"))
    assert len(scenario.summary.splitlines()) >= 3
    assert scenario.title == scenario.title.strip()
    assert len(scenario.title) <= 60
    assert scenario.response
    assert scenario.unaffected is not None
    assert scenario.limits
    for step in scenario.response:
        assert step.title[0].isupper()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
def test_its_probes_are_named_by_part_and_unit(scenario: Scenario) -> None:
    for probe in scenario.probes:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", probe.name), probe.name
        for service, _ in probe.metrics:
            assert service in TOPOLOGY.services


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
@pytest.mark.parametrize("profile", list(TOPOLOGY.profiles))
def test_its_lengths_are_those_of_a_scenario(scenario: Scenario, profile: str) -> None:
    plain = scenario.resolve(TOPOLOGY.numbers(profile, scenario.own))
    # Retention runs every hour in the realistic profile, and its scenario waits for two rounds.
    bound_s = 45 if profile == "ci" else 3 * 3600
    assert 0 < plain.symptom.deadline_s <= bound_s
    assert 0 < plain.recovery.deadline_s <= bound_s
    assert 0 < float(plain.hold_s) <= bound_s  # type: ignore[arg-type]
    assert plain.broken_limits(TOPOLOGY.numbers(profile, scenario.own)) == []


@pytest.mark.parametrize("section", CATALOGUE.sections.values(), ids=lambda s: s.key)
def test_a_sections_checks_are_in_order_and_read_something(section: object) -> None:
    keys = [c.key for c in section.checks]  # type: ignore[attr-defined]
    numbers = [int(key.removeprefix(f"{section.key}/check/")) for key in keys]  # type: ignore[attr-defined]
    assert numbers == sorted(set(numbers))
    for check in section.checks:  # type: ignore[attr-defined]
        assert check.probes
