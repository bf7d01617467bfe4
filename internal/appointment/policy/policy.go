package policy

import (
	"slices"

	"doorstep/internal/appointment/noshow"
	"doorstep/internal/fault"
)

// Policy is how a clinic gives out its time.
type Policy struct {
	Name      string
	LostUnder int     // minutes: a time given back so near its start is not given out again; 0: it is, at once
	Waitlist  bool    // freed times are offered to those who have a later one, in batches
	Reconfirm bool    // people are asked 72 hours before whether they come
	Overbook  float64 // share of the visits expected to be missed that is booked beside them; 0: none
}

// Policies that can be simulated. Phone is the yardstick: people call, the first who calls has the first free time, and what is given
// back less than 48 hours before is lost. Doorstep is everything together.
var Policies = []Policy{
	{Name: "phone", LostUnder: 48 * 60},
	{Name: "search"},
	{Name: "waitlist", Waitlist: true},
	{Name: "reconfirm", Waitlist: true, Reconfirm: true},
	{Name: "overbook", Waitlist: true, Overbook: 0.5},
	{Name: "doorstep", Waitlist: true, Reconfirm: true, Overbook: 0.5},
}

// Named answers the policy of a name.
func Named(name string) (Policy, error) {
	i := slices.IndexFunc(Policies, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return Policy{}, fault.Invalidf("%q is not a policy of access (phone, search, waitlist, reconfirm, overbook, doorstep).", name)
	}
	return Policies[i], nil
}

// World is the clinic and its people: what is assumed. Every number of it is stated in docs/access.md.
type World struct {
	Clinicians  int     // each holds Slots visits a day
	Slots       int     //
	SlotMin     int     // minutes between starts
	Opens       int     // minute of the day of the first start
	Load        float64 // new requests by what the clinic could hold if everybody came
	Backlog     int     // days that the calendar is full at the start
	Days        int     // in which people ask who are counted
	After       int     // further days in which those may still be seen, with demand as before
	CancelDay   float64 // hazard of giving a visit back, per day of lead
	CancelLate  float64 // share of those that do so in the last 24 hours
	Again       float64 // share of those who gave it back or missed it, and ask again
	Reconfirmed float64 // share of would-be missed visits that are given back when asked at 72 hours
	Answers     float64 // share of people who ever answer an offer
	Fits        float64 // share of offers that suit one who answers
	ReplyMedian float64 // minutes until the answer, log-normal
	ReplySpread float64 // standard deviation of its logarithm
	QuietFrom   int     // minute of the day from which nobody is asked anything
	QuietTo     int     //
	VisitMean   float64 // minutes that a visit takes in truth, log-normal
	VisitCV     float64 // standard deviation by mean
	EarlyMean   float64 // minutes by which people come before their time, normal
	EarlySD     float64 //
	LeadFrozen  bool    // a visit that was moved forward is missed as often as if it had not been: the pessimist's view of why people do not come
	NoShow      func(leadDays int) float64
}

// notices are how long before a visit people must know of it, in minutes, with the share of people.
var notices = []struct {
	share   float64
	minutes int
}{{0.25, 2 * 60}, {0.35, 24 * 60}, {0.25, 72 * 60}, {0.15, 7 * 24 * 60}}

// Clinic answers the world of the figures: what is assumed of a clinic of five at a load. It is not calibrated to any clinic.
func Clinic(load float64) World {
	return World{Clinicians: 5, Slots: 16, SlotMin: 30, Opens: 9 * 60, Load: load, Backlog: 15, Days: 120, After: 120,
		CancelDay: 0.01323, CancelLate: 0.35, Again: 0.5, Reconfirmed: 0.2, Answers: 0.45, Fits: 0.6, ReplyMedian: 50, ReplySpread: 1,
		QuietFrom: 20 * 60, QuietTo: 8 * 60, VisitMean: 25, VisitCV: 0.4, EarlyMean: 5, EarlySD: 8, NoShow: noshow.Prior}
}
