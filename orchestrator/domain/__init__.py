"""Plain Python: what a job is and how it may change. No IO, no clock, no third-party imports."""
