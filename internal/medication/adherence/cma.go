package adherence

import "math"

// Measures are CMA1 to CMA9, CMA1 first: parts of 1, above 1 where supply exceeds the days and the measure does not cap it, NaN
// where a measure has no meaning. In all, inside means in the observation window, its first and last day included.
//
//	CMA1  supply inside without the last fill's / days from the first to the last fill inside
//	CMA2  supply inside / days from the first fill inside to the window's end
//	CMA3  CMA1, at most 1
//	CMA4  CMA2, at most 1
//	CMA5  days with supply from the first to the last fill inside / these days; supply carried over inside
//	CMA6  the same to the window's end
//	CMA7  days with supply in the whole window / its days; supply carried in from before
//	CMA8  the same, the window beginning only when the supply from before has run out
//	CMA9  each day of the window weighted with the share of its interval between fills that had supply
//
// Dima & Dediu (2017), table 1.
type Measures [9]float64

// CMA answers the n-th measure, n from 1 to 9.
func (m Measures) CMA(n int) float64 { return m[n-1] }

// Measure answers a person's measures; all are NaN without fills or when the window reaches out of follow-up.
func Measure(fills []Fill, o Options) Measures {
	var m Measures
	for i := range m {
		m[i] = math.NaN()
	}
	end, from, to := o.window()
	all := line(fills, end)
	if len(all) == 0 || from < 0 || to > end || from > to {
		return m
	}
	upTo := 0 // how many fills come up to the window's last day
	for upTo < len(all) && all[upTo].at <= to {
		upTo++
	}
	known := all[:upTo]
	first := 0 // the first fill inside
	for first < upTo && known[first].at < from {
		first++
	}
	if inside := known[first:]; len(inside) > 0 {
		m[0], m[1] = possession(inside, to)
		m[2], m[3] = capped(m[0]), capped(m[1])
		m[4], m[5] = use(inside, to, o)
	}
	carried := intervals(known, to, true, o)
	m[6] = covered(known, carried, from, to)
	m[7] = covered(known, carried, lagged(known, carried, from), to)
	m[8] = spread(all, end, from, to, o)
	return m
}

func capped(v float64) float64 {
	if v > 1 {
		return 1
	}
	return v // NaN stays
}

// over answers a/b, NaN where b is no stretch of time.
func over(a, b float64) float64 {
	if b <= 0 {
		return math.NaN()
	}
	return a / b
}

// possession answers CMA1 and CMA2 of the fills inside.
func possession(inside []supply, to float64) (cma1, cma2 float64) {
	last := len(inside) - 1
	sum := 0.0
	for _, f := range inside[:last] {
		sum += f.days
	}
	return over(sum, inside[last].at-inside[0].at), over(sum+inside[last].days, to-inside[0].at)
}

// use answers CMA5 and CMA6 of the fills inside.
func use(inside []supply, to float64, o Options) (cma5, cma6 float64) {
	last := len(inside) - 1
	x := intervals(inside, to, true, o)
	gaps := 0.0
	for _, g := range x[:last] {
		gaps += g.gap
	}
	return 1 - over(gaps, inside[last].at-inside[0].at), 1 - over(gaps+x[last].gap, to-inside[0].at)
}

// covered answers CMA7: the share of from..to with supply.
func covered(known []supply, x []interval, from, to float64) float64 {
	if len(known) == 0 || to <= from {
		return math.NaN()
	}
	i := 0
	for i < len(known) && known[i].at < from {
		i++
	}
	var gaps float64
	switch {
	case i == len(known): // all fills lie before the window
		gaps = min(x[i-1].gap, to-from)
	case i == 0:
		gaps = known[0].at - from
	default:
		gaps = min(x[i-1].gap, known[i].at-from)
	}
	for ; i < len(x); i++ {
		gaps += x[i].gap
	}
	return 1 - gaps/(to-from)
}

// lagged answers the day on which the supply of fills before the window runs out, from when there is none left. It is a whole
// day, as in AdhereR, also where a change of dose left a part of one.
func lagged(known []supply, x []interval, from float64) float64 {
	start := from
	for i, f := range known {
		if f.at < from {
			start = max(start, f.at+f.days+x[i].carry)
		}
	}
	return math.Floor(start)
}

// spread answers CMA9.
func spread(all []supply, end, from, to float64, o Options) float64 {
	if to <= from || all[0].at > to {
		return math.NaN()
	}
	sum := 0.0
	for i, x := range intervals(all, end, true, o) {
		if inside := min(all[i].at+x.days, to) - max(all[i].at, from); inside > 0 {
			sum += (1 - x.gap/x.days) * inside
		}
	}
	return sum / (to - from)
}
