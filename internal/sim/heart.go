package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"doorstep/internal/reading/rule"
)

// Heart is one simulated person with heart failure: what her scale, watch and answers said, day by day, and when she became worse.
type Heart struct {
	Samples []rule.Sample // weight kg, pulse /min and symptoms, in order
	Worse   []rule.Span   // from 14 days before an admission until it
}

// The life of a heart. What is published is cited; the rest is set so that the rule of thumb, more than 2 kg in 3 days, does about
// as it does in studies: it foresees about a fifth of admissions (21 %, Ledwidge 2013; 20 %, Gyllensten 2016), and about one in
// sixteen of its alerts is true (EHJ Digital Health 2023).
const (
	admissions  = 0.07  // a month
	warning     = 14    // days in which an admission may be seen coming
	dayNoise    = 0.4   // kg from day to day, half of it carried over
	scaleNoise  = 0.1   // kg
	clothes     = 0.006 // of weighings: coat or shoes, 1 to 3 kg
	saltyDays   = 0.006 // of days begin two days of 1 to 2 kg of water that goes by itself
	colds       = 0.01  // of days begin three days of a faster pulse
	notWeighed  = 0.12  // of days
	tired       = 0.05  // of days a symptom is reported without a reason
	gradual     = 0.45  // of admissions: 1 to 3.5 kg over two weeks
	sudden      = 0.20  // of admissions: 2.5 to 4.5 kg over three days; the others show no gain (half gain less than 1 kg, Chaudhry 2007)
	fasterPulse = 0.70  // of admissions: 6 to 14 beats more, over ten days
	tellsOf     = 0.80  // of admissions: symptoms on nearly half of the last six days
)

// Hearts answers so many people over so many days, the same for the same seed.
func Hearts(seed uint64, people, days int, start time.Time) []Heart {
	out := make([]Heart, people)
	for i := range out {
		out[i] = newHeart(rand.New(rand.NewPCG(seed, uint64(i))), days, start)
	}
	return out
}

func newHeart(r *rand.Rand, days int, start time.Time) Heart {
	var h Heart
	extra, pulse, symptom := make([]float64, days), make([]float64, days), make([]float64, days)
	for d := range symptom {
		symptom[d] = tired
	}
	for d := 0; d < days; d++ {
		if r.Float64() < admissions/30 && d > 28+warning {
			worsen(r, d, extra, pulse, symptom)
			at := start.AddDate(0, 0, d)
			h.Worse = append(h.Worse, rule.Span{From: at.AddDate(0, 0, -warning), Until: at})
			d += 2 * warning // she comes home at her old weight
		}
	}
	passing(r, saltyDays, 2, extra, func() float64 { return 1 + r.Float64() })
	passing(r, colds, 3, pulse, func() float64 { return 6 + 6*r.Float64() })
	weight, resting, carried := 80+15*r.NormFloat64(), 72+8*r.NormFloat64(), 0.0
	for d := range days {
		at := start.AddDate(0, 0, d)
		carried = carried/2 + dayNoise*math.Sqrt(0.75)*r.NormFloat64()
		if r.Float64() < notWeighed {
			continue
		}
		kg := weight + carried + extra[d] + scaleNoise*r.NormFloat64()
		if r.Float64() < clothes {
			kg += 1 + 2*r.Float64()
		}
		felt := 0.0
		if r.Float64() < symptom[d] {
			felt = 1
		}
		h.Samples = append(h.Samples, rule.Sample{Series: "8867-4", At: at, Value: math.Round(resting + pulse[d] + 3*r.NormFloat64())},
			rule.Sample{Series: rule.Symptoms, At: at.Add(time.Minute), Value: felt},
			rule.Sample{Series: "29463-7", At: at.Add(2 * time.Minute), Value: math.Round(10*kg) / 10})
	}
	return h
}

// worsen lets the days before an admission go the way of one.
func worsen(r *rand.Rand, admitted int, extra, pulse, symptom []float64) {
	gain, over := 0.0, warning
	switch way := r.Float64(); {
	case way < gradual:
		gain = 1 + 2.5*r.Float64()
	case way < gradual+sudden:
		gain, over = 2.5+2*r.Float64(), 3
	}
	ramp(extra, admitted, over, gain)
	if r.Float64() < fasterPulse {
		ramp(pulse, admitted, 10, 6+8*r.Float64())
	}
	if r.Float64() < tellsOf {
		for d := admitted - 6; d <= admitted; d++ {
			symptom[d] = 0.45
		}
	}
}

// ramp rises to a height over so many days until one.
func ramp(to []float64, until, over int, height float64) {
	for k := range over {
		to[until-k] += height * float64(over-k) / float64(over)
	}
}

// passing strews heights over days that go by themselves.
func passing(r *rand.Rand, share float64, last int, to []float64, height func() float64) {
	for d := range to {
		if r.Float64() >= share {
			continue
		}
		h := height()
		for k := d; k < min(d+last, len(to)); k++ {
			to[k] += h
		}
	}
}

// WarmUp is how many days of a heart's life rules see before they are scored: the baseline's.
const WarmUp = 28

// ScoreHearts answers how rules would have done on the days after the warm-up.
func ScoreHearts(hearts []Heart, rules []rule.Rule) rule.Score {
	var total rule.Score
	for _, h := range hearts {
		if len(h.Samples) == 0 {
			continue
		}
		from := h.Samples[0].At.AddDate(0, 0, WarmUp)
		total.Add(rule.BacktestFrom(rules, h.Samples, h.Worse, from))
	}
	return total
}
