// Package app puts the services of one server together, in one place, for serve, demo, the simulator and the tests. The
// adapters here are the only code that knows two rooms of the same floor.
package app

import (
	"strconv"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// hands turn the ledger's effects into messages.
type hands struct{ messages *message.Service }

func (h hands) Ready(tx *store.Tx, effects []promise.Effect) (func(*store.Tx) error, error) {
	drafts := make([]message.Draft, len(effects))
	for i := range effects {
		drafts[i] = draftOf(&effects[i])
	}
	return h.messages.Ready(tx, drafts)
}

func draftOf(e *promise.Effect) message.Draft {
	p := &e.Promises[0]
	d := message.Draft{Org: e.Org, Patient: e.Patient, To: e.Rung.To, At: e.Due, Key: string(p.ID) + "/" + strconv.Itoa(e.Index) + "/" + e.Rung.To, Say: e.Rung.Say,
		Args: p.Args, Severity: message.Severity(e.Severity), Ask: e.Rung.Ask, Late: e.Late, Light: e.Rung.Do == promise.Light, Channels: e.Rung.Channels}
	for i := range e.Promises {
		d.Promises = append(d.Promises, string(e.Promises[i].ID))
	}
	if e.Rung.Useful > 0 {
		d.Useful = e.Due.Add(time.Duration(e.Rung.Useful))
	}
	if e.Rung.Do == promise.Page { // what a page is about is read after signing in
		d.Say, d.Args = "page.staff", nil
		if e.Severity < promise.Severe && p.Args[promise.CauseArg] != "" {
			d.Cause = e.Rung.Say + " " + p.Args[promise.CauseArg]
		}
	}
	return d
}
