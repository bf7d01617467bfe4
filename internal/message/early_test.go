package message_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
)

// hasty is a gateway whose reports come before its answer.
type hasty struct {
	*post
	report func(ref string)
}

func (g hasty) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	out := g.post.Send(ctx, batch)
	for _, r := range out {
		g.report(r.Ref)
	}
	return out
}

// Fault 5: a report that overtakes the answer of the gateway is not lost, or what arrived would go out again by the next channel.
func TestFault05ReportBeforeTheAnswer(t *testing.T) {
	each(t, func(h *house) {
		h.SMS.Answer = reporting
		h.Messages.SetChannel(person.SMS, hasty{h.SMS, func(ref string) {
			for _, state := range []message.State{message.Delivered, message.Failed} { // out of order, too
				if err := h.Messages.Report(t.Context(), ref, state); err != nil {
					t.Error(err)
				}
			}
		}})
		for i := range 20 {
			h.say(message.Draft{Key: fmt.Sprint(i)})
		}
		h.Settle()
		h.At(time.Hour)
		for _, m := range h.thread(h.Ruth.ID) {
			if m.Channel != person.SMS || m.State != message.Delivered {
				t.Errorf("%s %s", m.Channel, m.State)
			}
		}
		h.Want(h.Mail)
	})
}
