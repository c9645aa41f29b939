#!/bin/bash
# Stands in for systemd: kubeadm and kind only start, stop and restart containerd and kubelet (see node.sh).
services=/run/services
verb= units=()
for word; do
  case $word in
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else units+=("${word%.service}"); fi ;;
  esac
done

stop() {
  rm -f "$services/$1.wanted"
  [ ! -e "$services/$1.pid" ] || kill "$(cat "$services/$1.pid")" 2> /dev/null
  for _ in {1..100}; do [ -e "$services/$1.pid" ] || return 0; sleep 0.1; done
}

for unit in "${units[@]}"; do
  case $verb in
    start) touch "$services/$unit.wanted" ;;
    stop) stop "$unit" ;;
    restart) stop "$unit"; touch "$services/$unit.wanted"; sleep 1 ;;
    status | is-active) if [ -e "$services/$unit.pid" ]; then echo active; else echo inactive; exit 3; fi ;;
    is-enabled) echo enabled ;;
  esac
done
exit 0
