package journey

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/person"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

const (
	changesPerLook = 500
	overlap        = time.Minute // looked at again, for transactions that were under way
	// usualWindow is how many days an order has that says no time.
	usualWindow = 28
)

// order is a FHIR R4 ServiceRequest, as far as it is read.
type order struct {
	ID                 string                 `json:"id"`
	Status             string                 `json:"status"`
	Intent             string                 `json:"intent"`
	Category           []fhir.CodeableConcept `json:"category"`
	Code               *fhir.CodeableConcept  `json:"code"`
	Subject            struct{ Reference string }
	AuthoredOn         string       `json:"authoredOn"`
	OccurrenceDateTime string       `json:"occurrenceDateTime"`
	OccurrencePeriod   *fhir.Period `json:"occurrencePeriod"`
	OccurrenceTiming   *fhir.Timing `json:"occurrenceTiming"`
}

// orderKinds makes codes of an order's category and code into a kind of need: SNOMED CT procedure categories (hl7.org/fhir/R4/valueset-servicerequest-category.html)
// and HL7 v2 table 0074.
var orderKinds = map[string]string{
	"108252007": "blood", "LAB": "blood", "CH": "blood", "HM": "blood", "MB": "sample",
	"363679005": "imaging", "RAD": "imaging", "IMG": "imaging", "RX": "imaging", "CUS": "imaging", "NMR": "imaging", "CT": "imaging",
	"409063005": "talk", "409073007": "talk", "11429006": "talk", "185389009": "talk", "390906007": "talk",
	"225728007": "check",
}

// Orders takes the record's orders (ServiceRequest) to their people as needs: those of people whose orders were never looked at, and those that changed. It
// answers how many people it looked at.
func (s *Service) Orders(ctx context.Context, rec *record.Service, org person.OrgID) (int, error) {
	now := s.clock.Now()
	look := map[person.ID]person.Person{}
	var since time.Time
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		var until int64
		if _, err := tx.Row("SELECT until_at FROM journey_look WHERE org = $1 AND patient = ''", []any{string(org)}, &until); err != nil {
			return err
		}
		since = store.Time(until)
		fresh, err := store.All(tx, `SELECT p.id FROM person p LEFT JOIN journey_look l ON l.org = p.org AND l.patient = p.id
			WHERE p.org = $1 AND p.record <> '' AND p.role = 'patient' AND p.active = 1 AND l.patient IS NULL ORDER BY p.id LIMIT 500`, []any{string(org)},
			func(scan func(...any) error) (id person.ID, err error) { return id, scan(&id) })
		for _, id := range fresh {
			p, err := s.people.Get(tx, org, id)
			if err != nil {
				return err
			}
			look[id] = p
		}
		return err
	}); err != nil {
		return 0, err
	}
	for after := ""; ; {
		list, next, err := rec.Changes(ctx, record.Scope{Org: string(org)}, "ServiceRequest", since, changesPerLook, after)
		if err != nil {
			return 0, err
		}
		if err := s.subjects(ctx, org, list, look); err != nil {
			return 0, err
		}
		if after = next; after == "" {
			break
		}
	}
	for _, id := range slices.Sorted(maps.Keys(look)) {
		if err := s.takeOrders(ctx, rec, look[id], now); err != nil {
			return 0, err
		}
	}
	return len(look), s.db.Write(ctx, func(tx *store.Tx) error { return looked(tx, org, "", now.Add(-overlap)) })
}

func looked(tx *store.Tx, org person.OrgID, patient person.ID, until time.Time) error {
	_, err := tx.Exec("INSERT INTO journey_look (org, patient, until_at) VALUES ($1, $2, $3) ON CONFLICT (org, patient) DO UPDATE SET until_at = excluded.until_at", string(org), string(patient), store.Micros(until))
	return err
}

// subjects adds the people of changed orders who are enrolled here.
func (s *Service) subjects(ctx context.Context, org person.OrgID, list []record.Resource, to map[person.ID]person.Person) error {
	return s.db.Read(ctx, func(tx *store.Tx) error {
		for _, r := range list {
			var o order
			if json.Unmarshal(r.Body, &o) != nil {
				continue // a deletion has no body
			}
			p, known, err := s.people.ByRecord(tx, org, strings.TrimPrefix(o.Subject.Reference, "Patient/"))
			if err != nil {
				return err
			}
			if known {
				to[p.ID] = p
			}
		}
		return nil
	})
}

// takeOrders brings one person's list up to her orders. Those that are done or revoked end their needs.
func (s *Service) takeOrders(ctx context.Context, rec *record.Service, p person.Person, now time.Time) error {
	list, err := rec.Patient(ctx, string(p.Org), p.Record, "ServiceRequest")
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		v := person.SystemViewer(p.Org)
		for _, r := range list {
			var o order
			if json.Unmarshal(r.Body, &o) != nil || o.ID == "" || o.Intent == "option" || o.Intent == "proposal" {
				continue
			}
			if owned, err := s.owned(tx, p, o.ID); err != nil || owned {
				if err != nil {
					return err
				}
				continue
			}
			id := ID(derived("order", string(p.Org), o.ID))
			old, found, err := s.need(tx, p.Org, p.ID, id)
			if err != nil {
				return err
			}
			switch o.Status {
			case "active":
				n, ok := o.need(p, now)
				if !ok || found && old.State != Open {
					continue
				}
				if n.ID = id; found && o.silent() { // an order that says no time keeps the one that it was given
					n.From, n.By = old.From, old.By
				}
				if _, err := s.SaveNeed(tx, v, n); err != nil {
					return err
				}
			case "completed", "revoked", "entered-in-error":
				if !found || old.State != Open {
					continue
				}
				if err := s.dropNeed(tx, v, old); err != nil {
					return err
				}
			}
		}
		return looked(tx, p.Org, p.ID, now)
	})
}

// owned reports whether an order is on the list from a source of its own.
func (s *Service) owned(tx *store.Tx, p person.Person, request string) (bool, error) {
	for _, src := range s.sources {
		if o, ok := src.(Owner); ok {
			if yes, err := o.Owns(tx, p.Org, p.ID, request); err != nil || yes {
				return yes, err
			}
		}
	}
	return false, nil
}

func (o order) silent() bool {
	return o.OccurrenceDateTime == "" && o.OccurrencePeriod == nil && (o.OccurrenceTiming == nil || o.OccurrenceTiming.Repeat == nil)
}

// need answers what an order asks; ok is false where its time has passed.
func (o order) need(p person.Person, now time.Time) (Need, bool) {
	zone := p.Location()
	n := Need{Org: p.Org, Patient: p.ID, Kind: o.kind(), Source: FromOrder, Ref: o.ID, Words: o.words(), Clinical: true, From: now}
	n.By = clock.At(clock.DayOf(now, zone).Add(usualWindow), 0, zone)
	if x, err := fhir.ParseSpan(o.OccurrenceDateTime, zone); o.OccurrenceDateTime != "" && err == nil {
		// A day is meant, or a week around it where only a month is said.
		n.From, n.By = x.Start(), x.End()
	}
	if o.OccurrencePeriod != nil {
		if x, err := fhir.PeriodSpan(*o.OccurrencePeriod, zone); err == nil {
			n.From, n.By = x.Start(), x.End()
		}
	}
	if o.OccurrenceTiming != nil && o.OccurrenceTiming.Repeat != nil {
		r := o.OccurrenceTiming.Repeat
		n.Every = everyOf(r)
		if r.BoundsPeriod != nil {
			if x, err := fhir.PeriodSpan(*r.BoundsPeriod, zone); err == nil {
				n.From, n.Until = x.Start(), x.End()
			}
		}
		if n.Every > 0 {
			n.By = n.From.AddDate(0, 0, n.Every)
		}
	}
	if n.By.Sub(n.From) > 300*24*time.Hour {
		n.By = n.From.AddDate(0, 0, 300)
	}
	if n.Until.Year() > now.Year()+50 { // open at its end
		n.Until = time.Time{}
	}
	return n, n.From.Before(n.By) && (n.By.After(now) || n.Every > 0)
}

// everyOf answers the days between two occurrences of a repeat, rounded down; 0: it is not one of days, weeks, months or years.
func everyOf(r *fhir.Repeat) int {
	period := r.Period.Float()
	if !(period > 0) {
		return 0
	}
	days, known := map[string]float64{"d": 1, "wk": 7, "mo": 30, "a": 365}[r.PeriodUnit]
	if !known {
		return 0
	}
	return min(366, max(1, int(period*days/float64(max(1, r.Frequency)))))
}

// KindOfCode answers the kind of need that a code of an order's category or code stands for: one of ours, or one of the published ones; one that is not
// known is looked at by somebody.
func KindOfCode(code string) string {
	if slices.ContainsFunc(Usual(), func(k Kind) bool { return k.ID == code }) {
		return code
	}
	if k := orderKinds[code]; k != "" {
		return k
	}
	return "check"
}

func (o order) kind() string {
	list := o.Category
	if o.Code != nil {
		list = append(list, *o.Code)
	}
	for _, c := range list {
		for _, x := range c.Coding {
			if k := KindOfCode(x.Code); k != "check" || x.Code == k {
				return k
			}
			if x.System == "http://loinc.org" {
				return "blood"
			}
		}
	}
	return "check" // somebody looks at her: the kind that leaves nothing out
}

func (o order) words() string {
	if o.Code == nil {
		return ""
	}
	text := o.Code.Text
	for _, x := range o.Code.Coding {
		if text == "" {
			text = x.Display
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > wordsMost/4 {
		text = string(r[:wordsMost/4])
	}
	return text
}
