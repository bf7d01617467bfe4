package record

import (
	"slices"

	"doorstep/internal/fhir"
)

// directory are the types that hold nothing of any patient: everybody signed in may read them.
var directory = []string{"Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Medication",
	"Questionnaire", "Endpoint"}

// shared are the types of a patient's compartment that name several patients in one resource: a limited scope never sees them.
var shared = []string{"Group", "Person", "AuditEvent"}

// places answers how a scope that is limited to a patient may see a type: freely, by the paths of references to the
// patient, as the patient's own resource, or (all zero) not at all.
func (sc Scope) places(typ string) (free bool, paths []fhir.Path, self bool) {
	switch {
	case sc.Patient == "" || slices.Contains(directory, typ):
		return true, nil, false
	case typ == "Patient":
		return false, nil, true
	case slices.Contains(shared, typ):
		return false, nil, false
	}
	for _, p := range fhir.Compartment(typ) {
		paths = append(paths, p.Paths...)
	}
	return false, paths, false
}

// sees reports whether a resource lies within the scope, judged by its bytes.
func (sc Scope) sees(typ, id string, body []byte) bool {
	free, paths, self := sc.places(typ)
	if free || self {
		return free || id == sc.Patient
	}
	if len(body) == 0 || len(paths) == 0 {
		return false
	}
	ix, err := fhir.Extract(body)
	if err != nil {
		return false
	}
	me := fhir.Hash("Patient/" + sc.Patient)
	return slices.ContainsFunc(ix.Refs, func(r fhir.RefRow) bool {
		return r.Target == me && slices.ContainsFunc(paths, func(p fhir.Path) bool { return p.Key == r.Path })
	})
}

// Owns reports whether the scope may write the resource: any for a whole organization, else only what belongs to the
// patient; never the directory or the patient's own Patient resource, which are the organization's to keep.
func (sc Scope) Owns(typ string, body []byte) bool {
	if sc.Patient == "" {
		return true
	}
	if free, _, self := sc.places(typ); free || self {
		return false
	}
	return sc.sees(typ, "", body)
}
