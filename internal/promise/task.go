package promise

import (
	"encoding/json"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// TaskRow is something that a member of staff has to look at: a row of the desk's risk view.
type TaskRow struct {
	Org      person.OrgID
	Patient  person.ID // empty when it is about no one patient (an unknown number)
	ID       string
	Promise  ID
	Kind     string            // of the promise
	Role     person.Role       // whose it is to take
	Owner    person.ID         // who has taken it; empty: nobody yet
	Severity Severity          //
	Say      string            // catalog key: why
	Args     map[string]string //
	Cause    string            // what tasks of the same cause are grouped by (a hub, a bad hour of a gateway)
	Opened   time.Time
	Taken    time.Time
	Snoozed  time.Time // until
	Closed   time.Time
	Outcome  string
	Promises int // how many promises it stands for
}

// CauseArg is the argument of a promise that names what else happened for the same reason: its tasks are grouped by it.
const CauseArg = "cause"

// PartArg is the argument of a promise that says what is not known of its reason: its tasks say so, where the catalog has words for it.
const PartArg = "part"

// taskOf answers the task that a rung opens. Its id follows from the promise, what it says and whose it is: a rung that calls the
// next person to the same thing opens no second row for it.
func taskOf(e Effect) TaskRow {
	p := e.Promises[0]
	kind, who, _ := strings.Cut(e.Rung.To, ":")
	t := TaskRow{Org: e.Org, Patient: e.Patient, Promise: p.ID, Kind: p.Kind, Role: person.Role(who), Severity: e.Severity, Say: "task." + e.Rung.Say, Args: p.Args,
		Cause: strings.TrimSpace(e.Rung.Say + " " + p.Args[CauseArg]), Opened: e.Now, Promises: len(e.Promises)}
	if kind == "person" {
		t.Role, t.Owner = person.Nurse, person.ID(who)
	}
	if p.Args[PartArg] != "" && words.Has(t.Say+".part") {
		t.Say += ".part"
	}
	t.ID = clock.DerivedID("task", string(p.ID), e.Rung.Say, who)
	return t
}

func insertTask(tx *store.Tx, t TaskRow) error {
	_, err := tx.Exec(`INSERT INTO task (org, patient, id, promise, kind, role, owner, severity, say, args, cause, opened_at, taken_at, snoozed_until, closed_at, outcome)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, '') ON CONFLICT DO NOTHING`,
		string(t.Org), string(t.Patient), t.ID, string(t.Promise), t.Kind, string(t.Role), string(t.Owner), int(t.Severity), t.Say, body(t.Args), t.Cause,
		store.Micros(t.Opened))
	tx.Hint("desk", string(t.Org))
	return err
}

// OpenTask puts something on the desk's view that no rung opened: a text from an unknown number, a STOP. The same id twice is one task.
func (s *Service) OpenTask(tx *store.Tx, t TaskRow) error {
	if t.Org == "" || t.Say == "" || t.Role == "" {
		return fault.Invalidf("A task needs an organization, a role and a sentence.")
	}
	if t.ID == "" {
		t.ID = s.ids.New()
	}
	t.Opened = s.clock.Now()
	return insertTask(tx, t)
}

// settle closes the open tasks of a promise that has been answered: a task that no longer needs anyone is noise.
func (s *Service) settle(tx *store.Tx, p Promise, outcome string, now time.Time) error {
	n, err := tx.Exec("UPDATE task SET closed_at = $4, outcome = $5 WHERE org = $1 AND patient = $2 AND promise = $3 AND closed_at = 0",
		string(p.Org), string(p.Patient), string(p.ID), store.Micros(now), outcome)
	if n > 0 {
		tx.Hint("desk", string(p.Org))
	}
	return err
}

const taskSelect = "SELECT org, patient, id, promise, kind, role, owner, severity, say, args, cause, opened_at, taken_at, snoozed_until, closed_at, outcome FROM task"

func scanTask(scan func(...any) error) (TaskRow, error) {
	var t TaskRow
	var args string
	var opened, taken, snoozed, closed int64
	if err := scan(&t.Org, &t.Patient, &t.ID, &t.Promise, &t.Kind, &t.Role, &t.Owner, &t.Severity, &t.Say, &args, &t.Cause, &opened, &taken, &snoozed, &closed, &t.Outcome); err != nil {
		return t, err
	}
	t.Opened, t.Taken, t.Snoozed, t.Closed = store.Time(opened), store.Time(taken), store.Time(snoozed), store.Time(closed)
	if args == "null" {
		return t, nil
	}
	return t, json.Unmarshal([]byte(args), &t.Args)
}

// Tasks answers the organization's open tasks, most severe first, then oldest; those snoozed come with their time.
func (s *Service) Tasks(tx *store.Tx, org person.OrgID) ([]TaskRow, error) {
	return store.All(tx, taskSelect+" WHERE org = $1 AND closed_at = 0 ORDER BY severity DESC, opened_at, id", []any{string(org)}, scanTask)
}

// TasksOf answers a patient's tasks, the latest first, at most n.
func (s *Service) TasksOf(tx *store.Tx, org person.OrgID, patient person.ID, n int) ([]TaskRow, error) {
	return store.All(tx, taskSelect+" WHERE org = $1 AND patient = $2 ORDER BY opened_at DESC, id LIMIT $3", []any{string(org), string(patient), n}, scanTask)
}

// TaskByID answers one task.
func (s *Service) TaskByID(tx *store.Tx, org person.OrgID, id string) (TaskRow, error) {
	list, err := store.All(tx, taskSelect+" WHERE org = $1 AND id = $2", []any{string(org), id}, scanTask)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such task.")
	}
	if err != nil {
		return TaskRow{}, err
	}
	return list[0], nil
}

// Take makes the viewer the owner of a task. Somebody else's task can be taken over; the history says so.
func (s *Service) Take(tx *store.Tx, v person.Viewer, id string) (TaskRow, error) {
	return s.touch(tx, v, id, "taken", "", func(t *TaskRow, now time.Time) error {
		t.Owner, t.Taken, t.Snoozed = v.Person, now, time.Time{}
		return nil
	})
}

// LongestSnooze is for how long a task can be put aside by somebody whose shift is not known.
const LongestSnooze = 12 * time.Hour

// Snooze puts a task aside until an instant, which is brought forward to the end of the viewer's shift if it would outlast it.
// A severe task cannot be snoozed.
func (s *Service) Snooze(tx *store.Tx, v person.Viewer, id string, until time.Time) (TaskRow, error) {
	return s.touch(tx, v, id, "snoozed", "", func(t *TaskRow, now time.Time) error {
		if t.Severity == Severe {
			return fault.Invalidf("This one cannot wait.")
		}
		p, err := s.people.Get(tx, v.Org, v.Person)
		if err != nil {
			return err
		}
		shifts, err := s.people.OnDuty(tx, v.Org, v.Role, p.Teams, now)
		if err != nil {
			return err
		}
		if longest := now.Add(LongestSnooze); until.After(longest) {
			until = longest
		}
		for _, sh := range shifts {
			if sh.Person == v.Person && sh.Until.Before(until) {
				until = sh.Until
			}
		}
		if !until.After(now) {
			return fault.Invalidf("Please choose a time that is still to come.")
		}
		t.Owner, t.Snoozed = v.Person, until
		return nil
	})
}

// Finish closes a task with what came of it, in the words of the one who did it.
func (s *Service) Finish(tx *store.Tx, v person.Viewer, id, outcome string) (TaskRow, error) {
	if strings.TrimSpace(outcome) == "" {
		return TaskRow{}, fault.Invalidf("Please say what came of it.")
	}
	t, err := s.touch(tx, v, id, "done", outcome, func(t *TaskRow, now time.Time) error {
		t.Owner, t.Closed, t.Outcome = v.Person, now, outcome
		return nil
	})
	if err != nil || t.Promise == "" {
		return t, err
	}
	// Where it was the staff's own promise ("Dana will call you"), doing the task is keeping it.
	p, err := s.Get(tx, t.Org, t.Patient, t.Promise)
	if err != nil || p.Keeper.Kind != "role" {
		return t, err
	}
	_, err = s.Give(tx, t.Org, t.Patient, p.ID, Evidence{Kind: "word", At: t.Closed, Source: "desk", By: string(v.Person), Note: outcome})
	return t, err
}

func (s *Service) touch(tx *store.Tx, v person.Viewer, id, act, note string, change func(*TaskRow, time.Time) error) (TaskRow, error) {
	t, err := s.TaskByID(tx, v.Org, id)
	if err != nil {
		return t, err
	}
	if !t.Closed.IsZero() {
		return t, fault.Conflictf("That is done already.")
	}
	now := s.clock.Now()
	if err := change(&t, now); err != nil {
		return t, err
	}
	if _, err := tx.Exec("UPDATE task SET owner = $3, taken_at = $4, snoozed_until = $5, closed_at = $6, outcome = $7 WHERE org = $1 AND id = $2",
		string(t.Org), t.ID, string(t.Owner), store.Micros(t.Taken), store.Micros(t.Snoozed), store.Micros(t.Closed), t.Outcome); err != nil {
		return t, err
	}
	tx.Hint("desk", string(t.Org))
	if t.Patient == "" || t.Promise == "" {
		return t, nil
	}
	if err := lock(tx, Shard(t.Patient)); err != nil {
		return t, err
	}
	tx.Hint("patient", string(t.Org)+"/"+string(t.Patient))
	return t, record(tx, Event{Org: t.Org, Patient: t.Patient, At: now, Kind: EventTask, Promise: t.Promise, Rung: -1,
		Body: body(map[string]string{"task": t.ID, "act": act, "by": string(v.Person), "note": note})})
}

// HandOver answers what the next shift has to know: open tasks that somebody has taken or put aside.
func (s *Service) HandOver(tx *store.Tx, org person.OrgID) ([]TaskRow, error) {
	return store.All(tx, taskSelect+" WHERE org = $1 AND closed_at = 0 AND owner <> '' ORDER BY severity DESC, opened_at, id", []any{string(org)}, scanTask)
}
