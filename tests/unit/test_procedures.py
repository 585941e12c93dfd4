"""On-call's procedures use the operator's verbs alone, on settings that the topology has."""

from typing import Any

from harness.fronts.catalogue import load_catalogue, load_topology
from scenarios import procedures


class OnCall:
    """Writes down what it is asked to do."""

    def __init__(self) -> None:
        self.did: list[tuple[str, ...]] = []

    async def log_lines(self, name: str, text: str) -> list[str]:
        self.did.append(("look", name, text))
        return [f"{text} {n}" for n in range(50)]

    async def restart(self, service: str) -> None:
        self.did.append(("restart", service))

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        load_topology(None).setting(service, name)
        self.did.append(("set", service, name, str(value)))


async def test_the_smallest_recovery_looks_before_it_restarts() -> None:
    operator: Any = OnCall()
    lines = await procedures.smallest_recovery(operator, "account", "failed")
    assert lines[-1] == "failed 49"
    assert len(lines) == procedures.NEWEST
    assert operator.did == [("look", "account", "failed"), ("restart", "account")]


async def test_load_is_held_back_by_settings_that_there_are() -> None:
    operator: Any = OnCall()
    await procedures.fewer_notifications_at_once(operator, 4)
    await procedures.smaller_outbox_batches(operator, 5)
    await procedures.fewer_calls_to_account(operator, 6)
    assert [(d[1], d[3]) for d in operator.did] == [("notification", "4"), ("entitlement", "5"), ("gateway-bff", "6")]


async def test_an_account_that_stays_overloaded_is_called_less_and_one_that_comes_right_is_left_alone() -> None:
    scenario = load_catalogue("scenarios", load_topology(None)).scenarios["FM-DB-01"].with_variant("load")
    first, second = scenario.response
    assert first.unless is None
    assert second.unless is not None
    assert {p.name for p in second.unless.probes} == {"gateway.api_5xx_share", "account.p95_s"}
    numbers = load_topology(None).numbers("ci", {})
    resolved = scenario.resolve(numbers)
    # Never sooner than recovery is due: it is a second safety.
    assert second.unless.resolve(numbers).within_s == resolved.recovery.within_s
    operator: Any = OnCall()
    await second.act(operator)
    assert operator.did == [("set", "gateway-bff", "gateway.account.max-concurrent-calls", "4")]
