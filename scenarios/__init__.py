"""The catalogue of the reference system: one module per failure mode, its probes, workloads and runbook sections."""
