package glucose

import (
	"math"
	"time"
)

// Kind is a kind of episode of the 2023 consensus (Battelino T et al., Lancet Diabetes Endocrinol 11:42).
type Kind string

const (
	Hypo1        Kind = "hypo lv1"       // below 70 for at least 15 minutes
	Hypo2        Kind = "hypo lv2"       // below 54 for at least 15 minutes
	HypoExtended Kind = "hypo extended"  // below 70 for more than 120 minutes
	Hyper1       Kind = "hyper lv1"      // above 180 for at least 15 minutes
	Hyper2       Kind = "hyper lv2"      // above 250 for at least 15 minutes
	HypoOnly1    Kind = "hypo lv1_excl"  // lv1 that never became lv2
	HyperOnly1   Kind = "hyper lv1_excl" // lv1 that never became lv2
)

// Kinds are all kinds.
var Kinds = []Kind{Hypo1, Hypo2, HypoExtended, Hyper1, Hyper2, HypoOnly1, HyperOnly1}

// Episode is one episode: it ends when at least 15 minutes in a row lie on the good side of the threshold, or where the readings
// break off. Shorter returns belong to it.
type Episode struct {
	Start   time.Time
	Minutes float64
	Mean    float64 // mg/dL
}

// hold is how long glucose must stay beyond a threshold to begin an episode, and back to end it.
const hold = 15 * time.Minute

// Episodes answers the episodes of every kind, in order, and the days for which glucose is known, from readings in any order.
func Episodes(readings []Reading) (byKind map[Kind][]Episode, days float64) {
	tidy := Tidy(readings)
	g := newGrid(tidy, stepFor(tidy))
	steps := func(d time.Duration) int { return int((d + g.step - 1) / g.step) }
	byKind = map[Kind][]Episode{}
	known := 0
	for from := 0; from < len(g.mgDL); {
		if math.IsNaN(g.mgDL[from]) {
			from++
			continue
		}
		to := from
		for to < len(g.mgDL) && !math.IsNaN(g.mgDL[to]) {
			to++
		}
		known += to - from
		part := g.mgDL[from:to]
		below := func(limit float64) func(float64) bool { return func(v float64) bool { return v < limit } }
		above := func(limit float64) func(float64) bool { return func(v float64) bool { return v > limit } }
		add := func(k Kind, list []span) {
			for _, s := range list {
				sum := 0.0
				for _, v := range part[s.from:s.to] {
					sum += v
				}
				n := float64(s.to - s.from)
				byKind[k] = append(byKind[k], Episode{g.from.Add(time.Duration(from+s.from) * g.step), n * g.step.Minutes(), sum / n})
			}
		}
		short := steps(hold)
		low, veryLow := spans(part, below(Low), short, short), spans(part, below(VeryLow), short, short)
		high, veryHigh := spans(part, above(High), short, short), spans(part, above(VeryHigh), short, short)
		add(Hypo1, low)
		add(Hypo2, veryLow)
		add(HypoExtended, spans(part, below(Low), int(2*time.Hour/g.step)+1, short))
		add(Hyper1, high)
		add(Hyper2, veryHigh)
		add(HypoOnly1, without(low, veryLow))
		add(HyperOnly1, without(high, veryHigh))
		from = to
	}
	return byKind, float64(known) * g.step.Hours() / 24
}

// span is the values from..to, to excluded.
type span struct{ from, to int }

// spans answers where out holds for at least begin values in a row, up to where it does not for at least end values in a row.
func spans(v []float64, out func(float64) bool, begin, end int) []span {
	var list []span
	open := false
	for i := 0; i < len(v); {
		k := i
		for k < len(v) && out(v[k]) == out(v[i]) {
			k++
		}
		switch {
		case out(v[i]) && !open && k-i >= begin:
			list = append(list, span{i, len(v)})
			open = true
		case !out(v[i]) && open && k-i >= end:
			list[len(list)-1].to = i
			open = false
		}
		i = k
	}
	return list
}

// without answers the spans that none of the others lies in.
func without(list, others []span) []span {
	var out []span
	for _, s := range list {
		clear := true
		for _, o := range others {
			clear = clear && (o.to <= s.from || s.to <= o.from)
		}
		if clear {
			out = append(out, s)
		}
	}
	return out
}
