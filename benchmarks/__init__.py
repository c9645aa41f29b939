"""Measurements behind the claims of docs/benchmarks. Figures, never verdicts: nothing here fails for being slow."""
