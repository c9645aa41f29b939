"""Settings for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine is no defect: how long an example takes decides nothing. Benchmarks measure that.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
