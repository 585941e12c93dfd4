"""8: what is recorded afterwards."""

from harness.model.runbook import judged
from harness.model.scenario import Section

SECTION = Section(
    "8",
    "Afterwards",
    (),
    bullets=(
        judged("8/record/1", "record"),
        judged("8/record/2", "record"),
        judged("8/record/3", "record"),
        judged("8/record/4", "record"),
        judged("8/record/5", "record"),
    ),
)
