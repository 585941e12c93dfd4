"""3.1: what comes first in every incident."""

from harness.model.runbook import judged
from harness.model.scenario import Section

SECTION = Section(
    "3.1",
    "Priorities",
    (),
    bullets=(
        judged("3.1/rule/1", "rule"),
        judged("3.1/rule/2", "rule"),
        judged("3.1/rule/3", "rule"),
    ),
)
