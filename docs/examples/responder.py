"""A small automated responder: reads the page, follows the runbook's checks, responds, and says when it is over.

    python docs/examples/responder.py gameday drill --jsonl

It knows nothing of what is broken. It asks over every route, looks at the state of everything, at the change history and
at the jobs, in the runbook's order, and takes back the first thing that is not as it should be.
"""

import json
import subprocess
import sys
import time
from typing import Any


class Drill:
    """The conversation with a drill."""

    def __init__(self, command: list[str]) -> None:
        self._drill = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._asked = 0

    def read(self, *types: str) -> dict[str, Any]:
        """The next message of one of these types; the debrief ends everything."""
        assert self._drill.stdout is not None
        for line in self._drill.stdout:
            message: dict[str, Any] = json.loads(line)
            if message["type"] == "debrief":
                print(f"score {message['score']} of 100; {message['drill']['ended']}; report: {message['folder']}")
                for point in message["points"]:
                    print(f"  {point['points']:+6.1f}  {point['what']}: {point['why']}")
                sys.exit(0 if message["drill"]["whole"] else 3)
            if message["type"] in types:
                return message
        sys.exit("the drill ended without a debrief")

    def ask(self, do: str, *args: str) -> dict[str, Any]:
        """One request and its answer."""
        self._asked += 1
        assert self._drill.stdin is not None
        self._drill.stdin.write(json.dumps({"id": self._asked, "do": do, "args": args}) + "\n")
        self._drill.stdin.flush()
        while (answered := self.read("answer", "over")).get("id") != self._asked:
            pass
        print(f"{do} {' '.join(args)}: {answered['says'].splitlines()[0] if answered['says'] else ''}")
        return answered


def find(drill: Drill) -> tuple[str, str, list[list[str]]] | None:
    """What is broken, how, and what puts it right; None when nothing was found."""
    for name, runs in drill.ask("jobs")["data"].items():
        if runs:
            return name, "job", [["job", "stop", name]]
    for state in drill.ask("status")["data"]:
        if state["status"] != "running":
            return state["name"], "process", [["restart", state["name"]]]
    for route in drill.ask("routes")["data"]:
        answered = drill.ask("routes", route)
        if not answered["ok"] or not answered["data"]["answered"] or answered["data"]["rtt_ms"] > 150:
            # A server that does not answer over any route is frozen; one that does not over one has a broken route.
            server = route.split("->")[1]
            others = [r for r in drill.ask("routes")["data"] if r.endswith(f"->{server}") and r != route]
            if others and not any(drill.ask("routes", r).get("data", {}).get("answered") for r in others):
                return server, "process", [["restart", server]]
            return route, "route", [["route", route], ["restart", route.split("->")[0]]]
    changes = drill.ask("changes")["data"]
    if changes:
        newest = changes[-1]
        cause = "release" if newest["kind"] == "release" else "setting"
        return newest["target"], cause, [["rollback", newest["target"], cause]]
    return None


def looked(drill: Drill) -> dict[str, dict[str, float | None]]:
    """What the checks of each section show, by section."""
    found: dict[str, dict[str, float | None]] = {}
    for section in drill.ask("checks")["data"]:
        shown = drill.ask("checks", section["section"])["data"]
        found[section["section"]] = {name: v for check in shown for name, v in check["values"].items()}
    return found


def section_of(shown: dict[str, dict[str, float | None]], place: str) -> str:
    """The section whose checks look most at what is broken and show the most that is not zero."""
    ends = tuple(f"{end.removesuffix('-bff')}." for end in place.split("->"))

    def weight(values: dict[str, float | None]) -> tuple[float, float]:
        near = [v for name, v in values.items() if name.startswith(ends)]
        moved = [v for v in values.values() if v]
        return sum(1 for v in near if v) / max(len(values), 1), len(moved) / max(len(values), 1)

    return max(shown, key=lambda section: weight(shown[section]))


def main() -> None:
    """From the page to the debrief."""
    drill = Drill(sys.argv[1:])
    page = drill.read("page")
    drill.ask("detect", f"paged: {page['alert']}")
    shown = looked(drill)
    found = find(drill)
    if found is None:
        drill.ask("give-up")
    else:
        place, cause, acts = found
        drill.ask("diagnose", section_of(shown, place), place, cause)
        for act in acts:
            drill.ask(*act)
            for _ in range(5):
                drill.ask("dashboard")
                if drill.ask("recovered").get("data", {}).get("confirmed"):
                    break
                time.sleep(2)
            else:
                continue
            break
        else:
            drill.ask("give-up")
    drill.read("debrief")


if __name__ == "__main__":
    main()
