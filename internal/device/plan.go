package device

import (
	"context"
	"encoding/json"
	"time"

	"doorstep/internal/reading"
)

// planStream is where a device asks for what is coming; the answer comes on down/plan.
const planStream = "plan"

// Plan is what a device will be asked to show, sent ahead so that it, or the hub beside it, can do so by itself when the network is away.
type Plan struct {
	At    time.Time `json:"at"`    // when the server wrote it
	Until time.Time `json:"until"` // how far it looks
	Cues  []PlanCue `json:"cues"`
}

// PlanCue is a cue at its time.
type PlanCue struct {
	Promise string    `json:"promise"`
	Cue     string    `json:"cue"` // light
	Slot    int       `json:"slot"`
	At      time.Time `json:"at"`
	Since   time.Time `json:"since"` // an opening from here on answers it: it is not shown
	Until   time.Time `json:"until"`
}

// sendPlan answers a device's question for its plan. An error means that the plan could not be read; that the device has stopped
// listening is none: it asks again.
func (in *Intake) sendPlan(ctx context.Context, dev reading.Device, send func(topic string, payload []byte) error) error {
	in.messages.Add(1)
	plan := Plan{At: in.Clock.Now(), Until: in.Clock.Now(), Cues: []PlanCue{}}
	if in.Plan != nil {
		var err error
		if plan, err = in.Plan(ctx, dev); err != nil {
			in.failed.Add(1)
			in.Log.Error("a device's plan could not be read", "device", dev.ID, "error", err)
			return err
		}
	}
	b, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	if err := send(topicRoot+dev.ID+"/down/"+planStream, b); err != nil {
		in.Log.Warn("a device asked for its plan and does not listen", "device", dev.ID)
	}
	return nil
}
