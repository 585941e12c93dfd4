"""5.3: the users API answers 401 and 403."""

from harness.model.runbook import done, measured
from harness.model.scenario import Check, Section
from scenarios.probes import account, boundary, gateway

SECTION = Section(
    "5.3",
    "/v1/users answers 401 or 403",
    (
        Check(
            "5.3/check/1",
            "The gateway's internal token against account's",
            (account.tokens_match, account.token_is_set, account.denied_token, gateway.account_forbidden),
        ),
        Check(
            "5.3/check/2",
            "Whether the user's id and roles arrive",
            (account.denied_user_missing, gateway.account_unauthorized),
        ),
        Check("5.3/check/3", "Account's reasons for refusing", (account.denied_lines, account.denied_owner)),
    ),
    bullets=(
        done("5.3/response/1", "FM-BFF-ACC-02:restore_header", "FM-BFF-ACC-01:restore_token"),
        done("5.3/response/2", "FM-ACC-04:restore_secret"),
        done("5.3/response/3", "FM-ACC-02:restore_mapping", "FM-ACC-02:roll_back"),
        measured("5.3/recovery/1", gateway.api_401_403_share, boundary.violations),
    ),
)
