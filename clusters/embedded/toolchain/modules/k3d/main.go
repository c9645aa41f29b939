// k3d as its own main has it: https://github.com/k3d-io/k3d/blob/v5.8.3/main.go
package main

import "github.com/k3d-io/k3d/v5/cmd"

func main() {
	cmd.Execute()
}
