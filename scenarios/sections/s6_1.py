"""6.1: the smallest recovery."""

from harness.model.runbook import done, judged, measured
from harness.model.scenario import Section
from scenarios.probes import account

SECTION = Section(
    "6.1",
    "The smallest recovery",
    (),
    bullets=(
        measured("6.1/step/1", account.share_5xx),
        done("6.1/step/2", "FM-BFF-ACC-03:restart_account", "FM-OB-01:restart_relay"),
        judged("6.1/step/3", "sli"),
    ),
)
