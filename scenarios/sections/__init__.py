"""The runbook's sections: their ordered checks, each with the probes that carry it out."""
