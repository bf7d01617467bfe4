package fhir

import (
	"slices"
	"strings"
	"sync"
)

// Kind is how a search parameter compares (hl7.org/fhir/R4/search.html#ptypes).
type Kind string

const (
	KindToken     Kind = "token"
	KindReference Kind = "reference"
	KindString    Kind = "string"
	KindDate      Kind = "date"
	KindNumber    Kind = "number"
	KindQuantity  Kind = "quantity"
	KindURI       Kind = "uri"
)

// Path is one place in a resource that a parameter looks at. Index rows carry its Key, which stands for the resource type,
// the place and the kind: parameters that look at the same place share its rows.
type Path struct {
	Text string // "name.given", below the resource
	Type string // data type there: "CodeableConcept", or "ContactPoint?system=email" with a condition
	Key  int64
}

// Param is a search parameter of one resource type.
type Param struct {
	Type    string // resource type
	Code    string // its name in a URL
	Kind    Kind
	Paths   []Path
	Targets []string // references: the types it may point to; empty: any
}

// table is what the generated tables say, made once.
type table struct {
	types       map[string]bool
	list        []string
	params      map[string]map[string]*Param
	sorted      map[string][]*Param
	compartment map[string][]*Param
	dates       map[string]string // element name → the one resource type where it is none, "" for most
	tries       map[string]*node
	principal   map[string]*Param
}

var tables = sync.OnceValue(func() *table {
	t := &table{
		types: map[string]bool{}, params: map[string]map[string]*Param{}, sorted: map[string][]*Param{},
		compartment: map[string][]*Param{}, dates: map[string]string{}, tries: map[string]*node{}, principal: map[string]*Param{},
	}
	t.list = strings.Fields(typeTable)
	for _, name := range t.list {
		t.types[name] = true
		t.params[name] = map[string]*Param{}
		for _, line := range everywhere {
			t.add(name, strings.Fields(line))
		}
	}
	for line := range strings.Lines(paramTable) {
		if f := strings.Fields(line); len(f) >= 4 {
			t.add(f[0], f[1:])
		}
	}
	for line := range strings.Lines(compartmentTable) {
		if f := strings.Fields(line); len(f) == 2 {
			t.compartment[f[0]] = t.belongs(f[0], strings.Split(f[1], ","))
		}
	}
	for _, name := range strings.Fields(dateTable) {
		name, not, _ := strings.Cut(name, "!")
		t.dates[name] = not
	}
	for _, name := range t.list {
		for _, p := range t.params[name] {
			t.sorted[name] = append(t.sorted[name], p)
		}
		slices.SortFunc(t.sorted[name], func(a, b *Param) int { return strings.Compare(a.Code, b.Code) })
		t.principal[name] = t.principalOf(name)
		t.tries[name] = makeTrie(t.sorted[name])
	}
	return t
})

// everywhere are the parameters that every resource type has, beside _id and _lastUpdated, which are columns.
var everywhere = []string{
	"_profile uri meta.profile:canonical",
	"_security token meta.security:Coding",
	"_source uri meta.source:uri",
	"_tag token meta.tag:Coding",
}

func (t *table) add(typ string, f []string) {
	if t.params[typ] == nil {
		return
	}
	p := &Param{Type: typ, Code: f[0], Kind: Kind(f[1])}
	for part := range strings.SplitSeq(f[2], ",") {
		text, dt, _ := strings.Cut(part, ":")
		p.Paths = append(p.Paths, Path{Text: text, Type: dt, Key: Hash(typ + "." + text + ":" + dt + " " + string(p.Kind))})
	}
	if len(f) > 3 {
		p.Targets = strings.Split(f[3], ",")
	}
	t.params[typ][p.Code] = p
}

// belongs narrows a compartment's parameters to those that say whose a resource is: that a patient performed or
// recorded something about another person does not make it theirs to read.
func (t *table) belongs(typ string, codes []string) []*Param {
	for _, whose := range []string{"subject", "patient", "beneficiary"} {
		if slices.Contains(codes, whose) {
			codes = []string{whose}
			break
		}
	}
	var out []*Param
	for _, code := range codes {
		if p := t.params[typ][code]; p != nil && p.Kind == KindReference {
			out = append(out, p)
		}
	}
	return out
}

// principals are the dates that a type's resources are ordered by where the fallbacks of principalOf would mislead.
var principals = map[string]string{
	"Patient": "birthdate", "Person": "birthdate", "RelatedPerson": "birthdate", "Condition": "recorded-date",
	"MedicationRequest": "authoredon", "MedicationDispense": "whenhandedover", "MedicationStatement": "effective",
	"MedicationAdministration": "effective-time", "Goal": "start-date", "Slot": "start", "Communication": "sent",
	"ImagingStudy": "started", "Specimen": "collected", "NutritionOrder": "datetime", "DetectedIssue": "identified",
	"Provenance": "recorded", "SupplyDelivery": "occurrence",
}

func (t *table) principalOf(typ string) *Param {
	for _, code := range []string{principals[typ], "date", "authored", "authored-on", "created", "recorded", "period"} {
		if p := t.params[typ][code]; p != nil && p.Kind == KindDate {
			return p
		}
	}
	return nil
}

// Types answers every resource type of R4, sorted.
func Types() []string { return tables().list }

// KnownType reports whether R4 has the resource type.
func KnownType(typ string) bool { return tables().types[typ] }

// FindParam answers a type's search parameter, nil when it has none of that name.
func FindParam(typ, code string) *Param { return tables().params[typ][code] }

// Params answers a type's search parameters, sorted by name.
func Params(typ string) []*Param { return tables().sorted[typ] }

// PrincipalDate answers the date parameter that a type's resources are ordered by in storage, nil when it has none.
func PrincipalDate(typ string) *Param { return tables().principal[typ] }

// Compartment answers the parameters that say to which patient a resource of the type belongs; none when it belongs to no
// patient (Patient itself belongs to the patient of its id).
func Compartment(typ string) []*Param { return tables().compartment[typ] }
