"""What a runner and its worker processes say to each other: Python values one after the other, over a socket pair."""

import asyncio
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine.outcome import Outcome
from harness.model.events import Event
from harness.model.topology import Topology

LENGTH_BYTES = 8


@dataclass(frozen=True)
class Setup:
    """What a worker needs to know before its first scenario.

    Attributes:
        clock_s: the zero of the run's clock, as SystemClock has it.
        joins: what the runner's runtime shares.
        cells: the beginning of its cells' names.
    """

    topology: Topology
    runtime: str
    profile: str
    catalogue: str
    runbook: Path | None
    logs: Path
    clock_s: float
    joins: Mapping[str, Any]
    cells: str


@dataclass(frozen=True)
class Hired:
    """The worker's first word."""

    pid: int


@dataclass(frozen=True)
class Order:
    """What is to be done with one item."""

    label: str
    arm: str
    seed: int


class Stand(Order):
    """Order: make the first cell, as one item wants it."""


class RunOne(Order):
    """Order: run one item."""


@dataclass(frozen=True)
class LetGo:
    """Order: stop whatever runs, close the cell and end."""


@dataclass(frozen=True)
class Told:
    """An event of the worker's scenario."""

    event: Event


@dataclass(frozen=True)
class Done:
    """An order is carried out, or none will be any more.

    Attributes:
        outcome: what the item came to; None when it did not run, or its cell is there as was ordered.
        trouble: what went wrong beyond any verdict.
        gone: whether the worker gives up.
    """

    outcome: Outcome | None
    trouble: tuple[str, ...]
    gone: bool = False


def say(writer: asyncio.StreamWriter, value: object) -> None:
    """Send a value; nothing happens when the other side is gone."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    if not writer.is_closing():
        writer.write(len(data).to_bytes(LENGTH_BYTES) + data)


async def hear(reader: asyncio.StreamReader) -> Any:
    """The next value; None when the other side is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES))
        # Both ends are processes of one run and one user, joined by a pair of sockets that nobody else can reach.
        return pickle.loads(await reader.readexactly(length))  # noqa: S301
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
