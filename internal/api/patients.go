package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// patient is a patient as programs see one.
type patient struct {
	ID        person.ID       `json:"id"`
	Name      string          `json:"name"`
	Called    string          `json:"called"`
	BirthYear int             `json:"birth_year"`
	Language  string          `json:"language"`
	Zone      string          `json:"zone" doc:"IANA"`
	Record    string          `json:"record,omitempty" doc:"Id of the FHIR Patient."`
	Teams     []person.TeamID `json:"teams"`
}

func patientOf(p person.Person) (patient, error) {
	out := patient{ID: p.ID, Name: p.Name, Called: p.Called, BirthYear: p.BirthYear, Language: p.Language, Zone: p.Zone, Record: p.Record, Teams: p.Teams}
	if out.Teams == nil {
		out.Teams = []person.TeamID{}
	}
	return out, nil
}

func (s *server) patientRoutes() {
	get(s, "list-patients", "/patients", "The patients whom the viewer may see, in the order of their enrolment.", s.patients)
	post(s, "enrol-patient", "/patients", "Takes a new patient in.", http.StatusCreated, s.enrol)
}

type patientsInput struct{ Part }

func (s *server) patients(ctx context.Context, c *caller, in *patientsInput) (list[patient], error) {
	var all []person.Person
	err := s.DB.Read(ctx, func(tx *store.Tx) error {
		var err error
		if all, err = s.Person.PatientsOf(tx, c.Viewer); err != nil {
			return err
		}
		if !c.Role.Staff() { // a link may give less than to see
			seen := all[:0]
			for _, p := range all {
				err := s.Person.May(tx, c.Viewer, person.See, p.ID)
				if err == nil {
					seen = append(seen, p)
				} else if !fault.Is(err, fault.Denied) {
					return err
				}
			}
			all = seen
		}
		if c.Role == person.Patient {
			self, err := s.self(tx, c)
			all = append(all, self)
			return err
		}
		return nil
	})
	if err != nil {
		return list[patient]{}, err
	}
	// By id, not by name: a cursor stands in addresses, and addresses in logs.
	slices.SortFunc(all, func(a, b person.Person) int { return cmp.Compare(a.ID, b.ID) })
	return cut(all, in.Part, func(p person.Person) string { return string(p.ID) }, patientOf)
}

type enrolInput struct {
	Write
	Body struct {
		Name      string           `json:"name" minLength:"1" maxLength:"200"`
		Called    string           `json:"called,omitempty" maxLength:"100" doc:"How the person is addressed; the first name when left out."`
		BirthYear int              `json:"birth_year" doc:"Confirms the sign-in."`
		Language  string           `json:"language,omitempty" enum:"en,es" doc:"The organization's when left out."`
		Zone      string           `json:"zone,omitempty" maxLength:"64" doc:"IANA; the organization's when left out."`
		Phone     string           `json:"phone,omitempty" maxLength:"40"`
		Mail      string           `json:"mail,omitempty" maxLength:"200"`
		Consent   []person.Channel `json:"consent,omitempty" enum:"sms,mail" doc:"The channels to which the person has agreed."`
		Record    string           `json:"record,omitempty" maxLength:"64" doc:"Id of the FHIR Patient."`
		Team      person.TeamID    `json:"team,omitempty" maxLength:"64" doc:"One of the viewer's own teams; may be left out when there is only one."`
	}
}

// enrol takes a patient in: who, how to reach them and with what consent, in which team.
func (s *server) enrol(ctx context.Context, c *caller, in *enrolInput) (patient, error) {
	if err := staffOnly(c); err != nil {
		return patient{}, err
	}
	if c.Role == person.Clinician {
		return patient{}, fault.Deniedf("The front desk and the nurses take people in.")
	}
	b := in.Body
	if b.BirthYear < 1880 || b.BirthYear > s.Clock.Now().Year() {
		return patient{}, fault.Invalidf("Please write the year with four digits, like 1947.")
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (patient, error) {
		team, err := s.ownTeam(tx, c, b.Team)
		if err != nil {
			return patient{}, err
		}
		o, err := s.Person.Org(tx, c.Org)
		if err != nil {
			return patient{}, err
		}
		who := person.Person{Org: c.Org, Role: person.Patient, Name: strings.TrimSpace(b.Name), Called: strings.TrimSpace(b.Called), BirthYear: b.BirthYear,
			Language: cmp.Or(b.Language, o.Language), Zone: cmp.Or(b.Zone, o.Zone), Record: b.Record, Teams: []person.TeamID{team}}
		if _, known, err := s.Person.ByRecord(tx, c.Org, b.Record); err != nil {
			return patient{}, err
		} else if known {
			return patient{}, fault.Conflictf("A patient with this record is here already.")
		}
		if who, err = s.Person.Save(tx, who); err != nil {
			return patient{}, err
		}
		rank := 0
		for _, a := range []person.Contact{{Channel: person.SMS, Address: b.Phone}, {Channel: person.Mail, Address: b.Mail}} {
			if a.Address == "" {
				continue
			}
			a.Person, a.Rank, a.Consent, a.Source = who.ID, rank, person.Unasked, "enrolment by program"
			if slices.Contains(b.Consent, a.Channel) {
				a.Consent = person.Given
			}
			if err := s.Person.SetContact(tx, c.Org, a); err != nil {
				return patient{}, err
			}
			rank++
		}
		if err := s.Person.Audit(tx, c.Viewer, who.ID, "enrol", ""); err != nil {
			return patient{}, err
		}
		return patientOf(who)
	})
}

// ownTeam answers the team asked for if it is the caller's own, or the caller's only one.
func (s *server) ownTeam(tx *store.Tx, c *caller, team person.TeamID) (person.TeamID, error) {
	self, err := s.self(tx, c)
	if err != nil {
		return "", err
	}
	if team == "" && len(self.Teams) == 1 {
		return self.Teams[0], nil
	}
	if !slices.Contains(self.Teams, team) {
		return "", fault.Invalidf("Please choose one of your own teams.")
	}
	return team, nil
}
