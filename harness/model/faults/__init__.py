"""Faults: what breaks, by which verb of the Injector, and the witness that it really bites.

Each fault is a value with one verb, `inject`, and gives a witness. "Do nothing" is a full member of the family. Healing
is not here: the cell is reconciled to its baseline.
"""

from harness.model.faults.base import Fault, Nothing, Together
from harness.model.faults.data import DataChange, DeletedConsumer, HeldLocks, Message, RedisChange
from harness.model.faults.links import BriefSlowdown, Cut, Reset, Slow
from harness.model.faults.names import Kind, Name, Naming
from harness.model.faults.parts import BadRelease, ChangedSetting, Freeze, Kill, Load, RunawayJob, Scaled, Stop

__all__ = [
    "BadRelease",
    "BriefSlowdown",
    "ChangedSetting",
    "Cut",
    "DataChange",
    "DeletedConsumer",
    "Fault",
    "Freeze",
    "HeldLocks",
    "Kill",
    "Kind",
    "Load",
    "Message",
    "Name",
    "Naming",
    "Nothing",
    "RedisChange",
    "Reset",
    "RunawayJob",
    "Scaled",
    "Slow",
    "Stop",
    "Together",
]
