"""3.2: how changes are made."""

from harness.model.runbook import judged
from harness.model.scenario import Section

SECTION = Section(
    "3.2",
    "Rules for changes",
    (),
    bullets=(
        judged("3.2/rule/1", "rule"),
        judged("3.2/rule/2", "rule"),
        judged("3.2/rule/3", "rule"),
    ),
)
