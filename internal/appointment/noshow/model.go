package noshow

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/stat"
)

// Visit is what the estimate looks at: nothing else of a person can enter.
type Visit struct {
	Start     time.Time // on the clinic's clock
	Lead      int       // whole days from booking to the visit
	Remote    bool      // the person stays where she is
	Confirmed bool      // she has said that she comes
	Before    int       // her visits before this was booked, held or missed
	Missed    int       // of them, missed
}

// Past is a visit that is over.
type Past struct {
	Visit
	NoShow bool
}

// What is needed before the clinic's own visits are trusted, and how they are divided: the model learns from the earlier ones and is judged by
// the later.
const (
	NeedVisits = 400
	NeedMissed = 40 // and as many held
	learnShare = 0.7

	ridge    = 4.0 // pulls every weight but the first towards 0, as a normal prior of standard deviation a half
	shrink   = 4.0 // a person's own share counts as if she had so many visits more at what is usual
	newtons  = 25
	features = 8
)

// Model is an estimate learnt from a clinic's own visits.
type Model struct {
	Visits, Missed int        // that are known
	Base           float64    // share of missed visits among those it learnt from
	Weights        []float64  // nil: not learnt
	Check          Calibrated // on visits later than all it learnt from
}

// Lacking answers how many visits, missed ones and held ones are missing before the model may be learnt.
func (m Model) Lacking() (visits, missed, held int) {
	return max(0, NeedVisits-m.Visits), max(0, NeedMissed-m.Missed), max(0, NeedMissed-(m.Visits-m.Missed))
}

// Own reports whether estimates come from the clinic's own visits. A model that is no better on later visits than one share for
// everybody is not used.
func (m Model) Own() bool { return m.Weights != nil && m.Check.Brier < m.Check.BrierBase }

// Chance answers the chance that a visit is missed: by the clinic's own visits when there are enough, else by Prior.
func (m Model) Chance(v Visit) float64 {
	if !m.Own() {
		return Prior(v.Lead)
	}
	return m.chance(v)
}

func (m Model) chance(v Visit) float64 {
	x := row(v, m.Base)
	return sigmoid(dot(m.Weights, x[:]))
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
func logit(p float64) float64   { return math.Log(p / (1 - p)) }
func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// row turns a visit into numbers of about the size of 1.
func row(v Visit, base float64) [features]float64 {
	own := (float64(v.Missed) + shrink*base) / (float64(v.Before) + shrink)
	return [features]float64{1, math.Log1p(float64(max(v.Lead, 0))) / 2, logit(own) - logit(base), yes(v.Before == 0), yes(v.Remote), (float64(v.Start.Hour()) - 12) / 4,
		yes(v.Start.Weekday() == time.Monday || v.Start.Weekday() == time.Friday), yes(v.Confirmed)}
}

// Learn fits a logistic model with a ridge by Newton's steps to the earlier part of the visits, and judges it by the later. With too few
// visits it learns nothing and says what is lacking.
func Learn(past []Past) Model {
	list := slices.Clone(past)
	slices.SortStableFunc(list, func(a, b Past) int { return a.Start.Compare(b.Start) })
	m := Model{Visits: len(list)}
	for _, p := range list {
		if p.NoShow {
			m.Missed++
		}
	}
	if a, b, c := m.Lacking(); a+b+c > 0 {
		return m
	}
	cut := int(float64(len(list)) * learnShare)
	early, late := list[:cut], list[cut:]
	for _, p := range early {
		m.Base += yes(p.NoShow) / float64(len(early))
	}
	if m.Base == 0 || m.Base == 1 {
		return m
	}
	m.Weights = fit(early, m.Base)
	chance, missed := make([]float64, len(late)), make([]bool, len(late))
	for i, p := range late {
		chance[i], missed[i] = m.chance(p.Visit), p.NoShow
	}
	m.Check = Calibrate(chance, missed, m.Base)
	return m
}

func fit(list []Past, base float64) []float64 {
	w := make([]float64, features)
	w[0] = logit(base)
	for range newtons {
		var grad [features]float64
		var hess [features][features]float64
		for i := 1; i < features; i++ {
			grad[i], hess[i][i] = -ridge*w[i], ridge
		}
		for _, p := range list {
			x := row(p.Visit, base)
			q := sigmoid(dot(w, x[:]))
			for i := range features {
				grad[i] += (yes(p.NoShow) - q) * x[i]
				for j := range features {
					hess[i][j] += q * (1 - q) * x[i] * x[j]
				}
			}
		}
		step := solve(hess, grad)
		most := 0.0
		for i := range w {
			w[i] += step[i]
			most = max(most, math.Abs(step[i]))
		}
		if most < 1e-9 {
			break
		}
	}
	return w
}

// solve answers x of a·x = b for a positive definite a, by elimination.
func solve(a [features][features]float64, b [features]float64) [features]float64 {
	for i := range features {
		for k := i + 1; k < features; k++ {
			f := a[k][i] / a[i][i]
			for j := i; j < features; j++ {
				a[k][j] -= f * a[i][j]
			}
			b[k] -= f * b[i]
		}
	}
	var x [features]float64
	for i := features - 1; i >= 0; i-- {
		x[i] = b[i]
		for j := i + 1; j < features; j++ {
			x[i] -= a[i][j] * x[j]
		}
		x[i] /= a[i][i]
	}
	return x
}

// Bin is visits with about the same chance: what was said, and what became of them.
type Bin struct {
	Said   float64 // mean chance
	Missed stat.Interval
}

// Calibrated is how right chances were.
type Calibrated struct {
	N         int
	Brier     float64 // mean square of chance less outcome; 0 is perfect
	BrierBase float64 // of one share for everybody
	ECE       float64 // expected calibration error: mean distance of said and seen over the bins, weighted by their visits
	Bins      []Bin   // five of as many visits each, the lowest chance first
}

const bins = 5

// Calibrate compares chances with what became of them. Base is the share that is said of everybody by whom nothing is known.
func Calibrate(chance []float64, missed []bool, base float64) Calibrated {
	c := Calibrated{N: len(chance)}
	order := make([]int, len(chance))
	for i := range order {
		order[i] = i
		d, e := chance[i]-yes(missed[i]), base-yes(missed[i])
		c.Brier += d * d / float64(c.N)
		c.BrierBase += e * e / float64(c.N)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case chance[a] < chance[b]:
			return -1
		case chance[a] > chance[b]:
			return 1
		}
		return 0
	})
	for k := range bins {
		part := order[len(order)*k/bins : len(order)*(k+1)/bins]
		if len(part) == 0 {
			continue
		}
		said, x := 0.0, 0
		for _, i := range part {
			said += chance[i] / float64(len(part))
			if missed[i] {
				x++
			}
		}
		b := Bin{said, stat.Share(x, len(part))}
		c.ECE += math.Abs(said-b.Missed.Value) * float64(len(part)) / float64(c.N)
		c.Bins = append(c.Bins, b)
	}
	return c
}
