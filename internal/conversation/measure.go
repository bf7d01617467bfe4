package conversation

import (
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Measured is how an organization answers, over conversations that began in a span.
type Measured struct {
	N         int     // conversations
	Answered  int     //
	OnTime    int     // answered by the time that was promised, of Due
	Due       int     // whose promised time has passed, or that are answered
	Median    float64 // minutes to the first human answer, of those answered; 0 when none is
	Handovers int     // in all
	Calls     int     // calls to be called back
	CallsDue  int
	CallsBack int // called back on time, of CallsDue
}

// Measure counts. Those still waiting past their time count as late: only who has been answered is no fair sample.
func (s *Service) Measure(tx *store.Tx, org person.OrgID, from, to time.Time) (Measured, error) {
	var m Measured
	var minutes []float64
	now := s.clock.Now()
	list, err := store.All(tx, selectAll+" WHERE org = $1 AND opened_at >= $2 AND opened_at < $3", []any{string(org), store.Micros(from), store.Micros(to)}, scanOne)
	for _, c := range list {
		late := c.Answered.IsZero() && now.After(c.By)
		onTime := !c.Answered.IsZero() && !c.Answered.After(c.By)
		due := late || !c.Answered.IsZero()
		if c.Kind == callKind {
			m.Calls++
			m.CallsDue += yes(due)
			m.CallsBack += yes(onTime)
			continue
		}
		m.N++
		m.Due += yes(due)
		m.OnTime += yes(onTime)
		m.Handovers += c.Handovers
		if !c.Answered.IsZero() {
			m.Answered++
			minutes = append(minutes, c.Answered.Sub(c.Opened).Minutes())
		}
	}
	if len(minutes) > 0 {
		slices.Sort(minutes)
		m.Median = (minutes[(len(minutes)-1)/2] + minutes[len(minutes)/2]) / 2
	}
	return m, err
}
