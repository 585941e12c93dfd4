"""Steps that several scenarios share: placebos, and acts that are the same whatever failed."""

from harness.model.ports import Operator
from harness.model.scenario import step


@step("Restart matchmaking, which has nothing to do with it")
async def restart_matchmaking(operator: Operator) -> None:
    """A placebo."""
    await operator.restart("matchmaking")


@step("Restart notification, which has nothing to do with it")
async def restart_notification(operator: Operator) -> None:
    """A placebo."""
    await operator.restart("notification")


@step("Restart entitlement, which has nothing to do with it")
async def restart_entitlement(operator: Operator) -> None:
    """A placebo."""
    await operator.restart("entitlement")
