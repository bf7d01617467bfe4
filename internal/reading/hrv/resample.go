package hrv

import "math"

// resample answers the intervals at even times, Hz of them a second, from the end of the first interval to before that of the last.
func resample(rr []float64, m Method) []float64 {
	at := make([]float64, len(rr)) // s
	for i := 1; i < len(rr); i++ {
		at[i] = at[i-1] + rr[i]/1000
	}
	n := int(math.Ceil(at[len(at)-1] * m.Hz))
	var bend []float64
	if m.Interpolation == Cubic {
		bend = spline(at, rr)
	}
	out := make([]float64, n)
	k := 0
	for i := range out {
		t := float64(i) / m.Hz
		for k < len(at)-2 && at[k+1] <= t {
			k++
		}
		h := at[k+1] - at[k]
		a, b := (at[k+1]-t)/h, (t-at[k])/h
		out[i] = a*rr[k] + b*rr[k+1]
		if bend != nil {
			out[i] += ((a*a*a-a)*bend[k] + (b*b*b-b)*bend[k+1]) * h * h / 6
		}
	}
	return out
}

// spline answers the second derivatives, at each of at least four points, of the cubic spline through them whose third
// derivative does not jump at the second and the last but one (not-a-knot; de Boor, A Practical Guide to Splines, ch. IV).
func spline(x, y []float64) []float64 {
	n := len(x)
	h := make([]float64, n-1)
	slope := make([]float64, n-1)
	for i := range h {
		h[i] = x[i+1] - x[i]
		slope[i] = (y[i+1] - y[i]) / h[i]
	}
	below, mid, above, right := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := 1; i < n-1; i++ {
		below[i], mid[i], above[i] = h[i-1], 2*(h[i-1]+h[i]), h[i]
		right[i] = 6 * (slope[i] - slope[i-1])
	}
	mid[1] += h[0] + h[0]*h[0]/h[1]
	above[1] -= h[0] * h[0] / h[1]
	mid[n-2] += h[n-2] + h[n-2]*h[n-2]/h[n-3]
	below[n-2] -= h[n-2] * h[n-2] / h[n-3]
	for i := 2; i < n-1; i++ { // Thomas' elimination
		w := below[i] / mid[i-1]
		mid[i] -= w * above[i-1]
		right[i] -= w * right[i-1]
	}
	m := make([]float64, n)
	m[n-2] = right[n-2] / mid[n-2]
	for i := n - 3; i > 0; i-- {
		m[i] = (right[i] - above[i]*m[i+1]) / mid[i]
	}
	m[0] = m[1] + (m[1]-m[2])*h[0]/h[1]
	m[n-1] = m[n-2] + (m[n-2]-m[n-3])*h[n-2]/h[n-3]
	return m
}
