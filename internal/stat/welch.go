package stat

import "math"

// Welch is the difference of the means of two groups of unequal spread.
type Welch struct {
	Difference float64 // mean of a less mean of b
	Low, High  float64 // 95 % interval
	Freedom    float64 // degrees of freedom
}

// NewWelch answers the difference of two means with its 95 % interval by Student's t with the degrees of freedom of Welch and
// Satterthwaite. Each value must be independent of the others: one per patient, not one per dose. NaN bounds where a group has fewer
// than two values; with no spread at all the interval is the difference itself.
//
// Welch BL (1947), The generalization of Student's problem when several different population variances are involved, Biometrika 34:28.
func NewWelch(a, b []float64) Welch {
	w := Welch{Difference: Mean(a) - Mean(b), Low: math.NaN(), High: math.NaN(), Freedom: math.NaN()}
	if len(a) < 2 || len(b) < 2 {
		return w
	}
	va, vb := Variance(a)/float64(len(a)), Variance(b)/float64(len(b))
	if va+vb == 0 {
		w.Low, w.High = w.Difference, w.Difference
		return w
	}
	w.Freedom = (va + vb) * (va + vb) / (va*va/float64(len(a)-1) + vb*vb/float64(len(b)-1))
	half := studentQuantile(0.975, w.Freedom) * math.Sqrt(va+vb)
	w.Low, w.High = w.Difference-half, w.Difference+half
	return w
}

// Variance answers the variance of a sample of two values or more (n-1).
func Variance(v []float64) float64 {
	m, sum := Mean(v), 0.0
	for _, x := range v {
		sum += (x - m) * (x - m)
	}
	return sum / float64(len(v)-1)
}

// studentQuantile answers the value that Student's t with some degrees of freedom stays below with a probability above a half, by
// halving an interval: the distribution function only rises.
func studentQuantile(p, freedom float64) float64 {
	low, high := 0.0, 1.0
	for studentBelow(high, freedom) < p {
		high *= 2
	}
	for range 200 {
		middle := (low + high) / 2
		if middle == low || middle == high {
			break
		}
		if studentBelow(middle, freedom) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// studentBelow is the distribution function of Student's t for t >= 0, by the incomplete beta function (Abramowitz and Stegun 1964,
// 26.7.1).
func studentBelow(t, freedom float64) float64 {
	return 1 - incompleteBeta(freedom/(freedom+t*t), freedom/2, 0.5)/2
}

// incompleteBeta is the regularized incomplete beta function, by its continued fraction (Abramowitz and Stegun 1964, 26.5.8), worked out
// forwards by Lentz's method.
func incompleteBeta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2): // the fraction settles quickly on the other side
		return 1 - incompleteBeta(1-x, b, a)
	}
	ga, _ := math.Lgamma(a)
	gb, _ := math.Lgamma(b)
	gab, _ := math.Lgamma(a + b)
	front := math.Exp(gab-ga-gb+a*math.Log(x)+b*math.Log1p(-x)) / a
	const tiny, terms = 1e-300, 10_000
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	f := d
	for i := 1; i < terms; i++ {
		m := float64(i)
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/away(1+even*d), away(1+even/c)
		f *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/away(1+odd*d), away(1+odd/c)
		step := d * c
		f *= step
		if math.Abs(step-1) < 1e-15 {
			break
		}
	}
	return front * f
}
