"""Runs and scenarios as people name them on the command line."""


def label_of(said: str) -> str:
    """A scenario's label as the records have it, whatever letters its id was written in: `fm-ob-01:black-hole`."""
    id_, mark, variant = said.partition(":")
    return f"{id_.upper()}{mark}{variant}"
