"""7: when it is over."""

from harness.model.runbook import judged
from harness.model.scenario import Section

SECTION = Section(
    "7",
    "When it is over",
    (),
    bullets=(
        judged("7/condition/1", "completion"),
        judged("7/condition/2", "completion"),
        judged("7/condition/3", "completion"),
        judged("7/condition/4", "completion"),
    ),
)
