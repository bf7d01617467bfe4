package journey

import (
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Means by which a person gets about.
const (
	Drives = "drives" // her own car
	Family = "family" // somebody drives her and stays
	Ride   = "ride"   // a ride has to be arranged, there and back
)

// MeansOf are all of them.
var MeansOf = []string{Drives, Family, Ride}

// Self is what a person says of herself: what is hard for her, and what cannot be.
type Self struct {
	Weights burden.Weights `json:"weights"`
	Means   string         `json:"means"`
	Along   person.ID      `json:"along,omitempty"` // the caregiver who comes along; empty: whoever does is not known here
	Has     []string       `json:"has"`             // equipment: video, phone
	Payer   string         `json:"payer,omitempty"` // as ways name payers
	Hard    []Hard         `json:"hard"`            // times that are hard: a weight
	Never   []int          `json:"never"`           // days on which she does not go out, 1 Monday to 7 Sunday: a limit
	Out     clock.Wall     `json:"out"`             // does not leave home earlier
	In      clock.Wall     `json:"in"`              // is home again by; 0: midnight
	Away    int            `json:"away"`            // minutes from door to door at most; 0: no limit
	Rest    int            `json:"rest"`            // days at home between two outings
	Said    bool           `json:"-"`               // she, or somebody for her, has said any of it
}

// Hard is a time of day at which things are harder for her, by so many patient-minutes each.
type Hard struct {
	From    clock.Wall `json:"from"`
	To      clock.Wall `json:"to"`
	Minutes float64    `json:"minutes"`
}

// UsualSelf is assumed until she says otherwise: she has a telephone, and leaves home from seven and is back by seven.
func UsualSelf() Self {
	return Self{Weights: burden.Usual(), Means: Drives, Has: []string{"phone"}, Out: clock.WallAt(7, 0), In: clock.WallAt(19, 0)}
}

// Validate says what is wrong with what was said.
func (c Self) Validate() error {
	if err := c.Weights.Validate(); err != nil {
		return err
	}
	switch {
	case !slices.Contains(MeansOf, c.Means):
		return fault.Invalidf("Please choose one of the answers.")
	case c.Out < 0 || c.In < 0 || c.Out >= 24*60 || c.In > 24*60 || c.In > 0 && c.In <= c.Out:
		return fault.Invalidf("The time to be home is after the time to leave.")
	case c.Away < 0 || c.Away > 24*60 || c.Rest < 0 || c.Rest > 7:
		return fault.Invalidf("A trip lasts up to 24 hours, and there are up to 7 days between two.")
	case len(c.Never) >= 7:
		return fault.Invalidf("Please leave at least one day on which a trip is possible.")
	case len(c.Hard) > 10 || len(c.Has) > 20:
		return fault.Invalidf("That is too much to be kept.")
	}
	for _, d := range c.Never {
		if d < 1 || d > 7 {
			return fault.Invalidf("%d is no day of the week (want 1 for Monday to 7 for Sunday).", d)
		}
	}
	for _, h := range c.Hard {
		if h.From < 0 || h.To > 24*60 || h.To <= h.From || !(h.Minutes >= 0 && h.Minutes <= 1e4) {
			return fault.Invalidf("A hard time begins before it ends.")
		}
	}
	return nil
}

func (c Self) limits() weeks.Limits {
	l := weeks.Limits{Out: c.Out, In: c.In, Away: c.Away, Rest: c.Rest, Escort: c.Means == Family}
	for _, d := range c.Never {
		l.Never = append(l.Never, time.Weekday(d%7))
	}
	return l
}

func (c Self) prefer() []weeks.Preference {
	var out []weeks.Preference
	for _, h := range c.Hard {
		out = append(out, weeks.Preference{From: h.From, To: h.To, Minutes: h.Minutes})
	}
	return out
}

// Say writes down what a person says of herself, and lets her weeks be planned again.
func (s *Service) Say(tx *store.Tx, v person.Viewer, patient person.ID, c Self) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Along != "" {
		who, err := s.people.Caregivers(tx, v.Org, patient, person.See)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(who, func(p person.Person) bool { return p.ID == c.Along }) {
			return fault.Invalidf("Who comes along has no access to this person's pages.")
		}
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO journey_self (org, shard, patient, body) VALUES ($1, $2, $3, $4) ON CONFLICT (org, shard, patient) DO UPDATE SET body = excluded.body",
		string(v.Org), person.Shard(patient), string(patient), string(body)); err != nil {
		return err
	}
	if err := s.people.Audit(tx, v, patient, "journeys", "what is hard"); err != nil {
		return err
	}
	return s.touch(tx, v.Org, patient)
}

// SelfOf answers what a person has said of herself, or what is assumed.
func (s *Service) SelfOf(tx *store.Tx, org person.OrgID, patient person.ID) (Self, error) {
	c := UsualSelf()
	var body string
	found, err := tx.Row("SELECT body FROM journey_self WHERE org = $1 AND shard = $2 AND patient = $3", []any{string(org), person.Shard(patient), string(patient)}, &body)
	if err != nil || !found {
		return c, err
	}
	c.Said = true
	return c, json.Unmarshal([]byte(body), &c)
}
