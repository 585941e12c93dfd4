"""Events in another language: what a catalogue says of its scenarios, steps, checks, indicators and alerts."""

from dataclasses import replace
from typing import Any

from harness.model import events as ev
from harness.report.lang import ENGLISH, Messages
from harness.report.masking import shortened


def translated(event: ev.Event, messages: Messages) -> ev.Event:
    """The event with the words of the catalogue in the language of the messages; English where they lack it.

    A note is shown without where on a machine the files lie that it names.
    """
    changed: dict[str, Any] = {}
    match event:
        case ev.Noted():
            changed = {"says": shortened(messages.sentence(event.says))}
        case _ if messages.lang == ENGLISH:
            pass
        case ev.ScenarioStarted():
            title = messages.title(event.scenario or "", event.title)
            changed = {"title": title, "fault": messages.sentence(event.fault)}
        case ev.Stepped():
            changed = {"title": messages.step(event.title)}
        case ev.Checked():
            changed = {"title": messages.check(event.key, event.title)}
        case ev.SliMeasured():
            changed = {"says": messages.sli(event.name, event.says)}
        case ev.AlertFired():
            changed = {"name": messages.alert(event.name)}
    return replace(event, **changed) if changed else event
