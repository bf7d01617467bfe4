package message_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	org        = apptest.Org
	ruthPhone  = apptest.RuthPhone
	elenaPhone = apptest.ElenaPhone
	danaPhone  = apptest.DanaPhone
	ruthMail   = apptest.RuthMail
)

var start = apptest.Start

type post = apptest.Post

// reporting answers like a gateway that will send reports: its reference is ours with "gw-" before it.
func reporting(m message.Outgoing) message.Result {
	return message.Result{Ref: "gw-" + m.Ref, Reports: true}
}

func busy(message.Outgoing) message.Result { return message.Result{Err: errors.New("busy")} }

// house is a house with what the tests of this room ask of it.
type house struct{ *apptest.House }

func each(t *testing.T, fn func(h *house)) {
	apptest.Each(t, func(h *apptest.House) { fn(&house{h}) })
}

// say writes a draft about Ruth, to Ruth unless it says otherwise.
func (h *house) say(d message.Draft) {
	h.Helper()
	if d.Patient == "" {
		d.Patient = h.Ruth.ID
	}
	if d.To == "" {
		d.To = "patient"
	}
	if d.Say == "" && d.Raw == "" {
		d.Say = "test"
	}
	if d.At.IsZero() {
		d.At = h.Clock.Now()
	}
	d.Org = org
	h.Write(func(tx *store.Tx) error { return h.Messages.Say(tx, d) })
}

// run hands messages over until ctx ends; wait for that.
func (h *house) run(ctx context.Context) (wait func()) {
	done := make(chan error, 1)
	go func() { done <- h.Messages.Run(ctx) }()
	for !h.Messages.Running() {
		time.Sleep(time.Millisecond)
	}
	return func() {
		if err := <-done; err != nil {
			h.Error(err)
		}
	}
}

// outbox answers what was said about a patient, oldest first, as "channel state".
func (h *house) outbox(patient person.ID) string {
	h.Helper()
	var out []string
	for _, m := range h.thread(patient) {
		if !m.Inward {
			out = append(out, fmt.Sprintf("%s %s", m.Channel, m.State))
		}
	}
	return strings.Join(out, ", ")
}

func (h *house) thread(patient person.ID) (list []message.Message) {
	h.Helper()
	h.Read(func(tx *store.Tx) (err error) {
		list, err = h.Messages.Between(tx, org, patient, start.AddDate(0, 0, -30), start.AddDate(0, 0, 30))
		return err
	})
	return list
}

// link answers a link as they were before they told the messages of one instant apart.
func (h *house) link(org person.OrgID, patient person.ID, at time.Time) string {
	return h.Messages.LinkCode(&message.Message{Org: org, Patient: patient, At: at})
}

// waits answers how many messages have a row that says until when they are of use.
func (h *house) waits() (n int) {
	h.Helper()
	h.Read(func(tx *store.Tx) error {
		_, err := tx.Row("SELECT COUNT(*) FROM useful", nil, &n)
		return err
	})
	return n
}

// sayAll writes drafts about Ruth, to Ruth, in one transaction.
func (h *house) sayAll(drafts []message.Draft) {
	h.Helper()
	for i := range drafts {
		d := &drafts[i]
		d.Org, d.Patient, d.To, d.Say, d.At = org, h.Ruth.ID, "patient", "test", h.Clock.Now()
	}
	h.Write(func(tx *store.Tx) error {
		apply, err := h.Messages.Ready(tx, drafts)
		if err != nil {
			return err
		}
		return apply(tx)
	})
}
