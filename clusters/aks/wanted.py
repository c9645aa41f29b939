"""What is asked of Azure: the body of the one call that makes a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clusters.aks.names import Names
from clusters.aks.settings import Settings

#: GiB. Room for images and builds; smaller is cheaper, the service's own default is 128.
DISK = 64


def body(names: Names, settings: Settings, kubernetes: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return a managed cluster with one node, free control plane and nothing that changes by itself.

    https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update
    """
    return {
        "location": settings.region,
        "tags": dict(tags),
        "identity": {"type": "SystemAssigned"},
        "sku": {"name": "Base", "tier": "Free"},
        "properties": {
            "dnsPrefix": names.cluster,
            "kubernetesVersion": kubernetes,
            # Named by us, so that it can be asked for when the cluster is gone.
            "nodeResourceGroup": names.nodes,
            "enableRBAC": True,
            # The kubeconfig is then a certificate that dies with the cluster, and needs no other program.
            "disableLocalAccounts": False,
            # A node that is replaced in the middle of a run would be taken for a failure of what is tested.
            "autoUpgradeProfile": {"upgradeChannel": "none", "nodeOSUpgradeChannel": "None"},
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPluginMode": "overlay",
                "loadBalancerSku": "standard",
                "outboundType": "loadBalancer",
            },
            "agentPoolProfiles": [
                {
                    "name": "nodes",
                    "mode": "System",
                    "type": "VirtualMachineScaleSets",
                    "count": 1,
                    "vmSize": settings.machine,
                    "osType": "Linux",
                    "osSKU": settings.system,
                    "osDiskSizeGB": DISK,
                    "tags": dict(tags),
                }
            ],
        },
    }
