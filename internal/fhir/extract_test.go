package fhir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// faithful has what other servers lose: decimals with their precision, primitive extensions, contained resources, an
// unknown element, a repeated key, xhtml, escapes.
const faithful = `{
  "resourceType": "Observation", "id": "o1", "meta": {"versionId": "7", "tag": [{"system":"s","code":"t"}], "lastUpdated": "2020-01-01T00:00:00Z"},
  "text": {"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a &amp; b<\/div>"},
  "contained": [{"resourceType":"Patient","id":"p","name":[{"family":"Hidden"}]}],
  "status": "final", "_status": {"id":"x"},
  "category": [{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
  "code": {"coding":[{"system":"http://loinc.org","code":"29463-7"},{"code":"bare"}],"text":"Weight"},
  "subject": {"reference":"Patient/1/_history/3"}, "performer": [{"reference":"#p"},{"reference":"Practitioner?identifier=http://npi|9"}],
  "effectiveDateTime": "2024-05", "_effectiveDateTime": {"extension":[{"url":"u","valueCode":"c"}]},
  "valueQuantity": {"value": 98.60, "unit":"kg", "system":"http://unitsofmeasure.org","code":"kg"},
  "component": [{"code":{"coding":[{"system":"http://loinc.org","code":"c1"}]},"valueQuantity":{"value":1.00}}],
  "somethingNew": {"deep":[1.50,null,true]}, "somethingNew": 2
}`

func keyOf(t *testing.T, typ, code string) int64 {
	t.Helper()
	p := FindParam(typ, code)
	if p == nil {
		t.Fatalf("%s has no parameter %s", typ, code)
	}
	return p.Paths[0].Key
}

func TestExtractTakesWhatSearchNeeds(t *testing.T) {
	t.Parallel()
	ix, err := Extract([]byte(faithful))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []TokenRow{
		{keyOf(t, "Observation", "status"), Hash("final"), 0},
		{keyOf(t, "Observation", "code"), Hash("29463-7"), Hash("http://loinc.org")},
		{keyOf(t, "Observation", "code"), Hash("bare"), 0},
		{keyOf(t, "Observation", "component-code"), Hash("c1"), Hash("http://loinc.org")},
		{keyOf(t, "Observation", "_tag"), Hash("t"), Hash("s")},
	} {
		if !slices.Contains(ix.Tokens, want) {
			t.Errorf("no token %v", want)
		}
	}
	if want := (RefRow{keyOf(t, "Observation", "patient"), Hash("Patient/1")}); !slices.Contains(ix.Refs, want) {
		t.Error("no reference to the patient")
	}
	if len(ix.Refs) != 2 {
		t.Errorf("%d references, want subject and performer: contained ones are none", len(ix.Refs))
	}
	if want := (QuantityRow{keyOf(t, "Observation", "value-quantity"), 98.6, Hash("http://unitsofmeasure.org"), Hash("kg"), Hash("kg")}); !slices.Contains(ix.Quantities, want) {
		t.Errorf("quantities %v", ix.Quantities)
	}
	if at := time.UnixMicro(ix.Date).UTC(); at != time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC) {
		t.Errorf("principal date %v", at)
	}
	if keyOf(t, "Observation", "subject") != keyOf(t, "Observation", "patient") {
		t.Error("patient and subject look at one place but do not share their rows")
	}
}

func TestSplicesChangeNothingElse(t *testing.T) {
	t.Parallel()
	b := []byte(faithful)
	ix, err := Extract(b)
	if err != nil {
		t.Fatal(err)
	}
	got := string(Relink(b, ix.Links, func(target string) (string, bool) {
		if strings.HasPrefix(target, "Practitioner?") {
			return `Practitioner/"9"`, true
		}
		return "", false
	}))
	if want := strings.Replace(faithful, "Practitioner?identifier=http://npi|9", `Practitioner/\"9\"`, 1); got != want {
		t.Errorf("relinked:\n%s", got)
	}
	if got := string(WithID(b, "new")); got != strings.Replace(faithful, `"id": "o1"`, `"id": "new"`, 1) {
		t.Errorf("with an id:\n%s", got)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	got = string(WithMeta(b, 3, at))
	want := strings.Replace(faithful, `{"versionId": "7", "tag": [{"system":"s","code":"t"}], "lastUpdated": "2020-01-01T00:00:00Z"}`,
		`{"versionId":"3","lastUpdated":"2026-01-02T03:04:05.000006Z", "tag": [{"system":"s","code":"t"}]}`, 1)
	if got != want {
		t.Errorf("with meta:\n%s", got)
	}
}

func TestWithMetaAndIDInEveryShape(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, meta := range []string{``, `,"meta":{}`, `,"meta":{"versionId":"1"}`, `,"meta":{ "lastUpdated":"2020","versionId":"1" }`, `,"meta":null`,
		`,"meta":{"profile":["p"],"versionId":"1"}`, `,"meta":{"versionId":"1","profile":["p"],"lastUpdated":"2020"}`} {
		b := WithMeta(WithID([]byte(`{"resourceType":"Patient"`+meta+`}`), "a"), 2, at)
		var got struct {
			ID   string
			Meta struct {
				VersionID, LastUpdated string
				Profile                []string
			}
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Errorf("%s: %v", b, err)
			continue
		}
		if got.ID != "a" || got.Meta.VersionID != "2" || !strings.HasPrefix(got.Meta.LastUpdated, "2026-01-02T03:04:05") || strings.Contains(meta, "profile") != (got.Meta.Profile != nil) {
			t.Errorf("%s", b)
		}
	}
}

func TestExtractRefusesWithPlaceAndReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, path, reason string }{
		{`{"resourceType":"Patient","birthDate":"2025-02-30"}`, "birthDate", "not a date that can be"},
		{`{"resourceType":"Encounter","period":{"start":"2025-13-01"}}`, "period.start", "not a date that can be"},
		{`{"resourceType":"MedicationRequest","dosageInstruction":[{"timing":{"event":["2024-01-01","2024-02-31"]}}]}`, "dosageInstruction[0].timing.event[1]", "not a date that can be"},
		{`{"resourceType":"Patient","name":[{"given":["a" "b"]}]}`, "name[0].given[0]", "a comma or ]"},
		{`{"resourceType":"Patient","active":tru}`, "active", "not a value"},
		{`{"resourceType":"Patient","multipleBirthInteger":01}`, "multipleBirthInteger", "not a number"},
		{`{"resourceType":"Patient","name":[{"family":"x`, "name[0].family", "does not end"},
		{`{"resourceType":"Patient","id":"a b"}`, "id", "not a valid id"},
		{`{"resourceType":"Patientt"}`, "resourceType", "no such resource type"},
		{`{"id":"a"}`, "", "resourceType is missing"},
		{`[]`, "", "not a JSON object"},
		{`{"resourceType":"Patient"} x`, "", "something stands after"},
		{"{\"resourceType\":\"Patient\",\"gender\":\"\xff\"}", "", "not UTF-8"},
		{`{"resourceType":"Basic","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "", "nested deeper"},
	} {
		_, err := Extract([]byte(c.in))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%.60s: %v", c.in, err)
			continue
		}
		if c.reason != "nested deeper" && syntax.Path != c.path || !strings.Contains(syntax.Reason, c.reason) || syntax.Offset > len(c.in) {
			t.Errorf("%.60s: %v at %q", c.in, err, syntax.Path)
		}
	}
}

// The keys stand for places in the database: two places must never share one.
func TestKeysAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[int64]string{}
	n := 0
	for _, typ := range Types() {
		for _, p := range Params(typ) {
			n++
			for _, path := range p.Paths {
				name := typ + "." + path.Text + ":" + path.Type + " " + string(p.Kind)
				if other, ok := seen[path.Key]; ok && other != name {
					t.Errorf("%s and %s share a key", name, other)
				}
				seen[path.Key] = name
			}
		}
	}
	if n < 1800 || len(Types()) < 140 {
		t.Errorf("%d parameters of %d types", n, len(Types()))
	}
}

// What US Core 7.0.0 asks for with SHALL must be in the table.
func TestUSCoreParametersAreThere(t *testing.T) {
	t.Parallel()
	for typ, codes := range map[string]string{
		"AllergyIntolerance": "patient", "CarePlan": "patient category", "CareTeam": "patient status", "Condition": "patient category",
		"Coverage": "patient", "Device": "patient", "DiagnosticReport": "patient category date code", "DocumentReference": "patient category date type",
		"Encounter": "patient date", "Goal": "patient", "Immunization": "patient", "Location": "name address", "MedicationDispense": "patient",
		"MedicationRequest": "patient intent status medication", "Observation": "patient category date code", "Organization": "name address",
		"Patient": "identifier name birthdate gender", "Practitioner": "name identifier", "PractitionerRole": "practitioner specialty",
		"Procedure": "patient date", "Provenance": "target", "QuestionnaireResponse": "patient", "ServiceRequest": "patient category authored code",
		"Appointment": "patient practitioner actor date status location service-type slot", "Schedule": "actor date service-type active",
		"Slot": "schedule start status service-type appointment-type", "Task": "patient owner status code period authored-on focus based-on",
		"Communication": "subject recipient status sent", "MedicationAdministration": "patient effective-time status", "Consent": "patient status period",
		"Questionnaire": "url version status",
	} {
		for code := range strings.FieldsSeq(codes) {
			keyOf(t, typ, code)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Cantú": "cantu", "  de  la\tCruz ": "de la cruz", "STRASSE": "strasse", "Straße": "strasse", "Łódź": "lodz", "a\x00b": "ab", "": ""} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
	if n := len(Fold(strings.Repeat("é", 500) + strings.Repeat("字", 500))); n > foldMost {
		t.Errorf("%d bytes", n)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add([]byte(faithful))
	f.Add([]byte(`{"resourceType":"Patient","name":[{"family":"\ud83d\ude00\u0000"}],"deceasedBoolean":true,"telecom":[{"system":"email","value":"a"}]}`))
	f.Add([]byte(`{"resourceType":"PlanDefinition","relatedArtifact":[{"type":"depends-on","resource":"x|1"}],"useContext":[{"valueRange":{"low":{"value":1e3}}}]}`))
	f.Add([]byte(`{"resourceType":"Task","executionPeriod":{"start":"2024"},"meta":null,"id":"a"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		ix, err := Extract(b)
		if (err == nil) && !json.Valid(b) {
			t.Fatalf("taken, but it is no JSON: %q", b)
		}
		if err != nil {
			return
		}
		out := WithMeta(WithID(b, "x"), 1, time.Unix(0, 0))
		again, err := Extract(out)
		if err != nil {
			t.Fatalf("after splicing: %v\n%s", err, out)
		}
		if again.ID != "x" && ix.ID != "" {
			t.Fatalf("id %q", again.ID)
		}
		for _, l := range ix.Links {
			if stringOf(b[l.Start-1:l.End+1]) != l.Target {
				t.Fatalf("a link is not where it says")
			}
		}
		for _, p := range Params(ix.Type) {
			Key(ix, b, p, false)
			if p.Kind == KindString {
				Values(b, p)
			}
		}
	})
}

// What Extract answers is stored in every record. When this test fails because the extractor was changed on purpose, ExtractVersion has to grow:
// servers then make their indexes anew.
func TestExtractVersion(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	ix, err := Extract([]byte(faithful))
	if err != nil {
		t.Fatal(err)
	}
	ix.Links = nil // where in the bytes, which is not stored
	fmt.Fprintf(h, "%+v", *ix)
	for _, typ := range Types() {
		for _, p := range Params(typ) {
			fmt.Fprintf(h, "%s %+v\n", typ, *p)
		}
	}
	versions := map[int]string{1: "5e6c04bd3271b2a7"}
	if got, want := hex.EncodeToString(h.Sum(nil)[:8]), versions[ExtractVersion]; got != want {
		t.Errorf("version %d of the extractor takes %s, it took %s", ExtractVersion, got, want)
	}
}
