"""AKS: a managed cluster of Azure, one resource group a cluster, made and removed through Azure Resource Manager."""
