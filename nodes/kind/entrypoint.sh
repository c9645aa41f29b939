#!/bin/bash
# The first process of a kind node. kind waits for the line about the target, then runs kubeadm by `docker exec`.
. /usr/local/lib/node.sh
trap 'exit 0' TERM INT RTMIN+3
prepare_node
start_node
echo "Reached target Multi-User System."
wait_for_ever
