// Kube-router's network policy controller alone: it turns NetworkPolicies into rules of iptables and sets of ipset.
//
// The whole of kube-router would also bring its router and service proxy, with BGP and a cloud's SDK to compile, and
// would have to be let read Services and their endpoints.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"github.com/cloudnativelabs/kube-router/v2/pkg/utils"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const (
	bridgeFilter = "/proc/sys/net/bridge/bridge-nf-call-iptables"
	// Lets pass what policies allow: the last rule that a complete round writes.
	acceptRule = "--mark 0x20000/0x20000 -j ACCEPT"
)

func main() {
	config := options.NewKubeRouterConfig()
	config.EnableIPv4 = true
	health := flag.String("health", "127.0.0.1:20244", "address to tell at whether policies are in force")
	services := flag.String("service-cluster-ip-range", "", "addresses of Services")
	flag.StringVar(&config.Kubeconfig, "kubeconfig", "", "how to reach the API server")
	flag.StringVar(&config.HostnameOverride, "node", "", "name of the Node whose pods are guarded")
	flag.DurationVar(&config.IPTablesSyncPeriod, "sync-period", time.Minute, "at least this often all rules are written")
	klog.InitFlags(nil)
	flag.Parse()
	config.ClusterIPCIDRs = []string{*services}
	if err := run(config, *health); err != nil {
		klog.Fatal(err)
	}
}

func run(config *options.KubeRouterConfig, address string) error {
	access, err := clientcmd.BuildConfigFromFlags("", config.Kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(access)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	handlers, sets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		return err
	}
	var lock sync.Mutex
	guard, err := netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &lock, handlers, sets)
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	factory.Start(stop)
	for kind, isSynced := range factory.WaitForCacheSync(stop) {
		if !isSynced {
			return fmt.Errorf("%v could not be read", kind)
		}
	}
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods:       guard.PodEventHandler,
		namespaces: guard.NamespaceEventHandler,
		policies:   guard.NetworkPolicyEventHandler,
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	beats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range beats {
		}
	}()
	var running sync.WaitGroup
	running.Add(1)
	go guard.Run(beats, stop, &running)

	http.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) {
		if reason := whyNotInForce(handlers[v1.IPv4Protocol]); reason != "" {
			http.Error(answer, reason, http.StatusServiceUnavailable)
		}
	})
	return http.ListenAndServe(address, nil)
}

// whyNotInForce asks the kernel, not the controller, which only knows that it tried.
func whyNotInForce(rules utils.IPTablesHandler) string {
	setting, err := os.ReadFile(bridgeFilter)
	if err != nil || strings.TrimSpace(string(setting)) != "1" {
		return "packets between pods on a bridge do not pass the filter: see " + bridgeFilter
	}
	forwarded, err := rules.List("filter", "FORWARD")
	if err != nil {
		return err.Error()
	}
	if !strings.Contains(strings.Join(forwarded, "\n"), acceptRule) {
		return "the rules are not complete yet"
	}
	return ""
}
