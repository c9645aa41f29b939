#!/bin/sh
# Stays until it is told to go; k3d runs what it wants by `docker exec`.
trap 'exit 0' TERM INT
while :; do sleep 1; done
