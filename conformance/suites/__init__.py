"""The suites pytest runs on a cluster; each asks one question."""
