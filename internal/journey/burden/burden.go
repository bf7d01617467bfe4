// Package burden says what it takes from a person to be cared for, in patient-minutes: minutes away from home, days on which she has to
// go out at all, waiting, walking, changing, somebody's time who comes along, and money.
//
// Its promise: every weight is shown and can be set; what must not be is a limit and never a weight.
//
// Sources: a visit takes 121 minutes and costs 43 dollars of a person's time, so a minute is 0.355 dollars (Ray et al., 2015); contact days as
// Ganguli et al. count them (2024); who comes along gives as much time as the patient (Russell et al., 2008). The weights of a contact
// day, of walking and of a change are Doorstep's own proposals.
package burden

import "doorstep/internal/fault"

// Weights say how much each part weighs, in patient-minutes.
type Weights struct {
	ContactDay float64 `json:"contact_day"` // a day with any contact outside home
	Travel     float64 `json:"travel"`      // a minute on the way
	Visit      float64 `json:"visit"`       // a minute of being seen, out of home
	Wait       float64 `json:"wait"`        // a minute of the wait that is to be expected there
	Idle       float64 `json:"idle"`        // a minute between two things, out of home
	Walk       float64 `json:"walk"`        // a minute on foot, beside its being on the way; times Mobility
	Mobility   float64 `json:"mobility"`    // 1: walks as most do; 2: each minute is as two
	Transfer   float64 `json:"transfer"`    // a change of vehicle
	Escort     float64 `json:"escort"`      // a minute of somebody who has to come along
	Dollar     float64 `json:"dollar"`      // a dollar that she pays herself
	Move       float64 `json:"move"`        // of moving what was promised
}

// Usual are the weights to begin with.
func Usual() Weights {
	return Weights{ContactDay: 60, Travel: 1, Visit: 1, Wait: 1, Idle: 1, Walk: 2, Mobility: 1, Transfer: 10, Escort: 1, Dollar: 1 / 0.355, Move: 240}
}

// Validate says what is wrong with weights.
func (w Weights) Validate() error {
	for _, v := range []float64{w.ContactDay, w.Travel, w.Visit, w.Wait, w.Idle, w.Walk, w.Mobility, w.Transfer, w.Escort, w.Dollar, w.Move} {
		if !(v >= 0 && v <= 1e4) {
			return fault.Invalidf("A weight lies between 0 and 10,000.")
		}
	}
	return nil
}

// Leg is a way from one place to another.
type Leg struct {
	Minutes   int
	Walk      int     // of them on foot
	Transfers int     //
	Dollars   float64 // that she pays
}

// Stop is what she is out for.
type Stop struct {
	Minutes int     // of being seen or served
	Wait    int     // expected before that
	Dollars float64 // that she pays
}

// Parts are what a burden is made of: counts, minutes and dollars, without weights.
type Parts struct {
	ContactDays int     `json:"contact_days"`
	Travel      int     `json:"travel"`
	Visit       int     `json:"visit"`
	Wait        int     `json:"wait"`
	Idle        int     `json:"idle"`
	Walk        int     `json:"walk"`
	Transfers   int     `json:"transfers"`
	Escort      int     `json:"escort"`
	Dollars     float64 `json:"dollars"`
}

// Away answers the minutes away from home, door to door.
func (p Parts) Away() int { return p.Travel + p.Visit + p.Wait + p.Idle }

// Plus answers the sum of two.
func (p Parts) Plus(q Parts) Parts {
	return Parts{p.ContactDays + q.ContactDays, p.Travel + q.Travel, p.Visit + q.Visit, p.Wait + q.Wait, p.Idle + q.Idle, p.Walk + q.Walk, p.Transfers + q.Transfers,
		p.Escort + q.Escort, p.Dollars + q.Dollars}
}

// Of answers what parts weigh together, in patient-minutes.
func (w Weights) Of(p Parts) float64 {
	return w.ContactDay*float64(p.ContactDays) + w.Travel*float64(p.Travel) + w.Visit*float64(p.Visit) + w.Wait*float64(p.Wait) + w.Idle*float64(p.Idle) +
		w.Walk*w.Mobility*float64(p.Walk) + w.Transfer*float64(p.Transfers) + w.Escort*float64(p.Escort) + w.Dollar*p.Dollars
}

// Parts answers a leg's; escorted: somebody comes along.
func (l Leg) Parts(escorted bool) Parts {
	return Parts{Travel: l.Minutes, Walk: l.Walk, Transfers: l.Transfers, Escort: along(escorted, l.Minutes), Dollars: l.Dollars}
}

// Parts answers a stop's.
func (s Stop) Parts(escorted bool) Parts {
	return Parts{Visit: s.Minutes, Wait: s.Wait, Escort: along(escorted, s.Minutes+s.Wait), Dollars: s.Dollars}
}

// Idle answers the parts of minutes spent between two things, out of home.
func Idle(minutes int, escorted bool) Parts {
	return Parts{Idle: minutes, Escort: along(escorted, minutes)}
}

func along(escorted bool, minutes int) int {
	if escorted {
		return minutes
	}
	return 0
}
