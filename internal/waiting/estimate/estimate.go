// Package estimate says how long a person will still wait, as a range that is right as often as it says.
//
// It never averages finished waits: those are of people who came to another queue, and of none who still wait. It looks at the queue as it
// stands now: who is before her and is expected to be there still (those who leave are not waited for), who is with a clinician and for
// how long already, who is due by appointment and goes first, and when each clinician is there. How long visits take and how soon people
// leave is learnt (Learner); how wide the range has to be is learnt from how the last ranges turned out (Calibrator).
//
// Where visits are exponential and everybody is alike, the mean is the queue-length estimator with abandonment of Whitt, QLm.
package estimate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Server is somebody who sees people. Times are minutes from now.
type Server struct {
	From    float64 // not before this; 0: there now
	Busy    bool
	Elapsed float64 // of the visit that is going on
	Length  Length  // of that visit
}

// Length is how long a visit takes: mean in minutes, and the standard deviation as a part of the mean.
type Length struct{ Mean, CV float64 }

// Person is somebody who waits, or is due.
type Person struct {
	Server int     // who sees her, by index; Any: whoever is free
	Rank   int     // lower goes first, whatever the key
	Key    float64 // then lower goes first
	Due    float64 // minutes from now until she is there; 0 or less: she is there
	Comes  float64 // chance that she comes at all, where she is not there yet
	Length Length  // of her visit
}

// Any stands for whoever is free.
const Any = -1

// Line is a queue as it stands.
type Line struct {
	Servers []Server
	People  []Person
	Leave   float64 // rate at which people who wait leave, per minute
}

// Wait is how long somebody will still wait, in minutes.
type Wait struct {
	Mean, SD float64
	Before   int // people who are there and go before her
}

// draws is how often the queue is played through; the mean is then known to a sixteenth of its spread.
const draws = 256

// none is what a line without a server that may see her answers: nobody knows.
var none = Wait{Mean: math.Inf(1)}

// Of answers how long person who of a line will wait from the moment that she is due, by playing the line through to its end again and
// again: each visit draws its length (log-normal; one that is going on, given how long it has lasted), each person how long she stays
// (exponential) and whether she comes. The person asked about stays. Mean is infinite where nobody sees her. The same line always gets
// the same answer.
func Of(l Line, who int) Wait {
	order := make([]int, len(l.People))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return before(l.People[a], l.People[b]) })
	served := func(s int) bool { return l.People[who].Server == Any || l.People[who].Server == s }
	can := false
	w := Wait{}
	for s := range l.Servers {
		can = can || served(s)
	}
	if !can {
		return none
	}
	for _, i := range order {
		if i == who {
			break
		}
		if p := l.People[i]; p.Due <= 0 && (p.Server == Any || l.People[who].Server == Any || p.Server == l.People[who].Server) {
			w.Before++
		}
	}
	g := game{l: l, who: who, order: order, rand: rand.New(rand.NewPCG(uint64(len(l.People)), 0x77616974)), free: make([]float64, len(l.Servers)),
		gone: make([]float64, len(l.People)), comes: make([]float64, len(l.People))}
	sum, squares := 0.0, 0.0
	for range draws {
		x := g.play()
		sum += x
		squares += x * x
	}
	w.Mean = sum / draws
	w.SD = math.Sqrt(max(0, squares/draws-w.Mean*w.Mean))
	return w
}

func before(a, b Person) int {
	switch {
	case a.Rank != b.Rank:
		return a.Rank - b.Rank
	case a.Key < b.Key:
		return -1
	case a.Key > b.Key:
		return 1
	}
	return 0
}

// game is one line that is played through again and again.
type game struct {
	l     Line
	who   int
	order []int
	rand  *rand.Rand
	free  []float64 // when each server is free
	comes []float64 // when each person is there; infinite: never, or seen already
	gone  []float64 // when each person has left
}

// play answers how long the person waits in one draw.
func (g *game) play() float64 {
	for i, s := range g.l.Servers {
		g.free[i] = max(0, s.From)
		if s.Busy {
			g.free[i] = max(s.From, s.Length.rest(g.rand, s.Elapsed))
		}
	}
	for i, p := range g.l.People {
		g.comes[i], g.gone[i] = max(0, p.Due), math.Inf(1)
		if i == g.who {
			continue
		}
		if p.Due > 0 && g.rand.Float64() >= p.Comes {
			g.comes[i] = math.Inf(1)
		}
		if g.l.Leave > 0 {
			g.gone[i] = g.comes[i] + g.rand.ExpFloat64()/g.l.Leave
		}
	}
	for {
		s := 0
		for i := range g.free {
			if g.free[i] < g.free[s] {
				s = i
			}
		}
		now, next := g.free[s], math.Inf(1)
		if math.IsInf(now, 1) { // nobody is left to see her: the last of her servers has no more turn, which Of excludes
			return now
		}
		taken := -1
		for _, i := range g.order {
			p := g.l.People[i]
			if p.Server != Any && p.Server != s || g.gone[i] <= now {
				continue
			}
			if g.comes[i] <= now {
				taken = i
				break
			}
			next = min(next, g.comes[i])
		}
		switch {
		case taken == g.who:
			return now - g.comes[g.who]
		case taken >= 0:
			g.comes[taken] = math.Inf(1)
			g.free[s] = now + g.l.People[taken].Length.draw(g.rand)
		default:
			g.free[s] = next
		}
	}
}

// shape answers the parameters of the log-normal distribution with this mean and spread.
func (l Length) shape() (mu, sigma float64) {
	v := math.Log1p(l.CV * l.CV)
	return math.Log(l.Mean) - v/2, math.Sqrt(v)
}

func (l Length) draw(r *rand.Rand) float64 {
	mu, sigma := l.shape()
	return math.Exp(mu + sigma*r.NormFloat64())
}

// rest draws how long a visit still lasts that has lasted so long: from the tail of the distribution beyond it.
func (l Length) rest(r *rand.Rand, elapsed float64) float64 {
	if elapsed <= 0 || l.CV <= 0 {
		return max(0, l.draw(r)-max(0, elapsed))
	}
	mu, sigma := l.shape()
	past := normal((math.Log(elapsed) - mu) / sigma)
	p := past + (1-past)*r.Float64()
	if p > 1-1e-12 { // longer than any visit so far: as long again as a tenth of what it has lasted
		return elapsed * 0.1
	}
	return max(0, math.Exp(mu+sigma*quantile(p))-elapsed)
}

// normal is the distribution function of the standard normal; quantile its inverse.
func normal(z float64) float64   { return math.Erfc(-z/math.Sqrt2) / 2 }
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// QLm is the queue-length estimator with abandonment: the mean wait of somebody before whom n people stand while all servers are busy, where
// visits are exponential with a rate and people leave with a rate, both per minute: the sum over i = 0 … n of 1/(servers·rate + i·leave).
//
// Whitt W (1999), Improving service by informing customers about anticipated delays, Management Science 45:192; Ibrahim R, Whitt W
// (2009), Real-time delay estimation in overloaded multiserver queues with abandonments, Management Science 55:1729.
func QLm(n, servers int, rate, leave float64) float64 {
	sum := 0.0
	for i := range n + 1 {
		sum += 1 / (float64(servers)*rate + float64(i)*leave)
	}
	return sum
}
