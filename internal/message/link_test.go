package message_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Of several questions of one instant each has its own link, and so has each reader of one question; a link from before opens one of them, as it did.
func TestLinksOfOneInstant(t *testing.T) {
	each(t, func(h *house) {
		second := h.Enrol(person.Person{Role: person.Caregiver, Name: "Ana Abbott", BirthYear: 1976}, "+15550100008")
		h.Write(func(tx *store.Tx) error {
			return h.People.Link(tx, org, person.CareLink{Patient: h.Ruth.ID, Caregiver: second.ID, Relation: "daughter", Rights: []person.Right{person.See, person.Act},
				From: start.Add(-time.Hour), Until: start.AddDate(1, 0, 0), GivenBy: h.Ruth.ID})
		})
		for i := range 3 {
			h.say(message.Draft{Key: fmt.Sprint(i), Say: "dose", Args: dose.Args, Promises: []string{fmt.Sprint("p", i)}, Ask: true})
		}
		h.say(message.Draft{Key: "family", To: "caregivers", Say: "dose", Args: dose.Args, Promises: []string{"p0"}, Ask: true})
		h.Settle()
		codes := map[string]string{}
		for _, m := range h.thread(h.Ruth.ID) {
			_, code, ok := strings.Cut(m.Body, "https://elm.example/r/")
			if !ok || codes[code] != "" {
				t.Fatalf("the link of %q is that of %q", m.Body, codes[code])
			}
			codes[code] = m.ID
			h.Read(func(tx *store.Tx) error {
				got, err := h.Messages.OpenLink(tx, code)
				if err != nil || got.ID != m.ID {
					t.Errorf("the link to %s about %s opens that to %s about %s, %v", m.Person, m.Promises, got.Person, got.Promises, err)
				}
				return nil
			})
		}
		if len(codes) != 5 {
			t.Fatalf("%d links, want 5", len(codes))
		}
		h.Read(func(tx *store.Tx) error {
			if got, err := h.Messages.OpenLink(tx, h.link(org, h.Ruth.ID, start)); err != nil || got.Say != "dose" {
				t.Errorf("a link from before opens %+v, %v", got, err)
			}
			return nil
		})
	})
}
