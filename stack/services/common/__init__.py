"""What the five services and the destination share: settings, logs, metrics, HTTP, database, messaging."""
