"""What the fields of an event may hold once they were JSON; worked out once for each kind, for journals are long."""

from collections.abc import Callable
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from harness.model.events.base import Event

Holds = Callable[[Any], bool]

NUMBERS = frozenset({int, float, bool})
"""Whatever can be reckoned with: what counts in one version may be a share in another."""


def shape_of(cls: type[Event]) -> dict[str, Holds]:
    """Whether a value fits, for each field of a kind."""
    return {f.name: _holds(f.type) for f in fields(cls)}


def _holds(said: Any) -> Holds:
    """A list of one type or a mapping to one is looked at in one go: their members are most of a journal."""
    if said is Any:
        return lambda _: True
    types = _types(said)
    if types is not None:
        return lambda value: type(value) in types
    outer, inner = get_origin(said), get_args(said)[-1]
    allowed = _types(inner)
    if outer is list and allowed is not None:
        return lambda value: type(value) is list and allowed.issuperset(map(type, value))
    if outer is dict and allowed is not None:
        return lambda value: type(value) is dict and allowed.issuperset(map(type, value.values()))
    each = _holds(inner)
    if outer is list:
        return lambda value: type(value) is list and all(map(each, value))
    return lambda value: type(value) is dict and all(map(each, value.values()))


def _types(said: Any) -> frozenset[type] | None:
    """The types that JSON has for a plain value, or for a mapping of anything; None for what holds more than that."""
    if isinstance(said, UnionType):
        parts = [_types(part) for part in get_args(said)]
        return None if None in parts else frozenset[type]().union(*(p for p in parts if p))
    if said in {int, float}:
        return NUMBERS
    if said in {bool, str, NoneType}:
        return frozenset({said})
    if get_origin(said) is dict and get_args(said)[1] is Any:
        return frozenset({dict})
    return None
