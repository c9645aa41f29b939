"""Where clusters come from. Never imports `conformance`."""
