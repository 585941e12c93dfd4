"""gameday proves an operations runbook on a real system."""
