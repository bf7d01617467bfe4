package sim

import (
	"context"
	"fmt"

	"doorstep/internal/store"
)

// Report is what a run came to. Every number is counted from the database.
type Report struct {
	Days     int              `json:"days"`
	Patients int              `json:"patients"`
	Seed     uint64           `json:"seed"`
	Promises map[string]int64 `json:"promises"` // by kind and state
	Messages map[string]int64 `json:"messages"` // by channel and state
	Evidence int64            `json:"events"`   // lines of history
	Tasks    map[string]int64 `json:"tasks"`    // by sentence and outcome
	Readings int64            `json:"readings"`
	Faults   []string         `json:"faults_found"`
	State    string           `json:"state"` // hash of every promise as the history tells it
}

// Report counts what there is and checks every invariant of the ledger.
func (w *World) Report(ctx context.Context) (Report, error) {
	r := Report{Promises: map[string]int64{}, Tasks: map[string]int64{}, Faults: []string{}}
	count := func(tx *store.Tx, to map[string]int64, query string) error {
		return tx.Rows(query, nil, func(scan func(...any) error) error {
			var a, b string
			var n int64
			err := scan(&a, &b, &n)
			to[a+" "+b] = n
			return err
		})
	}
	err := w.DB.Read(ctx, func(tx *store.Tx) error {
		if err := count(tx, r.Promises, "SELECT kind, CASE state WHEN 0 THEN 'open' WHEN 1 THEN 'kept' WHEN 2 THEN 'broken' ELSE 'released' END, COUNT(*) FROM promise GROUP BY kind, state"); err != nil {
			return err
		}
		var err error
		if r.Messages, err = w.Messages.Count(tx); err != nil {
			return err
		}
		if err := count(tx, r.Tasks, "SELECT say, CASE closed_at WHEN 0 THEN 'open' ELSE 'closed' END, COUNT(*) FROM task GROUP BY 1, 2"); err != nil {
			return err
		}
		_, err = tx.Row("SELECT COUNT(*) FROM history", nil, &r.Evidence)
		return err
	})
	if err != nil {
		return r, err
	}
	check, err := w.Promises.Check(ctx)
	if err != nil {
		return r, err
	}
	for _, f := range check.Faults {
		r.Faults = append(r.Faults, f.String())
	}
	r.State = check.State
	for _, m := range w.Cast {
		list, err := w.Readings.Samples(ctx, string(Org), string(m.ID), "29463-7", FirstMorning.AddDate(-1, 0, 0), w.Clock.Now())
		if err != nil {
			return r, err
		}
		r.Readings += int64(len(list))
	}
	_, damaged, err := w.Messages.Check(ctx)
	r.Faults = append(r.Faults, damaged...)
	if err != nil {
		return r, fmt.Errorf("messages: %w", err)
	}
	return r, nil
}
