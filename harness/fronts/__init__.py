"""The ways in: command line and pytest, and the one place where everything is put together."""
