"""What is generated from the code is what is committed."""

from pathlib import Path

from harness.engine import plan
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.catalogue_page import own_runbook, page

ROOT = Path(__file__).parents[2]


def test_the_page_of_the_catalogue_is_up_to_date() -> None:
    topology = load_topology(None)
    catalogue = load_catalogue("scenarios", topology)
    committed = (ROOT / "docs" / "reference" / "catalogue.md").read_text(encoding="utf-8")
    fresh = page(catalogue, topology, plan.choose(catalogue), own_runbook("scenarios")) + "\n"
    assert committed == fresh, (
        "write it again with make docs, or gameday list --format markdown > docs/reference/catalogue.md"
    )


def test_it_says_of_every_scenario_what_breaks_and_what_is_done() -> None:
    topology = load_topology(None)
    catalogue = load_catalogue("scenarios", topology)
    text = page(catalogue, topology, plan.choose(catalogue), own_runbook("scenarios"))
    for scenario in catalogue.scenarios.values():
        assert f"### {scenario.id}\n" in text
        assert scenario.fault.says in text
        assert all(step.title in text for step in scenario.response)
