"""4: the order of the first response."""

from harness.model.runbook import judged
from harness.model.scenario import Section

SECTION = Section(
    "4",
    "The first response",
    (),
    bullets=(
        judged("4/step/1", "alert", "record"),
        judged("4/step/2", "record"),
        judged("4/step/3", "check", "record"),
        judged("4/step/4", "step"),
        judged("4/step/5", "sli", "completion"),
        judged("4/step/6", "record"),
    ),
)
