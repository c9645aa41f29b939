"""Traces of embedded clusters that nobody seems to know of, found by the prefixes of our names."""

from __future__ import annotations

from collections.abc import Collection

from clusters.embedded import cgroups, emulators, layout, subnets
from clusters.embedded.layout import Layout
from clusters.provider import Leftover

PROVIDER = "embedded"


def find(leased: Collection[Layout]) -> tuple[Leftover, ...]:
    """Return what is there beyond the `leased` clusters. Another state folder's clusters are listed too, unnamed."""
    there = layout.existing()
    known = {*leased, *there}
    folders = [
        Leftover(provider=PROVIDER, name=one.name, what=f"folder {one.root}") for one in there if one not in leased
    ]
    explained = {one.interface for one in known} | {one.peer for one in known}
    interfaces = [
        Leftover(
            provider=PROVIDER, what=f"network interface {name} (if no other state folder has it: ip link del {name})"
        )
        for name in sorted(subnets.interfaces() - explained)
        if name.startswith((layout.INTERFACE_PREFIX, layout.PEER_PREFIX))
    ]
    groups = [
        Leftover(provider=PROVIDER, what=f"cgroup {name} with {count} processes, of another state folder or lost")
        for name, count in cgroups.leftovers(layout.CGROUP_PREFIX, cgroups.mounted()).items()
        if name not in {one.cgroup for one in known}
    ]
    digests = {one.digest for one in known}
    formats = [
        Leftover(provider=PROVIDER, what=f"emulator {name} in binfmt_misc, of another state folder or lost")
        for name in emulators.registered()
        if name.removeprefix(layout.EMULATOR_PREFIX).split("-")[0] not in digests
    ]
    return (*folders, *interfaces, *groups, *formats)
