"""6.2: holding load back."""

from harness.model.runbook import done
from harness.model.scenario import Section

SECTION = Section(
    "6.2",
    "Holding load back",
    (),
    bullets=(
        done("6.2/step/1", "FM-NOTI-03:fewer_sends"),
        done("6.2/step/2", "FM-OB-03:smaller_batches"),
        done("6.2/step/3", "FM-DB-01:fewer_calls"),
    ),
)
