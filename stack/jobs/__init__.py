"""Jobs that an operator can list, slow down and stop; and tools that repair something and end."""
