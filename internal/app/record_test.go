package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

const bundle = `{"resourceType":"Bundle","type":"transaction","entry":[
{"fullUrl":"urn:uuid:11111111-1111-4111-8111-111111111111","resource":{"resourceType":"Patient","id":"11111111-1111-4111-8111-111111111111","name":[{"family":"Abbott","given":["Ruth"]}],"birthDate":"1947-05-02"},"request":{"method":"POST","url":"Patient"}},
{"fullUrl":"urn:uuid:22222222-2222-4222-8222-222222222222","resource":{"resourceType":"MedicationRequest","id":"22222222-2222-4222-8222-222222222222","status":"active","intent":"order","medicationCodeableConcept":{"text":"Lisinopril 10 MG"},"subject":{"reference":"urn:uuid:11111111-1111-4111-8111-111111111111"},"authoredOn":"2026-02-01T09:00:00-05:00","dosageInstruction":[{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","timeOfDay":["08:00:00"]}}}]},"request":{"method":"POST","url":"MedicationRequest"}},
{"fullUrl":"urn:uuid:33333333-3333-4333-8333-333333333333","resource":{"resourceType":"MedicationRequest","id":"33333333-3333-4333-8333-333333333333","status":"active","intent":"order","medicationCodeableConcept":{"text":"Aspirin 81 MG"},"subject":{"reference":"urn:uuid:11111111-1111-4111-8111-111111111111"},"authoredOn":"2026-02-01T09:00:00-05:00"},"request":{"method":"POST","url":"MedicationRequest"}}]}`

// TestFromTheRecordToAReminder is the whole path: a record is imported, its prescription becomes a dose, the dose a promise,
// and the reminder goes out by text. What cannot be followed is a task for the team.
func TestFromTheRecordToAReminder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		c := clock.NewSim(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)) // 07:00 in New York
		s, err := New(t.Context(), Options{DB: db, Clock: c, IDs: clock.SeededIDs(c, 1), PublicURL: "https://doorstep.example"})
		if err != nil {
			t.Fatal(err)
		}
		texts := &outbox{}
		s.Messages.SetChannel(person.SMS, texts)
		if sum, err := s.Record.ImportFile(t.Context(), string(FirstOrg), "ruth.json", strings.NewReader(bundle), record.ImportOptions{}); err != nil || len(sum.Refused) > 0 {
			t.Fatal(err, sum.Refused)
		}
		var ruth person.Person
		if err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := s.People.SaveOrg(tx, person.Org{ID: FirstOrg, Name: "Elm Street Clinic", Zone: "America/New_York", Language: "en", Phone: "555 0100"}); err != nil {
				return err
			}
			if ruth, err = s.People.Save(tx, person.Person{Org: FirstOrg, Role: person.Patient, Name: "Ruth Abbott", BirthYear: 1947, Language: "en", Zone: "America/New_York",
				Record: "11111111-1111-4111-8111-111111111111"}); err != nil {
				return err
			}
			return s.People.SetContact(tx, FirstOrg, person.Contact{Person: ruth.ID, Channel: person.SMS, Address: "+15550100001", Consent: person.Given, Source: "test"})
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Promises.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Set(time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC))
		for range 3 { // the second and third round must add nothing
			if err := s.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(texts.sent) != 1 || !strings.Contains(texts.sent[0].Body, "8:00 am") || strings.Contains(texts.sent[0].Body, "Lisinopril") {
			t.Errorf("texts: %+v", texts.sent)
		}
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			tasks, err := s.Promises.TasksOf(tx, FirstOrg, ruth.ID, 10)
			if err == nil && (len(tasks) != 1 || tasks[0].Say != "task.prescriptions" || tasks[0].Args["n"] != "1") {
				t.Errorf("tasks: %+v", tasks)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// outbox is a channel that keeps what it is given.
type outbox struct{ sent []message.Outgoing }

func (o *outbox) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	o.sent = append(o.sent, batch...)
	return make([]message.Result, len(batch))
}
