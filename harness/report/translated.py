"""Events in another language: what a catalogue says of its scenarios, and what code says of a run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from harness.model import events as ev
from harness.report.lang import ENGLISH, Messages
from harness.report.masking import shortened

NOT_NEEDED = "not needed: "
"""How the role of a criterion begins that makes a step unnecessary; the step follows."""


def translated(event: ev.Event, messages: Messages) -> ev.Event:
    """The event with its words in the language of the messages; English where they lack it.

    Conditions stay as they are: plots and tables of samples read their probes and thresholds. A note is shown without where
    on a machine the files lie that it names.
    """
    if isinstance(event, ev.Noted):
        return replace(event, says=shortened(messages.sentence(event.says)))
    changed = {} if messages.lang == ENGLISH else _of_scenario(event, messages) or _of_runbook(event, messages)
    return replace(event, **changed) if changed else event


def _of_scenario(event: ev.Event, messages: Messages) -> dict[str, Any]:
    say = messages.sentence
    changed: dict[str, Any] = {}
    match event:
        case ev.ScenarioStarted():
            changed = {
                "title": messages.title(event.scenario or "", event.title),
                "fault": say(event.fault),
                "symptom": say(event.symptom),
                "recovery": say(event.recovery),
            }
        case ev.Stepped():
            changed = {"title": messages.step(event.title)}
        case ev.Checked():
            changed = {"title": messages.check(event.key, event.title)}
        case ev.PhaseEnded() | ev.Witnessed() | ev.Found():
            changed = {"says": say(event.says)}
        case ev.Claimed():
            changed = {"reason": say(event.reason)}
        case ev.Judged():
            what = event.what
            if what.startswith(NOT_NEEDED):
                what = NOT_NEEDED + messages.step(what.removeprefix(NOT_NEEDED))
            changed = {"what": what, "text": say(event.text)}
        case _:
            pass
    return changed


def _of_runbook(event: ev.Event, messages: Messages) -> dict[str, Any]:
    say = messages.sentence
    changed: dict[str, Any] = {}
    match event:
        case ev.SliMeasured():
            changed = {"says": messages.sli(event.name, event.says)}
        case ev.AlertFired():
            changed = {"name": messages.alert(event.name)}
        case ev.InvariantJudged():
            changed = {"title": say(event.title), "says": say(event.says), "violations": _said(event.violations, say)}
        case ev.LedgerCounted():
            changed = {"counts": {say(stage): count for stage, count in event.counts.items()}}
        case ev.RuleJudged():
            changed = {"title": say(event.title), "says": say(event.says)}
        case ev.Completed():
            changed = {"conditions": _said(event.conditions, say)}
        case ev.Recorded():
            changed = {"fields": _said(event.fields, say)}
        case _:
            pass
    return changed


def _said(value: Any, say: Callable[[str], str]) -> Any:
    """A value of JSON whose texts are said in another language where they are sentences; its keys stay."""
    match value:
        case str():
            return say(value)
        case list():
            return [_said(one, say) for one in value]
        case Mapping():
            return {name: _said(one, say) for name, one in value.items()}
        case _:
            return value
