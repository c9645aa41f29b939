// etcd as its own main has it: https://github.com/etcd-io/etcd/blob/v3.6.6/server/main.go
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
