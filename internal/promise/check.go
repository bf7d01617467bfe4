package promise

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Fault is one thing that Check found wrong, naming the row.
type Fault struct {
	Org     person.OrgID `json:"org"`
	Patient person.ID    `json:"patient"`
	Promise ID           `json:"promise,omitempty"`
	Seq     int64        `json:"seq,omitempty"`
	What    string       `json:"what"`
}

func (f Fault) String() string {
	return fmt.Sprintf("org %s patient %s promise %s line %d: %s", f.Org, f.Patient, f.Promise, f.Seq, f.What)
}

// Report is what Check looked at and found.
type Report struct {
	Promises, Events, Patients int
	Faults                     []Fault
	State                      string // hash over every promise as the history tells it: the same history gives the same hash
}

// Replay works out a patient's promises from the history alone. A line that cannot follow from those before it is an error.
func Replay(events []Event) (map[ID]*Promise, error) {
	out := map[ID]*Promise{}
	for _, e := range events {
		p := out[e.Promise]
		if e.Kind == EventMade {
			if p != nil {
				return out, fmt.Errorf("line %d makes promise %s again", e.Seq, e.Promise)
			}
			var m made
			if err := json.Unmarshal([]byte(e.Body), &m); err != nil {
				return out, fmt.Errorf("line %d cannot be read: %w", e.Seq, err)
			}
			out[e.Promise] = &Promise{Org: e.Org, Patient: e.Patient, ID: e.Promise, Kind: m.Kind, About: m.About, Severity: m.Severity, Say: m.Say,
				Args: m.Args, Keeper: m.Keeper, From: store.Time(m.From), By: store.Time(m.By), Zone: m.Zone, Ladder: LadderRef{m.Ladder, m.Version}, Made: e.At}
			continue
		}
		if p == nil {
			return out, fmt.Errorf("line %d is about promise %s, which was never made", e.Seq, e.Promise)
		}
		if err := p.apply(e); err != nil {
			return out, fmt.Errorf("line %d: %w", e.Seq, err)
		}
	}
	return out, nil
}

// apply is one step of the state machine: forward only.
func (p *Promise) apply(e Event) error {
	end := func(to State) error {
		if p.State != Open {
			return fmt.Errorf("promise %s is %s and cannot become %s", p.ID, p.State, to)
		}
		p.State, p.Closed, p.Rung = to, e.At, -1
		return nil
	}
	switch e.Kind {
	case EventClimbed, EventSkipped:
		if p.State != Open || e.Rung != p.Rung {
			return fmt.Errorf("promise %s (%s) climbs rung %d, expected rung %d", p.ID, p.State, e.Rung, p.Rung)
		}
		p.Rung++
	case EventKept:
		return end(Kept)
	case EventBroken:
		return end(Broken)
	case EventReleased:
		var b struct{ Reason string }
		if err := json.Unmarshal([]byte(e.Body), &b); err != nil {
			return err
		}
		p.Reason = b.Reason
		return end(Released)
	case EventMoved:
		var b struct{ From, By int64 }
		if err := json.Unmarshal([]byte(e.Body), &b); err != nil {
			return err
		}
		p.From, p.By = store.Time(b.From), store.Time(b.By)
	case EventEvidence, EventTask:
	default:
		return fmt.Errorf("an event of unknown kind %d", e.Kind)
	}
	return nil
}

// Check reads the whole ledger: every line's hash, every promise against its history, every open promise against the agenda.
// It holds one read transaction, so a running server may go on.
func (s *Service) Check(ctx context.Context) (Report, error) {
	var r Report
	sum := sha256.New()
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		patients, err := store.All(tx, "SELECT DISTINCT org, shard, patient FROM (SELECT org, shard, patient FROM history UNION SELECT org, shard, patient FROM promise) x ORDER BY org, shard, patient",
			nil, func(scan func(...any) error) (Event, error) {
				var e Event
				var shard int
				err := scan(&e.Org, &shard, &e.Patient)
				if err == nil && shard != Shard(e.Patient) {
					r.fault(e, "its shard is %d, must be %d", shard, Shard(e.Patient))
				}
				return e, err
			})
		if err != nil {
			return err
		}
		r.Patients = len(patients)
		var due agendaRows
		for i, e := range patients {
			if i == 0 || e.Org != patients[i-1].Org || Shard(e.Patient) != Shard(patients[i-1].Patient) {
				if due, err = readAgenda(tx, e.Org, Shard(e.Patient)); err != nil {
					return err
				}
			}
			if err := s.checkPatient(tx, &r, e, due, sum); err != nil {
				return err
			}
		}
		return r.checkAgenda(tx)
	})
	r.State = fmt.Sprintf("%x", sum.Sum(nil))
	return r, err
}

func (r *Report) fault(e Event, format string, args ...any) {
	r.Faults = append(r.Faults, Fault{Org: e.Org, Patient: e.Patient, Promise: e.Promise, Seq: e.Seq, What: fmt.Sprintf(format, args...)})
}

func (s *Service) checkPatient(tx *store.Tx, r *Report, who Event, due agendaRows, sum hash.Hash) error {
	events, err := readEvents(tx, who.Org, who.Patient, time.Time{})
	if err != nil {
		return err
	}
	c := chain{}
	var before []byte
	for i := range events {
		e := &events[i]
		if e.Seq != int64(i+1) {
			r.fault(*e, "line %d is missing from the history", i+1)
			break
		}
		if !bytes.Equal(c.hash(before, e), e.Hash) {
			r.fault(*e, "the line does not match its checksum")
			break
		}
		before = e.Hash
	}
	r.Events += len(events)
	told, err := Replay(events)
	if err != nil {
		r.fault(who, "%v", err)
	}
	rows, err := store.All(tx, promiseSelect+" FROM promise p WHERE p.org = $1 AND p.shard = $2 AND p.patient = $3 ORDER BY p.id",
		[]any{string(who.Org), Shard(who.Patient), string(who.Patient)}, func(scan func(...any) error) (Promise, error) {
			p, err := scanPromise(scan)
			if err != nil { // a flipped bit in the arguments: name the row, go on
				who.Promise = p.ID
				r.fault(who, "the row cannot be read: %v", err)
				err = nil
			}
			return p, err
		})
	if err != nil {
		return err
	}
	r.Promises += len(rows)
	for _, p := range rows {
		who.Promise = p.ID
		t := told[p.ID]
		delete(told, p.ID)
		if t == nil {
			r.fault(who, "the promise is not in the history")
			continue
		}
		p.Rung = t.Rung
		if got, want := body(p), body(t); got != want {
			r.fault(who, "the promise differs from its history")
		}
		fmt.Fprintln(sum, body(t))
		if t.State == Open {
			r.open(due, t)
		}
	}
	for id := range told {
		who.Promise = id
		r.fault(who, "the history tells of a promise that is not there")
	}
	return nil
}

// agendaRows are the rows that the agenda has for each promise of one organization and shard.
type agendaRows map[agendaKey][]agendaRow

type agendaRow struct {
	rung  int
	terms string
}

type agendaKey struct {
	severity Severity
	patient  person.ID
	id       ID
}

func readAgenda(tx *store.Tx, org person.OrgID, shard int) (agendaRows, error) {
	out := agendaRows{}
	return out, tx.Rows("SELECT a.severity, a.patient, a.promise, COALESCE(m.rung, a.rung), a.terms FROM agenda a"+inStretch+" WHERE a.shard = $1 AND a.org = $2",
		[]any{shard, string(org)}, func(scan func(...any) error) error {
			var k agendaKey
			var row agendaRow
			err := scan(&k.severity, &k.patient, &k.id, &row.rung, &row.terms)
			out[k] = append(out[k], row)
			return err
		})
}

// open checks that an open promise has its next rung, and only that, in the agenda.
func (r *Report) open(due agendaRows, p *Promise) {
	e := Event{Org: p.Org, Patient: p.Patient, Promise: p.ID}
	switch rows := due[agendaKey{p.Severity, p.Patient, p.ID}]; {
	case len(rows) != 1:
		r.fault(e, "the open promise has %d rows in the agenda, want 1", len(rows))
	case rows[0].rung != p.Rung:
		r.fault(e, "the agenda says rung %d, the history rung %d", rows[0].rung, p.Rung)
	case rows[0].terms != terms(p):
		r.fault(e, "the agenda's terms differ from the history's")
	}
}

// checkAgenda finds rows that belong to no open promise.
func (r *Report) checkAgenda(tx *store.Tx) error {
	return tx.Rows(`SELECT a.org, a.patient, a.promise FROM agenda a LEFT JOIN promise p ON p.org = a.org AND p.shard = a.shard AND p.patient = a.patient AND p.id = a.promise
		WHERE p.id IS NULL OR p.state <> 0 OR p.severity <> a.severity`, nil, func(scan func(...any) error) error {
		var e Event
		err := scan(&e.Org, &e.Patient, &e.Promise)
		r.fault(e, "the agenda has a row for a promise that is not open")
		return err
	})
}
