#!/bin/bash
# Forwards the TCP ports that k3d lists in the values file, and says what k3d waits to hear.
values=/etc/confd/values.yaml last='' pids=()
trap 'kill "${pids[@]}" 2> /dev/null; exit 0' TERM INT

backends() {
  awk '
    /^ports:/ { inside = 1; next }
    /^[^ ]/ { inside = 0 }
    inside && /^ +"?[0-9]+\.(tcp|udp)"?:/ { key = $1; gsub(/[":]/, "", key); split(key, port, "."); next }
    inside && /^ *-/ { if (port[1] != "") print port[1], port[2], $2; port[1] = "" }
  ' $values
}

while :; do
  now=$(sha256sum < $values 2> /dev/null)
  if [ -e $values ] && [ "$now" != "$last" ]; then
    last=$now
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2> /dev/null
    pids=()
    while read -r port protocol host; do
      [ "$protocol" = tcp ] || continue
      socat "TCP-LISTEN:$port,fork,reuseaddr" "TCP:$host:$port" &
      pids+=($!)
    done < <(backends)
    echo "start worker processes"
  fi
  sleep 1
done
