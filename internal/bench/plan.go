package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/fault"
	"doorstep/internal/journey/plan"
	"doorstep/internal/store"
)

// planCases is how many random months are planned of each size.
const planCases = 20

// planExact answers how long one person's four weeks take to be planned, with the proof: the median and the longest of random months of 12 and of 15
// needs with 4 ways each, half of them with few openings and half open every weekday.
func planExact(ctx context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	var out []app.Figure
	for _, needs := range []int{12, 15} {
		var took []float64
		proved := 0
		for seed := range uint64(planCases) {
			p := month(seed, needs, 4, seed%2 == 1)
			if err := p.Validate(); err != nil {
				return nil, err
			}
			start := time.Now()
			got := p.Solve()
			took = append(took, time.Since(start).Seconds()*1e3)
			if err := p.Check(got); err != nil {
				return nil, err
			}
			if got.Optimal {
				proved++
			}
			if ctx.Err() != nil {
				return nil, fault.New(fault.Unavailable, "The measurement was stopped.")
			}
		}
		slices.Sort(took)
		name := fmt.Sprintf("plan.exact.%d", needs)
		out = append(out, app.Figure{Name: name + ".median_ms", Value: took[len(took)/2], Unit: "ms", N: planCases},
			app.Figure{Name: name + ".max_ms", Value: took[len(took)-1], Unit: "ms", N: planCases},
			app.Figure{Name: name + ".proved", Value: float64(proved), Unit: "months", N: planCases})
	}
	return out, nil
}

// month draws four weeks of one person: eight places within half an hour, two means of getting about, needs with windows of three days to two weeks.
func month(seed uint64, needs, ways int, wide bool) *plan.Problem {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &plan.Problem{Outing: 60, Idle: 1}
	for d := range 28 {
		p.Days = append(p.Days, plan.Day{Span: plan.Span{From: d * 1440, To: d*1440 + 1440}, Out: plan.Span{From: d*1440 + 480, To: d*1440 + 1140}})
	}
	places := make([][2]float64, 9)
	for i := range places {
		places[i] = [2]float64{r.Float64() * 30, r.Float64() * 30}
	}
	for range 2 {
		slow := 1 + r.Float64()
		legs := make([][]plan.Leg, len(places))
		for i, a := range places {
			for j, b := range places {
				minutes := 10 + int((max(a[0]-b[0], b[0]-a[0])+max(a[1]-b[1], b[1]-a[1]))*slow)
				if i == j {
					minutes = 0
				}
				legs[i] = append(legs[i], plan.Leg{Minutes: minutes, Cost: float64(minutes)})
			}
		}
		p.Travel = append(p.Travel, plan.Travel{Legs: legs})
	}
	for range needs {
		first := r.IntN(14)
		last := first + 3 + r.IntN(14)
		var need plan.Need
		for w := range ways {
			way := plan.Way{Minutes: 15 + 5*r.IntN(10), Place: 1 + r.IntN(len(places)-1)}
			way.Cost = float64(way.Minutes) + r.Float64()*30
			if w == 0 && r.IntN(2) == 0 {
				way.Place, way.Present, way.Cost = plan.Home, true, 20+r.Float64()*150
			}
			for d := first; d < min(last, 28); d++ {
				if d%7 < 5 {
					way.Openings = append(way.Openings, openings(r, d*1440, way.Minutes, wide)...)
				}
			}
			need.Ways = append(need.Ways, way)
		}
		p.Needs = append(p.Needs, need)
	}
	return p
}

// openings draws when a way can be had on a day: nine to five, or up to two appointments.
func openings(r *rand.Rand, day, minutes int, wide bool) (out []plan.Opening) {
	if wide {
		return []plan.Opening{{Span: plan.Span{From: day + 540, To: day + 1020}}}
	}
	for range r.IntN(3) {
		from := day + 480 + 15*r.IntN(32)
		out = append(out, plan.Opening{Span: plan.Span{From: from, To: from + minutes + 60*r.IntN(3)}})
	}
	return out
}
