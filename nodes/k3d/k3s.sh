#!/bin/bash
# Stands in for the k3s program inside a k3d node: takes k3s' command line and starts plain Kubernetes through kubeadm.
# k3d waits for lines that k3s logs, and rewrites a manifest of CoreDNS; the rest of k3s is not here.
. /usr/local/lib/node.sh
manifests=/var/lib/rancher/k3s/server/manifests
certs=/var/lib/rancher/k3s/agent/etc/containerd/certs.d
kubeadm_config=/etc/node-kubeadm.yaml

log() { printf 'time="%s" level=info msg="%s"\n' "$(date -u +%FT%TZ)" "$*"; }

parse() {
  role=${1:-agent}
  shift || true
  sans=() labels='' pod_range=10.42.0.0/16 service_range=10.43.0.0/16 api_arguments=() seccomp_default=false
  local key value
  while [ $# -gt 0 ]; do
    key=$1 value=''
    case $key in
      --cluster-init) shift; continue ;;
      *=*) value=${key#*=}; key=${key%%=*}; shift ;;
      *) value=${2:-}; shift; [ $# -eq 0 ] || shift ;;
    esac
    case $key in
      --tls-san) sans+=("$value") ;;
      --node-label) labels=$labels,$value ;;
      --cluster-cidr) pod_range=$value ;;
      --service-cidr) service_range=$value ;;
      --kube-apiserver-arg) api_arguments+=("$value") ;;
      --kubelet-arg) [ "${value%%=*}" != seccomp-default ] || seccomp_default=true ;;
      *) log "option $key $value is ignored" ;;
    esac
  done
  labels=${labels#,}
}

registration() {
  cat <<EOF
nodeRegistration:
  criSocket: unix:///run/containerd/containerd.sock
  name: $HOSTNAME
  taints: []
  kubeletExtraArgs:
    - { name: node-ip, value: "$ip" }
    - { name: node-labels, value: "$labels" }
    - { name: seccomp-default, value: "$seccomp_default" }
EOF
}

configure_server() {
  local each
  cat <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $(cat /kind/version)
controlPlaneEndpoint: $HOSTNAME:6443
networking: { podSubnet: $pod_range, serviceSubnet: $service_range }
apiServer:
  certSANs:
    - localhost
    - 127.0.0.1
    - $HOSTNAME
    - "$ip"
EOF
  for each in "${sans[@]}"; do echo "    - \"$each\""; done
  if [ ${#api_arguments[@]} -gt 0 ]; then
    echo "  extraArgs:"
    for each in "${api_arguments[@]}"; do echo "    - { name: ${each%%=*}, value: \"${each#*=}\" }"; done
  fi
  cat <<EOF
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens: [{ token: $token, ttl: 0s }]
localAPIEndpoint: { advertiseAddress: "$ip", bindPort: 6443 }
EOF
  registration
  cat <<EOF
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failSwapOn: false
cgroupRoot: /kubelet
imageGCHighThresholdPercent: 100
evictionHard: { nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0% }
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: { maxPerCore: 0 }
EOF
}

write_kubeconfig() {
  # k3d renames cluster, user and context, each of which has to be called `default`.
  local out=${K3S_KUBECONFIG_OUTPUT:-/etc/rancher/k3s/k3s.yaml} ca certificate key
  ca=$(kubectl config view --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')
  certificate=$(kubectl config view --raw -o 'jsonpath={.users[0].user.client-certificate-data}')
  key=$(kubectl config view --raw -o 'jsonpath={.users[0].user.client-key-data}')
  mkdir -p "$(dirname "$out")" /etc/rancher/k3s
  cat > "$out" <<EOF
apiVersion: v1
kind: Config
clusters: [{ name: default, cluster: { server: "https://127.0.0.1:6443", certificate-authority-data: $ca } }]
users: [{ name: default, user: { client-certificate-data: $certificate, client-key-data: $key } }]
contexts: [{ name: default, context: { cluster: default, user: default } }]
current-context: default
EOF
  [ "$out" = /etc/rancher/k3s/k3s.yaml ] || cp "$out" /etc/rancher/k3s/k3s.yaml
}

write_dns_manifest() {
  # k3d writes the names of nodes into the key NodeHosts of this ConfigMap and expects it to be applied again.
  mkdir -p $manifests
  kubectl --namespace=kube-system get configmap coredns --output=json | jq '{
    apiVersion, kind, metadata: { name: .metadata.name, namespace: .metadata.namespace },
    data: {
      Corefile: (.data.Corefile | sub("ready\n"; "ready\n    hosts /etc/coredns/NodeHosts {\n      ttl 60\n      reload 15s\n      fallthrough\n    }\n")),
      NodeHosts: ""
    }
  }' > $manifests/coredns.yaml
  kubectl --namespace=kube-system patch deployment coredns --type=json --patch='[{ "op": "add",
    "path": "/spec/template/spec/volumes/0/configMap/items/-", "value": { "key": "NodeHosts", "path": "NodeHosts" } }]' \
    > /dev/null
}

watch_manifests() {
  (
    last=
    while :; do
      now=$(cat $manifests/*.y*ml 2> /dev/null | sha256sum)
      if [ "$now" != "$last" ]; then
        kubectl apply --filename=$manifests >> /var/log/node/manifests.log 2>&1 && last=$now
      fi
      sleep 2
    done
  ) &
  log "Cluster dns configmap has been set"
}

start_server() {
  configure_server > $kubeadm_config
  if ! kubeadm init --config $kubeadm_config --skip-phases=preflight > /var/log/node/kubeadm.log 2>&1; then
    log "kubeadm failed"
    tail -30 /var/log/node/kubeadm.log
    exit 1
  fi
  log "Running kube-apiserver"
  export KUBECONFIG=/etc/kubernetes/admin.conf
  kubectl create --filename=/kind/manifests/default-cni.yaml > /dev/null
  write_kubeconfig
  write_dns_manifest
  watch_manifests
  log "k3s is up and running"
}

start_agent() {
  {
    printf '%s\n' "apiVersion: kubeadm.k8s.io/v1beta4" "kind: JoinConfiguration" "discovery:" "  bootstrapToken:" \
      "    apiServerEndpoint: ${K3S_URL#https://}" "    token: $token" "    unsafeSkipCAVerification: true"
    registration
  } > $kubeadm_config
  until kubeadm join --config $kubeadm_config --skip-phases=preflight > /var/log/node/kubeadm.log 2>&1; do
    log "joining failed, trying again"
    tail -3 /var/log/node/kubeadm.log
    sleep 3
  done
  mkdir -p /etc/rancher/k3s
  cp /etc/kubernetes/kubelet.conf /etc/rancher/k3s/k3s.yaml
  log "Successfully registered node $HOSTNAME"
}

start_again() {
  touch $services/kubelet.wanted
  [ "$role" != server ] || watch_manifests
  log "k3s is up and running"
  log "Running kube-apiserver"
  log "Successfully registered node $HOSTNAME"
}

parse "$@"
# Servers and agents share a text; kubeadm's token is made of it on both sides.
digest=$(printf %s "$K3S_TOKEN" | sha256sum)
token=${digest:0:6}.${digest:6:16}
mkdir -p $certs
sed -i "s#config_path = .*#config_path = \"$certs\"#" /etc/containerd/config.toml
prepare_node
start_node
log "Containerd is now running"
ip=$(ip -4 -o addr show eth0 | awk '{ sub("/.*", "", $4); print $4; exit }')
if [ "$role" = server ] && [ ! -e /etc/kubernetes/admin.conf ]; then
  start_server
elif [ "$role" = agent ] && [ ! -e /etc/kubernetes/kubelet.conf ]; then
  start_agent
else
  start_again
fi
trap 'exit 0' TERM INT
wait_for_ever
