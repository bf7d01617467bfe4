package stat

import "math"

// Wilson answers the 95 % interval of a share of x in n (Wilson 1927): it never leaves 0 to 1 and is honest for small n. Without
// any n it is 0 to 1.
func Wilson(x, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	const z = 1.959963984540054
	share, of := float64(x)/float64(n), float64(n)
	middle := share + z*z/(2*of)
	half := z * math.Sqrt(share*(1-share)/of+z*z/(4*of*of))
	all := 1 + z*z/of
	return max(0, (middle-half)/all), min(1, (middle+half)/all)
}
