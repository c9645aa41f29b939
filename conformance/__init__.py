"""The conformance harness: one module per step of the flow."""
