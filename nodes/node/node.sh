# Read by a node's first process: prepares mounts, cgroups and names, and keeps containerd and kubelet running.
services=/run/services

prepare_node() {
  mkdir -p $services /var/log/node /etc/cni/net.d /etc/kubernetes/manifests /var/lib/kubelet
  mount --make-rshared /
  tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
  [ -e /dev/kmsg ] || ln -s /dev/console /dev/kmsg
  prepare_cgroups
  prepare_names
}

prepare_cgroups() {
  # cgroup v1: what the kubelet is told to use as its root has to exist in every hierarchy, cpusets filled.
  local hierarchy file
  for hierarchy in $(awk '$3 == "cgroup" { print $2 }' /proc/mounts); do
    mkdir -p "$hierarchy/kubelet"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$hierarchy/$file" ] || cat "$hierarchy/$file" > "$hierarchy/kubelet/$file"
    done
  done
  [ -e /sys/fs/cgroup/cgroup.controllers ] || return 0
  # cgroup v2: a group that hands controllers on may hold no processes.
  local controller
  mkdir -p /sys/fs/cgroup/init
  xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs 2> /dev/null || true
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control 2> /dev/null || true
  done
  mkdir -p /sys/fs/cgroup/kubelet
}

prepare_names() {
  # Docker answers names at 127.0.0.11, which means nothing in a pod: answer at the default gateway's address as well.
  local gateway protocol to chain
  gateway=$(ip -4 route show default | awk '{ print $3; exit }')
  if [ -z "$gateway" ] || ! grep -q '^nameserver 127\.0\.0\.11' /etc/resolv.conf; then
    cp /etc/resolv.conf /etc/pods-resolv.conf
    return
  fi
  sysctl -qw net.ipv4.conf.all.route_localnet=1
  for protocol in udp tcp; do
    to=$(iptables-save -t nat |
      sed -n "s/^-A DOCKER_OUTPUT .*-p $protocol .*--to-destination \(127[0-9.:]*\).*/\1/p" | head -1)
    for chain in OUTPUT PREROUTING; do
      iptables -t nat -I $chain -d "$gateway" -p $protocol --dport 53 -j DNAT --to-destination "$to"
    done
  done
  sed "s/^nameserver 127\.0\.0\.11/nameserver $gateway/" /etc/resolv.conf > /etc/pods-resolv.conf
}

# keep NAME FILE COMMAND...: run it whenever it is wanted and the file is there.
keep() {
  local name=$1 needed=$2
  shift 2
  while :; do
    if [ -e "$services/$name.wanted" ] && [ -e "$needed" ]; then
      "$@" >> "/var/log/node/$name.log" 2>&1 &
      echo $! > "$services/$name.pid"
      wait $!
      echo "ended with $?" >> "/var/log/node/$name.log"
      rm -f "$services/$name.pid"
    fi
    sleep 0.3
  done
}

run_kubelet() {
  KUBELET_KUBEADM_ARGS=
  [ ! -e /var/lib/kubelet/kubeadm-flags.env ] || . /var/lib/kubelet/kubeadm-flags.env
  # shellcheck disable=SC2086 - several words
  exec kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
    --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml \
    --resolv-conf=/etc/pods-resolv.conf --fail-cgroupv1=false $KUBELET_KUBEADM_ARGS
}

start_node() {
  touch $services/containerd.wanted
  keep containerd /etc/containerd/config.toml containerd &
  keep kubelet /var/lib/kubelet/config.yaml bash -c '. /usr/local/lib/node.sh; run_kubelet' &
  for _ in {1..200}; do ctr version > /dev/null 2>&1 && break; sleep 0.1; done
}

wait_for_ever() {
  while :; do sleep 3600 & wait $!; done
}
