"""A cluster there is already: any kubeconfig and context. Namespaces are made in it and removed, nothing else."""
