package medication

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Pharmacy is where a patient's medicines come from.
type Pharmacy struct {
	Name  string
	Phone string
	Lead  int // open days from the order to the medicine
	Closed
}

// Closed are the days on which a pharmacy neither takes an order nor hands one out.
type Closed struct {
	Weekdays []time.Weekday
	Days     []clock.Day // holidays
}

// UsualPharmacy is assumed until somebody says otherwise.
var UsualPharmacy = Pharmacy{Lead: 2, Closed: Closed{Weekdays: []time.Weekday{time.Sunday}}}

const mostLead = 30 // open days

// On reports whether the pharmacy is closed on a day.
func (c Closed) On(d clock.Day) bool {
	return slices.Contains(c.Weekdays, d.Weekday()) || slices.Contains(c.Days, d)
}

// Order answers the last day on which an order comes in time, and the last open day on which it is handed out: a day in hand before
// the supply runs out.
func (p Pharmacy) Order(runOut clock.Day) (order, ready clock.Day) {
	back := func(d clock.Day) clock.Day {
		for range 60 { // a pharmacy that is never open would have no day
			if !p.On(d) {
				break
			}
			d = d.Add(-1)
		}
		return d
	}
	ready = back(runOut.Add(-1))
	order = ready
	for range p.Lead {
		order = back(order.Add(-1))
	}
	return order, ready
}

func (c Closed) text() string {
	var out []string
	for _, d := range c.Weekdays {
		out = append(out, strconv.Itoa(int(d)))
	}
	for _, d := range c.Days {
		out = append(out, d.String())
	}
	return strings.Join(out, " ")
}

func readClosed(text string) (c Closed, err error) {
	for word := range strings.FieldsSeq(text) {
		if n, err := strconv.Atoi(word); err == nil && n >= 0 && n < 7 {
			c.Weekdays = append(c.Weekdays, time.Weekday(n))
			continue
		}
		d, err := clock.ParseDay(word)
		if err != nil {
			return c, err
		}
		c.Days = append(c.Days, d)
	}
	return c, nil
}

// SetPharmacy says where a patient's medicines come from, and plans refills anew.
func (s *Service) SetPharmacy(tx *store.Tx, org person.OrgID, patient person.ID, p Pharmacy) error {
	if p.Lead < 0 || p.Lead > mostLead {
		return fault.Invalidf("Please give the days it takes, 0 to 30.")
	}
	if len(p.Weekdays) > 6 {
		return fault.Invalidf("A pharmacy must be open on one day of the week.")
	}
	if _, err := tx.Exec(`INSERT INTO pharmacy (org, shard, patient, name, phone, lead_days, closed) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org, shard, patient) DO UPDATE SET name = excluded.name, phone = excluded.phone, lead_days = excluded.lead_days, closed = excluded.closed`,
		string(org), person.Shard(patient), string(patient), p.Name, p.Phone, int64(p.Lead), p.text()); err != nil {
		return err
	}
	return s.refills(tx, org, patient)
}

// PharmacyOf answers where a patient's medicines come from.
func (s *Service) PharmacyOf(tx *store.Tx, org person.OrgID, patient person.ID) (Pharmacy, error) {
	var p Pharmacy
	var lead int64
	var closed string
	found, err := tx.Row("SELECT name, phone, lead_days, closed FROM pharmacy WHERE org = $1 AND shard = $2 AND patient = $3",
		[]any{string(org), person.Shard(patient), string(patient)}, &p.Name, &p.Phone, &lead, &closed)
	if err != nil || !found {
		return UsualPharmacy, err
	}
	p.Lead = int(lead)
	p.Closed, err = readClosed(closed)
	return p, err
}
