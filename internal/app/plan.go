package app

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/device"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// cueFor is how long a light that a pill box shows by itself stays on, as that of a message does.
const cueFor = time.Hour

// planAhead is how far a device's plan looks; doses are promised a day and a half ahead.
const planAhead = 48 * time.Hour

// cuePlan answers what a device will be asked to show to whoever has it now.
func (s *Server) cuePlan(ctx context.Context, d reading.Device) (device.Plan, error) {
	now := s.Clock.Now()
	plan := device.Plan{At: now, Until: now.Add(planAhead), Cues: []device.PlanCue{}}
	holder, err := s.Readings.Holder(ctx, d)
	if err != nil || holder == "" {
		return plan, err
	}
	org, patient := person.OrgID(d.Org), person.ID(holder)
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		contacts, err := s.People.Contacts(tx, org, patient)
		if err != nil || !slices.ContainsFunc(contacts, func(c person.Contact) bool {
			return c.Channel == person.Cue && c.Address == d.ID && c.Consent == person.Given
		}) {
			return err
		}
		coming, err := s.Promises.Coming(tx, org, patient, promise.Light, now, plan.Until)
		for _, c := range coming {
			plan.Cues = append(plan.Cues, device.PlanCue{Promise: string(c.Promise.ID), Cue: "light", Slot: 1, At: c.At,
				Since: c.Promise.From.Add(-medication.OpenedBefore), Until: c.At.Add(cueFor)})
		}
		return err
	})
	return plan, err
}
