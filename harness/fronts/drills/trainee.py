"""The trainee's side of a drill: what is noted of what they do, and the verbs that only a drill has."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.fronts.desk.desk import Desk, Told, Verb
from harness.model.drill import CAUSES, HINTS, Answer, Entry
from harness.model.errors import GamedayError, UsageError
from harness.model.events import Acted
from harness.model.ports import Clock
from harness.model.scenario import Catalogue
from harness.model.topology import Topology

DRILL = "the drill"
LONGEST_NOTE = 500

RULES = """\
Something was broken, or is about to be. You are on call: you are paged with
an alert and nothing else. Find out what it is and put it right.

  detect TEXT                     say that there is an incident, and where
  diagnose SECTION PLACE CAUSE    say which section of the runbook it is, what
                                  is broken (a service, part, route or job),
                                  and how (route, process, setting, release,
                                  scale, job, locks, load, data)
  recovered                       say that it is over; it is checked
  hint nudge|check|section|step   ask for help; each costs points
  give-up                         end it

All verbs of the desk are yours: help lists them. From another terminal:
gameday ops --name drill VERB.

Within reach are the desk, this conversation, the working folder, the reports,
names, labels, process arguments, and the published ports of services. Out of
bounds are the proxies' own API, the memory and environment of other
processes, and the facilitator's files."""


@dataclass
class Notes:
    """What happened so far, in order; `ended` says why it is over."""

    clock: Clock
    entries: list[Entry] = field(default_factory=list)
    paged_s: float | None = None
    ended: str = ""

    def note(self, kind: str, says: str, **data: Any) -> None:
        """Write one thing down."""
        self.entries.append(Entry(self.clock.now_s(), kind, says, data))

    def acted(self, event: Acted) -> None:
        """An act of the trainee on the system."""
        said = " ".join(v for k, v in event.arguments.items() if k in {"name", "value", "version", "instances"})
        text = event.arguments.get("statement", "") or event.arguments.get("arguments", "")
        says = f"{event.verb} {event.target} {said} {text}".strip()
        says = " ".join(says.split()) + (f" (failed: {event.failed})" if event.failed else "")
        data = {"verb": event.verb, "target": event.target, "name": event.arguments.get("name", ""), "text": text}
        self.note("act", says[:LONGEST_NOTE], **data, failed=event.failed)

    def done(self, verb: Verb, words: Sequence[str], told: Told | GamedayError) -> None:
        """A look at the system."""
        if verb.changes or verb.group == DRILL or isinstance(told, GamedayError):
            return
        says = " ".join([verb.name, *words])[:LONGEST_NOTE]
        if told.keys:
            for key in told.keys:
                self.note("check", says, key=key)
        else:
            self.note("view", says)


@dataclass
class Asked:
    """What the drill's own verbs need of the drill.

    Attributes:
        answer: gives the answer; it is there once something is broken.
        confirmed: whether the system has recovered, and what falls short.
        end: end the drill for a reason.
    """

    notes: Notes
    topology: Topology
    catalogue: Catalogue
    limit_s: float
    page: Callable[[], str]
    answer: Callable[[], Answer]
    confirmed: Callable[[], Awaitable[tuple[bool, str]]]
    end: Callable[[str], None]
    others: tuple[str, ...] = ()
    hints: dict[str, str] = field(default_factory=dict)

    def verbs(self) -> dict[str, Verb]:
        """The drill's own verbs by name."""
        own = (
            Verb("rules", DRILL, "", "what this is, and what is out of bounds", self._rules),
            Verb("page", DRILL, "", "the page again, and the time left", self._page),
            Verb("detect", DRILL, "TEXT", "declare that there is an incident", self._detect, 1, None),
            Verb("diagnose", DRILL, "SECTION PLACE CAUSE [TEXT]", "declare what it is", self._diagnose, 3, None),
            Verb("recovered", DRILL, "", "declare that it is over; it is checked", self._recovered),
            Verb("hint", DRILL, "|".join(HINTS), "ask for help; costs points", self._hint, 1, 1),
            Verb("give-up", DRILL, "", "end the drill", self._give_up),
        )
        return {v.name: v for v in own}

    def _must_be_paged(self) -> float:
        if self.notes.paged_s is None:
            raise UsageError("nobody was paged yet")
        return self.notes.paged_s

    async def _rules(self, _desk: Desk, _args: Sequence[str]) -> Told:
        return Told(RULES)

    async def _page(self, _desk: Desk, _args: Sequence[str]) -> Told:
        left_s = self.limit_s - (self.notes.clock.now_s() - self._must_be_paged())
        return Told(
            f"PAGE: {self.page()}\n{left_s:.0f} s are left.", {"alert": self.page(), "left_s": round(left_s, 1)}
        )

    async def _detect(self, _desk: Desk, args: Sequence[str]) -> Told:
        self._must_be_paged()
        self.notes.note("detect", " ".join(args)[:LONGEST_NOTE])
        return Told("Noted.")

    async def _diagnose(self, _desk: Desk, args: Sequence[str]) -> Told:
        self._must_be_paged()
        section, place, cause, *rest = args
        if section not in self.catalogue.sections:
            raise UsageError(f"there is no section {section}; there are {', '.join(self.catalogue.sections)}")
        t = self.topology
        if place not in {*t.parts, *t.services, *t.links, *t.jobs}:
            raise UsageError(f"there is no {place}; name a service, a part, a route or a job: see status, routes, jobs")
        if cause not in CAUSES:
            raise UsageError(f"there is no cause {cause}; there are {', '.join(CAUSES)}")
        says = " ".join([section, place, cause, *rest])[:LONGEST_NOTE]
        self.notes.note("diagnose", says, section=section, place=place, cause=cause)
        return Told("Noted. Whether it is right is in the debrief.")

    async def _recovered(self, _desk: Desk, _args: Sequence[str]) -> Told:
        self._must_be_paged()
        confirmed, short = await self.confirmed()
        self.notes.note("recovered", "confirmed" if confirmed else "not confirmed", confirmed=confirmed, short=short)
        if not confirmed:
            return Told("Not confirmed: the recovery criteria are not met. The drill goes on.", {"confirmed": False})
        self.end("recovered")
        return Told("Confirmed.", {"confirmed": True})

    async def _hint(self, _desk: Desk, args: Sequence[str]) -> Told:
        self._must_be_paged()
        level = args[0]
        if level not in HINTS:
            raise UsageError(f"there is no hint {level}; there are {', '.join(HINTS)}")
        if level not in self.hints:
            self.hints[level] = self._says(level)
            self.notes.note("hint", level, level=level)
        return Told(self.hints[level], {"hint": self.hints[level]})

    def _says(self, level: str) -> str:
        answer = self.answer()
        section = self.catalogue.sections.get(answer.sections[0]) if answer.sections else None
        if level == "nudge":
            return f"It is one of these sections: {', '.join(self.others)}."
        if level == "check":
            titles = [c.title for c in section.checks] if section else []
            return f"Look at this: {titles[0]}." if titles else "Its section has no checks."
        if level == "section":
            return f"Section {section.key}: {section.title}." if section else "No section is about it."
        return f"Do this: {answer.steps[0].title}."

    async def _give_up(self, _desk: Desk, _args: Sequence[str]) -> Told:
        self.end("given up")
        return Told("The drill ends.")


def page_of(data: Mapping[str, Any]) -> str:
    """The page as a person reads it."""
    return f"\a\nPAGE: {data['alert']}\nYou have {data['limit_s'] / 60:.0f} minutes. help lists what you can do.\n"
