package bench

import (
	"container/heap"
	"context"
	"math"
	"math/rand/v2"

	"doorstep/internal/app"
	"doorstep/internal/store"
	"doorstep/internal/waiting/estimate"
)

// crowd is a simulated clinic: people come at random, wait in one line, and leave when their patience ends. The estimator is told what a
// clinic sees: who waits, who is with whom and since when, and that a visit is planned to take 15 minutes. It is not told how long visits
// really take, how fast people come, or how soon they leave.
type crowd struct {
	name    string
	servers int
	load    float64 // arrivals by what the servers could see
	swing   float64 // of the rate of arrivals over the day, as a part of it: a sine
	days    int
}

const (
	crowdVisit    = 12.0 // minutes, log-normal
	crowdSpread   = 0.6  // standard deviation by mean
	crowdPatience = 60.0 // minutes, exponential
	crowdDay      = 600.0
	crowdPlan     = 15.0
	crowdSeeds    = 4
)

var crowds = []crowd{
	{"3at0.9", 3, 0.9, 0, 20},
	{"3at1.1", 3, 1.1, 0.5, 20},
	{"8at1.0", 8, 1.0, 0.5, 8},
}

// guest is one person of a crowd.
type guest struct {
	came, leaves float64
	said         estimate.Wait
	low, high    float64
	from, to     int
	oldest       float64 // how long the first in line had waited, plus 15
	plain        float64 // the queue-length estimator with abandonment, with what has been learnt
	delayed      bool
}

// score is how estimates turned out.
type score struct {
	n, covered, told           int
	squares, oldest, plain, wd float64
}

func (s *score) add(o score) {
	s.n, s.covered, s.told = s.n+o.n, s.covered+o.covered, s.told+o.told
	s.squares, s.oldest, s.plain, s.wd = s.squares+o.squares, s.oldest+o.oldest, s.plain+o.plain, s.wd+o.wd
}

func rmse(squares float64, n int) float64 { return math.Sqrt(squares / float64(n)) }

// waitingEstimate measures what people are told on arrival against what became of it, among those who had to wait and were seen, beside
// "the longest wait so far and 15 minutes" on the same people.
func waitingEstimate(ctx context.Context, _ *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	var out []app.Figure
	for _, c := range crowds {
		var all score
		for seed := range crowdSeeds {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			all.add(c.run(uint64(seed) + 1))
		}
		n := float64(all.n)
		name := "waiting.estimate." + c.name
		ratio := rmse(all.squares, all.n) / rmse(all.oldest, all.n)
		out = append(out,
			app.Figure{Name: name + ".rmse", Value: rmse(all.squares, all.n), Unit: "min", N: all.n},
			app.Figure{Name: name + ".longest15.rmse", Value: rmse(all.oldest, all.n), Unit: "min", N: all.n},
			app.Figure{Name: name + ".qlm.rmse", Value: rmse(all.plain, all.n), Unit: "min", N: all.n},
			app.Figure{Name: name + ".ratio", Value: ratio, Unit: "ratio", N: all.n},
			app.Figure{Name: name + ".coverage", Value: float64(all.covered) / n, Unit: "share", N: all.n},
			app.Figure{Name: name + ".told", Value: float64(all.told) / n, Unit: "share", N: all.n},
			app.Figure{Name: name + ".width", Value: all.wd / n, Unit: "min", N: all.n})
	}
	return out, nil
}

// ends are when visits end, the next first.
type ends []float64

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i] < e[j] }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(float64)) }
func (e *ends) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// run lets a crowd's days pass, each beginning with an empty house, with what was learnt before.
func (c crowd) run(seed uint64) score {
	r := rand.New(rand.NewPCG(seed, 0x63726f7764))
	var s score
	var l estimate.Learner
	var cal estimate.Calibrator
	for range c.days {
		c.day(r, &s, &l, &cal)
	}
	return s
}

func (c crowd) day(r *rand.Rand, s *score, l *estimate.Learner, cal *estimate.Calibrator) {
	v := math.Log1p(crowdSpread * crowdSpread)
	visit := func() float64 { return math.Exp(math.Log(crowdVisit) - v/2 + math.Sqrt(v)*r.NormFloat64()) }
	most := c.load * float64(c.servers) / crowdVisit * (1 + c.swing)
	type seen struct{ began, ends float64 }
	var busy []seen // one for each clinician who is with somebody
	var line []guest
	var done ends
	next := r.ExpFloat64() / most
	for next < crowdDay || len(line) > 0 || len(busy) > 0 {
		if len(done) > 0 && (next >= crowdDay || done[0] < next) { // somebody is free
			now := heap.Pop(&done).(float64)
			for i, b := range busy {
				if b.ends == now {
					l.Seen("visit", "", crowdPlan, b.ends-b.began)
					busy = append(busy[:i], busy[i+1:]...)
					break
				}
			}
			for len(line) > 0 && len(busy) < c.servers {
				g := line[0]
				line = line[1:]
				if g.leaves <= now {
					l.Waited(g.leaves-g.came, true)
					continue
				}
				l.Waited(now-g.came, false)
				if g.delayed {
					wait := now - g.came
					s.n++
					s.squares += (wait - g.said.Mean) * (wait - g.said.Mean)
					s.oldest += (wait - g.oldest) * (wait - g.oldest)
					s.plain += (wait - g.plain) * (wait - g.plain)
					s.wd += g.high - g.low
					if wait >= g.low && wait <= g.high {
						s.covered++
					}
					if wait >= float64(g.from) && wait <= float64(g.to) {
						s.told++
					}
					cal.Ended(g.low, g.high, wait)
				}
				busy = append(busy, seen{now, now + visit()})
				heap.Push(&done, busy[len(busy)-1].ends)
			}
			continue
		}
		if next >= crowdDay {
			break
		}
		now := next
		next += r.ExpFloat64() / most
		if rate := (1 + c.swing*math.Sin(2*math.Pi*now/crowdDay)) / (1 + c.swing); r.Float64() >= rate {
			continue
		}
		g := guest{came: now, leaves: now + r.ExpFloat64()*crowdPatience}
		if len(busy) < c.servers {
			busy = append(busy, seen{now, now + visit()})
			heap.Push(&done, busy[len(busy)-1].ends)
			continue
		}
		g.delayed = true
		q := estimate.Line{Leave: l.Leave()}
		length := l.Length("visit", "", crowdPlan)
		for _, b := range busy {
			q.Servers = append(q.Servers, estimate.Server{Busy: true, Elapsed: now - b.began, Length: length})
		}
		for _, x := range line {
			if x.leaves > now {
				if g.oldest == 0 {
					g.oldest = now - x.came
				}
				q.People = append(q.People, estimate.Person{Server: estimate.Any, Key: x.came, Length: length})
			}
		}
		g.oldest += 15
		q.People = append(q.People, estimate.Person{Server: estimate.Any, Key: now, Length: length})
		g.said = estimate.Of(q, len(q.People)-1)
		g.plain = estimate.QLm(len(q.People)-1, c.servers, 1/length.Mean, q.Leave)
		g.low, g.high = cal.Range(g.said)
		g.from, g.to = estimate.Round(g.low, g.high)
		line = append(line, g)
	}
}
