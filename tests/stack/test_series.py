"""What indicators and alerts are fed with is there: a counter of a wrong name would stay at 0 and look quiet."""

import pytest

from harness.drivers.equipment import CellEquipment
from harness.model.slis import Query, metric_of
from scenarios.slis import SERIES

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAIRS = sorted({pair for series in SERIES.values() if (pair := metric_of(series)) is not None})


@pytest.mark.parametrize(("service", "metric"), PAIRS, ids=lambda x: x)
async def test_a_service_shows_the_metric(kit: CellEquipment, service: str, metric: str) -> None:
    shown = await kit.observer.http(service, "/actuator/prometheus")
    families = {line.split()[2].removesuffix("_total") for line in shown.body.decode().splitlines() if "# TYPE" in line}
    assert metric.removesuffix("_total") in families


async def test_the_tables_answer_every_query_at_once(kit: CellEquipment) -> None:
    queries = [one.sql for one in SERIES.values() if isinstance(one, Query)]
    assert queries
    rows = await kit.observer.sql("SELECT " + ", ".join(f"({sql})" for sql in queries))
    assert [value or 0 for value in rows[0]] == [0] * len(queries)
