"""5.9: a table grows for ever, or does not fit the release."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import account

SECTION = Section(
    "5.9",
    "A table grows for ever, or does not fit the release",
    (Check("5.9/check/2", "Undefined columns in account's log", (account.undefined_column_lines,)),),
    bullets=(
        measured("5.9/check/1", "notification.old_processed_rows", "notification.retention_deleted"),
        done("5.9/response/1", "FM-DB-02:restore_retention"),
        done("5.9/response/2", "FM-DB-03:deploy_next"),
        measured("5.9/recovery/1", "notification.old_processed_rows"),
        measured("5.9/recovery/2", account.undefined_column_lines, account.suspension_ratio),
    ),
)
