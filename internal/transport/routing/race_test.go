//go:build race

package routing_test

// slower is how many times fewer iterations tests make under the race detector, which takes ten times as long for each; near is what it adds to how far from the best
// known a plan may then be.
const (
	slower = 8
	near   = 0.3
)
