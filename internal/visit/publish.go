package visit

import (
	"encoding/json"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/store"
)

// FHIR R4 Encounter and Communication, as far as we fill them.
type fhirEncounter struct {
	Type        string      `json:"resourceType"`
	ID          string      `json:"id"`
	Status      string      `json:"status"`
	Class       coding      `json:"class"`
	Subject     reference   `json:"subject"`
	Appointment []reference `json:"appointment"`
	Period      period      `json:"period"`
}

type fhirCommunication struct {
	Type      string      `json:"resourceType"`
	ID        string      `json:"id"`
	Status    string      `json:"status"`
	Medium    []concept   `json:"medium"`
	Subject   reference   `json:"subject"`
	About     []reference `json:"about"`
	Encounter *reference  `json:"encounter,omitempty"`
	Sent      string      `json:"sent"`
	Reason    []concept   `json:"reasonCode,omitempty"`
	Payload   []payload   `json:"payload"`
}

type payload struct {
	Text string `json:"contentString"`
}

type concept struct {
	Coding []coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

type coding struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

type reference struct {
	Reference string `json:"reference"`
}

type period struct {
	Start string `json:"start"`
	End   string `json:"end,omitempty"`
}

const (
	actCode  = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	mediums  = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
	whySpace = "https://doorstep.health/fhir/CodeSystem/video-why"
)

// medium is how people met, by v3-ParticipationMode.
var medium = map[Mode]string{Video: "VIDEOCONF", Audio: "VERBAL", Phone: "PHONE"}

var told = map[Mode]string{Video: "The visit went on by video.", Audio: "The visit went on with sound alone.", Phone: "The visit went on by telephone."}

// publish writes the encounter of a visit that has begun into the record of a person who has one.
func (s *Service) publish(tx *store.Tx, m Meeting, x Visit) error {
	who, err := s.people.Get(tx, m.Org, m.Patient)
	if err != nil || who.Record == "" {
		return err
	}
	e := fhirEncounter{Type: "Encounter", ID: string(m.Visit), Status: "in-progress", Class: coding{actCode, "VR"}, Subject: reference{"Patient/" + who.Record},
		Appointment: []reference{{"Appointment/" + string(m.Visit)}}, Period: period{Start: x.local(m.Together)}}
	if !m.Ended.IsZero() {
		e.Status, e.Period.End = "finished", x.local(m.Ended)
	}
	return s.write(tx, m, e)
}

// communicate writes down that a visit goes on in another way.
func (s *Service) communicate(tx *store.Tx, m Meeting, x Visit) error {
	who, err := s.people.Get(tx, m.Org, m.Patient)
	if err != nil || who.Record == "" {
		return err
	}
	now := s.clock.Now()
	c := fhirCommunication{Type: "Communication", ID: clock.DerivedID("visit step", string(m.Org), string(m.Visit), string(m.Mode), now.UTC().Format(time.RFC3339Nano)), Status: "completed",
		Medium: []concept{{Coding: []coding{{mediums, medium[m.Mode]}}}}, Subject: reference{"Patient/" + who.Record}, About: []reference{{"Appointment/" + string(m.Visit)}},
		Sent: x.local(now), Payload: []payload{{told[m.Mode]}}}
	if !m.Together.IsZero() {
		c.Encounter = &reference{"Encounter/" + string(m.Visit)}
	}
	if m.Why != "" {
		c.Reason = []concept{{Coding: []coding{{whySpace, m.Why}}}}
	}
	return s.write(tx, m, c)
}

func (s *Service) write(tx *store.Tx, m Meeting, resource any) error {
	b, err := json.Marshal(resource)
	if err != nil {
		return err
	}
	_, err = s.record.Put(tx, string(m.Org), b)
	return err
}

// local writes an instant by the clock of the visit.
func (x Visit) local(t time.Time) string {
	if z, err := clock.Zone(x.Zone); err == nil {
		t = t.In(z)
	}
	return t.Format(time.RFC3339)
}
