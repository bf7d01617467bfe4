// Package watch ties readings to the ledger: a reading that is expected is a promise, one that comes is its evidence, and an
// alert is a promise that somebody calls. Its own promise: an alert reaches a person, and the patient is told who acts and by
// when, in the transaction in which the alert is raised.
package watch

import (
	"context"
	"embed"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// Kinds of the promises of this room.
const (
	Kind     = "reading"
	CallKind = "call"
)

// Ladders that they climb.
const (
	Ladder        = "reading"
	AlertLadder   = "alert"
	SilenceLadder = "silence"
)

const (
	window  = 4 * time.Hour // a reading not seen by then is missed
	early   = 3 * time.Hour // a reading so long before counts
	ahead   = 36 * time.Hour
	replan  = 12 * time.Hour
	callBy  = time.Hour // how soon somebody calls after an alert
	perPlan = 200
)

// signals are the measurements that people are asked for, by the LOINC codes that count as one.
var signals = map[string][]string{
	"weight":   {"29463-7"},
	"pressure": {"85354-9", "8480-6", "8462-4"},
	"pulse":    {"8867-4"},
	"glucose":  {"2339-0", "15074-8", "99504-3"},
	"oxygen":   {"59408-5", "2708-6"},
}

// Signal answers what a LOINC code measures, in the word that the catalogs use; "other" when it is none of ours.
func Signal(series string) string {
	if series == rule.NEWS2 {
		return "score"
	}
	for name, codes := range signals {
		if slices.Contains(codes, series) {
			return name
		}
	}
	return "other"
}

// Service owns the table of rhythms.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	people   *person.Service
	promises *promise.Service
	readings *reading.Service
}

// New answers the service.
func New(db *store.DB, c clock.Clock, people *person.Service, promises *promise.Service, readings *reading.Service) *Service {
	return &Service{db: db, clock: c, people: people, promises: promises, readings: readings}
}

// Rhythm is a reading that a patient is expected to take every day at a wall-clock time.
type Rhythm struct {
	Org     person.OrgID
	Patient person.ID
	Signal  string // weight, pressure, pulse, glucose, oxygen
	Wall    clock.Wall
}

// Expect makes a daily reading expected.
func (s *Service) Expect(tx *store.Tx, r Rhythm) error {
	if signals[r.Signal] == nil {
		return fault.Invalidf("%q is not something that we measure.", r.Signal)
	}
	if r.Wall < 0 || r.Wall >= 24*60 {
		return fault.Invalidf("A time of day must lie between 00:00 and 23:59.")
	}
	_, err := tx.Exec(`INSERT INTO rhythm (org, shard, patient, signal, wall, active, planned_until) VALUES ($1, $2, $3, $4, $5, 1, 0)
		ON CONFLICT (org, shard, patient, signal, wall) DO UPDATE SET active = 1`, string(r.Org), person.Shard(r.Patient), string(r.Patient), r.Signal, int(r.Wall))
	if err != nil {
		return err
	}
	return s.plan(tx, r, 0)
}

// plan promises a rhythm's readings until 36 hours from now. Planning again changes nothing.
func (s *Service) plan(tx *store.Tx, r Rhythm, until int64) error {
	p, err := s.people.Get(tx, r.Org, r.Patient)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	from, to := now, now.Add(ahead)
	if done := store.Time(until); done.After(from) {
		from = done
	}
	ref, err := s.promises.Latest(tx, r.Org, Ladder)
	if err != nil {
		return err
	}
	var list []promise.Promise
	for day := clock.DayOf(from, p.Location()).Add(-1); ; day = day.Add(1) {
		due := clock.At(day, r.Wall, p.Location()).UTC()
		if !due.Before(to) {
			break
		}
		if due.Before(from) || !p.Active {
			continue
		}
		list = append(list, promise.Promise{Org: r.Org, Patient: r.Patient, ID: promise.ID(clock.DerivedID("reading", string(r.Org), string(r.Patient), r.Signal, due.Format(time.RFC3339))),
			Kind: Kind, About: r.Signal, Severity: promise.Watch, Say: "say.reading." + r.Signal, Args: map[string]string{"what": "key:what." + r.Signal, "time": due.Format(time.RFC3339)},
			Keeper: promise.Keeper{Kind: "patient", Who: string(r.Patient)}, From: due, By: due.Add(window), Zone: p.Zone, Ladder: ref})
	}
	if _, err := s.promises.Make(tx, list...); err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE rhythm SET planned_until = $6 WHERE org = $1 AND shard = $2 AND patient = $3 AND signal = $4 AND wall = $5",
		string(r.Org), person.Shard(r.Patient), string(r.Patient), r.Signal, int(r.Wall), store.Micros(to))
	return err
}

// PlanDue plans every rhythm that runs out within half a day and answers how many.
func (s *Service) PlanDue(ctx context.Context) (int, error) {
	total := 0
	for ctx.Err() == nil {
		n := 0
		err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
			type row struct {
				Rhythm
				until int64
			}
			list, err := store.All(tx, "SELECT org, patient, signal, wall, planned_until FROM rhythm WHERE active = 1 AND planned_until < $1 ORDER BY planned_until, org, patient, signal, wall LIMIT $2",
				[]any{store.Micros(s.clock.Now().Add(ahead - replan)), perPlan}, func(scan func(...any) error) (row, error) {
					var r row
					return r, scan(&r.Org, &r.Patient, &r.Signal, &r.Wall, &r.until)
				})
			if err != nil {
				return err
			}
			n = len(list)
			for _, r := range list {
				if err := s.plan(tx, r.Rhythm, r.until); err != nil {
					return err
				}
			}
			return nil
		})
		total += n
		if err != nil || n < perPlan {
			return total, err
		}
	}
	return total, ctx.Err()
}

// Stored keeps the promises that fresh readings are evidence for: the nearest of the signal around the time of measurement.
// A reading whose time is unknown, or that cannot be true, keeps nothing.
func (s *Service) Stored(tx *store.Tx, org, patient string, fresh []reading.Sample) error {
	var expected []promise.Promise
	read := false
	for _, x := range fresh {
		if x.Flags.Has(reading.TimeUnknown) || x.Flags.Has(reading.Impossible) || Signal(x.Series) == "other" {
			continue
		}
		if !read {
			var err error
			if expected, err = s.promises.OpenOf(tx, person.OrgID(org), person.ID(patient), Kind); err != nil {
				return err
			}
			read = true
		}
		best := -1
		for i, p := range expected {
			if p.About == Signal(x.Series) && x.At.After(p.From.Add(-early)) && !x.At.After(p.By) &&
				(best < 0 || x.At.Sub(p.From).Abs() < x.At.Sub(expected[best].From).Abs()) {
				best = i
			}
		}
		if best < 0 {
			continue
		}
		if _, err := s.promises.Give(tx, person.OrgID(org), person.ID(patient), expected[best].ID, promise.Evidence{Kind: "reading", At: x.At, Source: "device " + x.Device}); err != nil {
			return err
		}
		expected = slices.Delete(expected, best, best+1)
	}
	tx.Hint("patient", org+"/"+patient)
	return nil
}

// Alert promises the patient a call, in the transaction that raises the alert. While a call about the same signal is already
// promised, the alert joins it.
func (s *Service) Alert(tx *store.Tx, a reading.Alert) error {
	org, patient := person.OrgID(a.Org), person.ID(a.Patient)
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	open, err := s.promises.OpenOf(tx, org, patient, CallKind)
	if err != nil {
		return err
	}
	ladder, severity := AlertLadder, promise.Urgent
	switch a.Severity {
	case "note":
		severity = promise.Watch
	case "severe":
		severity = promise.Severe
	}
	cause, err := s.cause(tx, a)
	if err != nil {
		return err
	}
	// A call about the same signal that is at least as urgent is on its way: the alert joins it.
	if i := slices.IndexFunc(open, func(o promise.Promise) bool { return o.About == a.Kind+" "+a.Series && o.Severity >= severity }); i >= 0 {
		return s.count(tx, a, cause, open[i].ID)
	}
	if a.Kind == "silence" {
		ladder = SilenceLadder
	}
	ref, err := s.promises.Latest(tx, org, ladder)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	by := now.Add(callBy)
	args := map[string]string{"what": "key:what." + Signal(a.Series), "series": a.Series, "by": by.Format(time.RFC3339), "time": a.Began.Format(time.RFC3339), "called": p.Called,
		"value": strconv.FormatFloat(a.Value, 'g', 6, 64), "rule": ruleText(a), promise.CauseArg: cause}
	if a.Missing != "" {
		args[promise.PartArg] = "keys:vital. " + a.Missing
	}
	id := promise.ID(clock.DerivedID("alert", a.ID))
	if err := s.count(tx, a, cause, id); err != nil {
		return err
	}
	_, err = s.promises.Make(tx, promise.Promise{Org: org, Patient: patient, ID: id, Kind: CallKind, About: a.Kind + " " + a.Series,
		Severity: severity, Say: "say.call", Args: args, Keeper: promise.Keeper{Kind: "role", Who: string(person.Nurse)}, From: now, By: by, Zone: p.Zone, Ladder: ref})
	return err
}

// ruleText writes a rule's limit for the desk, as a sign and a number, which every language reads.
func ruleText(a reading.Alert) string {
	if a.Kind == "silence" {
		return ""
	}
	sign := "< "
	if a.Above {
		sign = "> "
	}
	return sign + strconv.FormatFloat(a.Limit, 'g', 6, 64)
}
