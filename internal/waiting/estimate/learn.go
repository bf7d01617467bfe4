package estimate

import "math"

// Learner is what a place knows of its visits and of those who leave. It forgets slowly, so that it follows the day, and it begins with
// what the clinic plans, so that the first person of a new clinic gets a range too. Its zero value has learnt nothing.
type Learner struct {
	Visits map[string]Tally `json:"visits,omitempty"` // by type and clinician, and by type
	Spread Tally            `json:"spread"`           // of length / mean, over all visits
	Gap    Tally            `json:"gap"`              // minutes between two visits of one clinician while somebody waits
	Left   Tally            `json:"left"`             // N: who left; Sum: minutes that people have waited
}

// Tally is a weighted count, sum and sum of squares.
type Tally struct {
	N   float64 `json:"n"`
	Sum float64 `json:"sum"`
	Sq  float64 `json:"sq"`
}

func (t Tally) add(x, keep float64) Tally {
	return Tally{t.N*keep + 1, t.Sum*keep + x, t.Sq*keep + x*x}
}

// Memory is how much of what is known is kept with each new visit; at 0.997 a visit counts half after 231 others. A plan counts as much as
// planned visits, a clinician's own pace as much against that of everybody.
const (
	keepVisits = 0.997
	keepLeft   = 0.999
	planned    = 5.0
	priorCV    = 0.6   // of visits in general practice
	priorGap   = 1.0   // minutes
	priorStay  = 180.0 // minutes that a person waits before she leaves, on average
	priorLeft  = 2.0
	longest    = 8 * 60.0
)

func own(typ, who string) string { return typ + "\x1f" + who }

// Seen learns from a visit that took so many minutes, of a type that is planned to take plan minutes.
func (l *Learner) Seen(typ, who string, plan, minutes float64) {
	if minutes <= 0 || minutes > longest || plan <= 0 {
		return
	}
	l.Spread = l.Spread.add(minutes/l.length(typ, who, plan), keepVisits)
	if l.Visits == nil {
		l.Visits = map[string]Tally{}
	}
	for _, key := range []string{typ, own(typ, who)} {
		l.Visits[key] = l.Visits[key].add(minutes/plan, keepVisits)
	}
}

// length answers the expected minutes of a visit: the clinician's own part of the plan, shrunk to everybody's for that type, shrunk to
// the plan.
func (l *Learner) length(typ, who string, plan float64) float64 {
	all := l.Visits[typ]
	mean := (planned + all.Sum) / (planned + all.N)
	one := l.Visits[own(typ, who)]
	return plan * (planned*mean + one.Sum) / (planned + one.N)
}

// Length answers how long a visit will take, with the time until the clinician is ready for the next.
func (l *Learner) Length(typ, who string, plan float64) Length {
	m := l.length(typ, who, plan)
	// The spread around what was expected, shrunk to what is usual: relative mean squares about 1.
	v := (planned*priorCV*priorCV + l.Spread.Sq - 2*l.Spread.Sum + l.Spread.N) / (planned + l.Spread.N)
	gap := (planned*priorGap + l.Gap.Sum) / (planned + l.Gap.N)
	return Length{Mean: m + gap, CV: math.Sqrt(max(v, 0.01)) * m / (m + gap)}
}

// Between learns how long a clinician took from one visit to the next while somebody waited.
func (l *Learner) Between(minutes float64) {
	if minutes >= 0 && minutes < 30 {
		l.Gap = l.Gap.add(minutes, keepVisits)
	}
}

// Waited learns from the end of a wait, whether she left or was seen: a wait that ended in a visit would have gone on.
func (l *Learner) Waited(minutes float64, left bool) {
	t := Tally{N: l.Left.N * keepLeft, Sum: l.Left.Sum*keepLeft + max(0, minutes)}
	if left {
		t.N++
	}
	l.Left = t
}

// Leave answers the rate at which people who wait leave, per minute: those who left by the minutes that all have waited (the estimate of
// greatest likelihood of an exponential time that is cut off), shrunk to what is usual.
func (l *Learner) Leave() float64 {
	return (priorLeft + l.Left.N) / (priorLeft*priorStay + l.Left.Sum)
}
