"""Values, judgements, events, ports and errors: standard library only, no I/O, no clock."""
