package app

import (
	"net/http"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhirapi"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// fhirAccess lets staff read and write the organization's record, and a patient read the own part of it.
type fhirAccess struct {
	s     *Server
	cross *http.CrossOriginProtection
}

func (f fhirAccess) Access(r *http.Request) (fhirapi.Access, error) {
	var v person.Viewer
	var err error
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		v, err = f.s.People.Session(r.Context(), strings.TrimSpace(token))
	} else if err = f.cross.Check(r); err != nil { // a browser sends the page's cookie by itself
		return fhirapi.Access{}, fault.Deniedf("This came from another site. Please open our page and try again.")
	} else {
		v, err = f.s.cookieViewer(r)
	}
	if fault.Is(err, fault.Denied) {
		err = fhirapi.ErrSignIn
	}
	if err != nil {
		return fhirapi.Access{}, err
	}
	switch {
	case v.Role.Staff() || v.Role == person.Operator:
		return fhirapi.Access{Org: string(v.Org), Write: true}, f.enter(r, v)
	case v.Role == person.Patient:
		var p person.Person
		if err := f.s.DB.Read(r.Context(), func(tx *store.Tx) (err error) { p, err = f.s.People.Get(tx, v.Org, v.Person); return err }); err != nil {
			return fhirapi.Access{}, err
		}
		if p.Record != "" {
			return fhirapi.Access{Org: string(v.Org), Patient: p.Record}, f.s.People.Enter(r.Context(), v, person.See, p.ID, "record")
		}
	}
	return fhirapi.Access{}, fault.Deniedf("There is no record that you may read here.")
}

// enter writes down who looks into the record. Where the request names a patient whom we know, it is a look into that chart: staff
// need the same right as on the pages, and the patient sees it among those who looked. An operator connects other systems and has
// no chart: what such a program reads and writes is written down as the organization's.
func (f fhirAccess) enter(r *http.Request, v person.Viewer) error {
	right, act := person.See, "see"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		right, act = person.Act, "change"
	}
	var who person.Person
	known := false
	if id := patientOf(r); id != "" {
		err := f.s.DB.Read(r.Context(), func(tx *store.Tx) (err error) {
			who, known, err = f.s.People.ByRecord(tx, v.Org, id)
			return err
		})
		if err != nil {
			return err
		}
	}
	if known && v.Role.Staff() {
		return f.s.People.Enter(r.Context(), v, right, who.ID, "record")
	}
	return f.s.DB.Write(r.Context(), func(tx *store.Tx) error { return f.s.People.Audit(tx, v, who.ID, act, "record "+kindOf(r)) })
}

// patientOf answers the id of the Patient that a request names, by its path or by a search's patient or subject; empty: none.
func patientOf(r *http.Request) string {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.Path, "/fhir"), "/"), "/")
	if len(parts) > 1 && parts[0] == "Patient" && !strings.HasPrefix(parts[1], "_") {
		return parts[1]
	}
	q := r.URL.Query()
	for _, name := range [...]string{"patient", "subject", "subject:Patient"} {
		if id := strings.TrimPrefix(q.Get(name), "Patient/"); id != "" && !strings.ContainsAny(id, "/,") {
			return id
		}
	}
	if parts[0] == "Patient" {
		return q.Get("_id")
	}
	return ""
}

// kindOf answers what kind of resource a request is about, and no more: an id or a search may say who.
func kindOf(r *http.Request) string {
	kind, _, _ := strings.Cut(strings.Trim(strings.TrimPrefix(r.URL.Path, "/fhir"), "/"), "/")
	if kind == "" {
		return "bundle"
	}
	return kind[:min(len(kind), 40)]
}
