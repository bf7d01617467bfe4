//go:build !race

package routing_test

const (
	slower = 1
	near   = 0
)
