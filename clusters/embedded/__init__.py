"""The embedded provider: a one-node Kubernetes from its own binaries in private namespaces."""
