"""The policy of our catalogue: every row has its figures, and what scales is what should."""

import pytest

from harness.fronts.wiring import slo_policy
from harness.model.alerts import CountRising, Growing, ObjectiveMissed, OverFor, RatioBelow, ShareAbove
from harness.model.ledger import Sent
from harness.model.slis import Requests, plain
from scenarios.slis import SERIES
from tests.catalogue.real_run import CATALOGUE, TOPOLOGY

CI, REALISTIC = (slo_policy(CATALOGUE, TOPOLOGY.numbers(profile)) for profile in ("ci", "realistic"))


def test_objectives_of_requests_stay_and_those_of_what_follows_scale() -> None:
    pairs = [(c.name, plain(c.objective), plain(r.objective)) for c, r in zip(CI.slis, REALISTIC.slis, strict=True)]
    scaled = {name: ci / realistic for name, ci, realistic in pairs if ci != realistic}
    assert set(scaled) == {
        "entitlement.publish_delay_p95",
        "entitlement.outbox_age_p95",
        "matchmaking.time_to_match_p95",
        "notification.e2e_p95",
    }
    assert list(scaled.values()) == [pytest.approx(0.1)] * len(scaled)


def test_windows_are_five_and_sixty_minutes_and_a_sixtieth_of_them() -> None:
    for policy, minute_s in ((CI, 1.0), (REALISTIC, 60.0)):
        for alert in policy.alerts:
            match alert:
                case RatioBelow() | ShareAbove() | CountRising():
                    assert alert.window_s == pytest.approx(5 * minute_s)
                case OverFor():
                    assert alert.for_s == pytest.approx(5 * minute_s)
                case Growing():
                    assert alert.every_s == pytest.approx(minute_s)
                case ObjectiveMissed():
                    assert alert.window_s == pytest.approx(60 * minute_s)


def test_every_objective_has_its_alert() -> None:
    assert [a.sli.name for a in CI.alerts if isinstance(a, ObjectiveMissed)] == [sli.name for sli in CI.slis]


@pytest.mark.parametrize(
    ("op", "status", "code", "counted"),
    [
        ("people.me", 200, None, "gateway.api_good gateway.api_all"),
        ("people.user", 403, "ACCOUNT_INACTIVE", "gateway.api_good gateway.api_all"),
        ("people.user", 403, "ACCOUNT_FORBIDDEN", "gateway.api_all"),
        ("people.me", 504, "ACCOUNT_TIMEOUT", "gateway.api_all"),
        ("people.me", None, None, "gateway.api_all"),
        ("logins.me", 401, "UNAUTHORIZED", ""),
        ("logins.login", 401, "LOGIN_FAILED", ""),
        (
            "people.profile", 200, None,
            "gateway.api_good gateway.api_all gateway.profile_good gateway.profile_all",
        ),
        ("people.profile", 403, "PROFILE_FORBIDDEN", "gateway.api_all"),
        ("grants.grant", 200, None, "entitlement.commands_good entitlement.commands_valid"),
        ("grants.revoke", 409, "ENTITLEMENT_STATE_CONFLICT", ""),
        ("grants.grant", 503, "DATABASE_UNAVAILABLE", "entitlement.commands_valid"),
        ("grants.grant", None, None, "entitlement.commands_valid"),
        ("joins.join", 201, None, "matchmaking.joins_good matchmaking.joins_valid"),
        ("joins.join", 401, "UNAUTHORIZED", ""),
        ("joins.join", 502, "MATCHMAKING_BAD_GATEWAY", "matchmaking.joins_valid"),
    ],
)  # fmt: skip
def test_a_request_counts_where_it_should(op: str, status: int | None, code: str | None, counted: str) -> None:
    sent = Sent(op, 0.0, 0.0, 0.1, status, code, None if status else "timeout")
    found = {name for name, one in SERIES.items() if isinstance(one, Requests) and one.counts(sent)}
    assert found == set(counted.split())
