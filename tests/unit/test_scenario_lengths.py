"""Lengths that a scenario works out of its cell's settings by itself."""

import pytest

from harness.fronts.catalogue import load_catalogue, load_topology
from harness.model.scenario import Scenario
from harness.model.topology import Topology
from scenarios.fm_noti_03_retries_amplify import BACKOFF_S, DRAIN_S


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_topology(None)


@pytest.fixture(scope="module")
def retries(topology: Topology) -> Scenario:
    return load_catalogue("scenarios", topology).scenarios["FM-NOTI-03"]


def numbers(topology: Topology, scenario: Scenario, profile: str) -> dict[str, float]:
    return dict(topology.numbers(profile, scenario.own))


def test_the_recovery_of_a_jammed_destination_is_given_what_has_piled_up(topology: Topology, retries: Scenario) -> None:
    # 22 s of 40 attempts against 25 served, then 220 notifications at 25 - 10 a second, and the longest retry.
    ci = numbers(topology, retries, "ci")
    assert DRAIN_S.of(ci) == pytest.approx(22 * 15 / 17 + 1.5 + 220 / 15 + 5, abs=1)
    assert retries.resolve(ci).recovery.within_s == DRAIN_S.of(ci)


def test_it_comes_to_the_same_in_every_profile(topology: Topology, retries: Scenario) -> None:
    ci, realistic = (numbers(topology, retries, profile) for profile in ("ci", "realistic"))
    assert DRAIN_S.of(realistic) == DRAIN_S.of(ci)


def test_it_is_longer_where_retries_wait_longer_and_where_less_is_served(topology: Topology, retries: Scenario) -> None:
    ci = numbers(topology, retries, "ci")
    patient = ci | {"notification.delivery.backoff-max": 60.0}
    assert DRAIN_S.of(patient) > DRAIN_S.of(ci) + BACKOFF_S.of(patient) - BACKOFF_S.of(ci)
    slower = ci | {"destination.service-time": 0.05}
    assert DRAIN_S.of(slower) > DRAIN_S.of(ci)
    assert DRAIN_S.of(ci | {"notification.delivery.parallelism": 30.0}) > DRAIN_S.of(ci)
