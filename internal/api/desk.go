package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// task is a row of the desk: something that a member of staff has to look at.
type task struct {
	ID       string      `json:"id"`
	Patient  person.ID   `json:"patient,omitempty" doc:"Absent when it is about no one patient."`
	Name     string      `json:"name,omitempty" doc:"Of the patient."`
	Severity string      `json:"severity"`
	Sentence string      `json:"sentence" doc:"What, in the viewer's language."`
	Kind     string      `json:"kind,omitempty" doc:"Of the promise."`
	Promise  promise.ID  `json:"promise,omitempty"`
	Cause    string      `json:"cause" doc:"What rows of one cause are grouped by."`
	Role     person.Role `json:"role" doc:"Whose it is to take."`
	Owner    person.ID   `json:"owner,omitempty" doc:"Who has taken it."`
	Opened   time.Time   `json:"opened"`
	Taken    time.Time   `json:"taken,omitzero"`
	Snoozed  time.Time   `json:"snoozed_until,omitzero"`
	Closed   time.Time   `json:"closed,omitzero"`
	Outcome  string      `json:"outcome,omitempty"`
}

func (s *server) deskRoutes() {
	get(s, "list-risk", "/desk/risk", "What is at risk for the patients of the viewer's teams, most severe first. Staff only.", s.risk)
	post(s, "take-task", "/desk/tasks/{id}/take", "Makes the viewer the owner of a task. Staff only.", http.StatusOK, s.takeTask)
	post(s, "finish-task", "/desk/tasks/{id}/finish", "Closes a task with what came of it. Staff only.", http.StatusOK, s.finishTask)
	post(s, "snooze-task", "/desk/tasks/{id}/snooze", "Puts a task aside, at the longest until the end of the viewer's shift. Staff only.", http.StatusOK, s.snoozeTask)
}

// taskOf puts a task into words. A reader without a name for the patient leaves it empty.
func taskOf(t promise.TaskRow, self, who person.Person) task {
	zone := self.Location()
	args := map[string]string{"called": who.Called, "who": who.Called}
	for k, v := range t.Args {
		args[k] = v
	}
	return task{ID: t.ID, Patient: t.Patient, Name: who.Name, Severity: t.Severity.String(), Sentence: words.Tell(self.Language, t.Say, args, zone), Kind: t.Kind,
		Promise: t.Promise, Cause: t.Cause, Role: t.Role, Owner: t.Owner, Opened: local(t.Opened, zone), Taken: local(t.Taken, zone), Snoozed: local(t.Snoozed, zone),
		Closed: local(t.Closed, zone), Outcome: t.Outcome}
}

// riskKey orders rows as the desk does: most severe first, then oldest.
func riskKey(t promise.TaskRow) string {
	return fmt.Sprintf("%d/%s/%s", promise.Severe-t.Severity, timeKey(t.Opened), t.ID)
}

type riskInput struct{ Part }

func (s *server) risk(ctx context.Context, c *caller, in *riskInput) (list[task], error) {
	var out list[task]
	if err := staffOnly(c); err != nil {
		return out, err
	}
	err := s.DB.Read(ctx, func(tx *store.Tx) error {
		self, err := s.self(tx, c)
		if err != nil {
			return err
		}
		mine, err := s.Person.PatientsOf(tx, c.Viewer)
		if err != nil {
			return err
		}
		who := make(map[person.ID]person.Person, len(mine))
		for _, p := range mine {
			who[p.ID] = p
		}
		all, err := s.Promise.Tasks(tx, c.Org)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(t promise.TaskRow) bool { return t.Patient != "" && who[t.Patient].ID == "" })
		slices.SortFunc(all, func(a, b promise.TaskRow) int { return strings.Compare(riskKey(a), riskKey(b)) })
		out, err = cut(all, in.Part, riskKey, func(t promise.TaskRow) (task, error) { return taskOf(t, self, who[t.Patient]), nil })
		return err
	})
	return out, err
}

// onTask changes a task for whose patient the caller may act, once.
func (s *server) onTask(ctx context.Context, c *caller, id string, w Write, change func(tx *store.Tx) (promise.TaskRow, error)) (task, error) {
	if err := staffOnly(c); err != nil {
		return task{}, err
	}
	var t promise.TaskRow
	var self, who person.Person
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if self, err = s.self(tx, c); err != nil {
			return err
		}
		t, err = s.Promise.TaskByID(tx, c.Org, id)
		return err
	}); err != nil {
		return task{}, err
	}
	if t.Patient != "" {
		var err error
		if who, err = s.enter(ctx, c, person.Act, t.Patient, "task"); err != nil {
			return task{}, err
		}
	}
	return once(ctx, s, c, w, func(tx *store.Tx) (task, error) {
		t, err := change(tx)
		return taskOf(t, self, who), err
	})
}

// takeInput has no body, and must not ask for one.
type takeInput struct {
	ID  string `path:"id"`
	Key string `header:"Idempotency-Key" maxLength:"255"`
}

func (s *server) takeTask(ctx context.Context, c *caller, in *takeInput) (task, error) {
	return s.onTask(ctx, c, in.ID, Write{Key: in.Key}, func(tx *store.Tx) (promise.TaskRow, error) { return s.Promise.Take(tx, c.Viewer, in.ID) })
}

type finishInput struct {
	ID string `path:"id"`
	Write
	Body struct {
		Outcome string `json:"outcome" maxLength:"500" doc:"What came of it."`
		Needed  *bool  `json:"needed,omitempty" doc:"Whether it needed action at all: what a budget of alerts is judged by."`
	}
}

func (s *server) finishTask(ctx context.Context, c *caller, in *finishInput) (task, error) {
	return s.onTask(ctx, c, in.ID, in.Write, func(tx *store.Tx) (promise.TaskRow, error) {
		outcome := strings.TrimSpace(in.Body.Outcome)
		if in.Body.Needed != nil {
			return s.Promise.FinishJudged(tx, c.Viewer, in.ID, outcome, *in.Body.Needed)
		}
		return s.Promise.Finish(tx, c.Viewer, in.ID, outcome)
	})
}

type snoozeInput struct {
	ID string `path:"id"`
	Write
	Body struct {
		Until time.Time `json:"until"`
	}
}

// snoozeMost is how long a task may be put aside, as on the desk's page.
const snoozeMost = 12 * time.Hour

func (s *server) snoozeTask(ctx context.Context, c *caller, in *snoozeInput) (task, error) {
	if in.Body.Until.After(s.Clock.Now().Add(snoozeMost)) {
		return task{}, fault.Invalidf("until: a task can be put aside for twelve hours at most.")
	}
	return s.onTask(ctx, c, in.ID, in.Write, func(tx *store.Tx) (promise.TaskRow, error) {
		return s.Promise.Snooze(tx, c.Viewer, in.ID, in.Body.Until.UTC())
	})
}
