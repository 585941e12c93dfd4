"""What whoever sits in a drill could learn of the harness itself, with what differs in every drill masked."""

import re
import tempfile
from pathlib import Path

import psutil

MASKED = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4,12})+|gameday-[\w.-]+|drill-\d+-\d+-\w+|\d+")
OWN = ("postgres:",)
"""Titles that a part gives to its own sessions: the system's evidence, which the desk shows too."""

PROXY = "toxiproxy"
"""A route that is cut has no port: the system's evidence, which the desk shows as well."""


def surface(reports: Path, instances: int) -> frozenset[str]:
    """Arguments, names and working folders of every process of the drill, folders in reach, and how many ports are open.

    Each instance of a service listens; how many there are is the system's evidence, which the desk shows too.
    """
    me = psutil.Process()
    words = set()
    listening = 0
    for process in me.children(recursive=True):
        try:
            command = " ".join(process.cmdline())
            if not command or command.startswith(OWN):
                continue
            words.add(f"process {command}")
            words.add(f"name {process.name()} in {process.cwd()}")
            if PROXY not in command:
                listening += sum(c.status == psutil.CONN_LISTEN for c in process.net_connections("tcp"))
        except psutil.Error:
            continue  # one that ends while it is looked at
    for folder in (reports, Path(tempfile.gettempdir())):
        words |= {f"in {folder.name} {p.name}" for p in folder.iterdir() if folder == reports or "gameday" in p.name}
    return frozenset(MASKED.sub("#", word) for word in words) | {f"ports {listening - instances}"}
