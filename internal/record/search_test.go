package record_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"doorstep/internal/fault"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// people and their data, for all searches below.
var world = strings.Join([]string{
	`{"resourceType":"Patient","id":"ana","active":true,"identifier":[{"system":"mrn","value":"1"}],"name":[{"family":"Cantú","given":["Ana","María"]}],"gender":"female","birthDate":"1940-05","telecom":[{"system":"phone","value":"555"},{"system":"email","value":"a@x"}],"managingOrganization":{"reference":"Organization/org"}}`,
	`{"resourceType":"Patient","id":"bob","identifier":[{"system":"other","value":"1"}],"name":[{"family":"Canter"}],"gender":"male","birthDate":"1950-01-02","deceasedDateTime":"2020"}`,
	`{"resourceType":"Patient","id":"cy","name":[{"family":"Zed","given":["Cy, Jr"]}]}`,
	`{"resourceType":"Organization","id":"org","name":"Clinic"}`,
	`{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"rx","code":"7"}]}}`,
	`{"resourceType":"MedicationRequest","id":"r1","status":"active","intent":"order","subject":{"reference":"Patient/ana"},"authoredOn":"2024-01-01","medicationReference":{"reference":"Medication/m"}}`,
	`{"resourceType":"MedicationRequest","id":"r2","status":"stopped","intent":"order","subject":{"reference":"Patient/ana"},"authoredOn":"2023-01-01","requester":{"identifier":{"system":"npi","value":"9"}}}`,
	`{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"loinc","code":"w"}]},"subject":{"reference":"Patient/ana"},"effectiveDateTime":"2024-03-01T10:00:00Z","valueQuantity":{"value":70.0,"unit":"kg","code":"kg","system":"ucum"}}`,
	`{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"loinc","code":"w"}]},"subject":{"reference":"Patient/ana"},"effectiveDateTime":"2024-03","valueQuantity":{"value":71.4,"unit":"kg","code":"kg","system":"ucum"}}`,
	`{"resourceType":"Observation","id":"o3","status":"preliminary","code":{"coding":[{"system":"loinc","code":"h"}]},"subject":{"reference":"Patient/bob"},"performer":[{"reference":"Patient/ana"}],"effectivePeriod":{"start":"2024-02-01","end":"2024-02-10"}}`,
	`{"resourceType":"Observation","id":"o4","status":"final","code":{"text":"none"},"subject":{"reference":"Patient/bob"}}`,
	`{"resourceType":"Provenance","id":"v","target":[{"reference":"Patient/ana"},{"reference":"Observation/o3"}],"recorded":"2024-01-01T00:00:00Z"}`,
	`{"resourceType":"Questionnaire","id":"q","url":"http://q","status":"active"}`,
	`{"resourceType":"QuestionnaireResponse","id":"qr","status":"completed","questionnaire":"http://q|2","subject":{"reference":"Patient/bob"}}`,
	`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/ana"}},{"entity":{"reference":"Patient/bob"}}]}`,
}, "\n")

func ids(page record.Page) string {
	var out []string
	for _, r := range page.Matches {
		out = append(out, r.ID)
	}
	if len(page.Included) > 0 {
		out = append(out, "+")
		for _, r := range page.Included {
			out = append(out, r.ID)
		}
	}
	return strings.Join(out, " ")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		if sum := load(t, rec, "w.ndjson", world); len(sum.Refused) > 0 {
			t.Fatal(sum.Refused)
		}
		for _, c := range []struct{ typ, query, want string }{
			{"Patient", "", "bob ana cy"}, // newest birth first, those without one last
			{"Patient", "_sort=birthdate", "cy ana bob"},
			{"Patient", "_sort=-name", "cy ana bob"},
			{"Patient", "_sort=family,_id&_count=2", "bob ana"},
			{"Patient", "name=cant", "bob ana"},
			{"Patient", "name=CANTU", "ana"},
			{"Patient", "name=maria", "ana"},
			{"Patient", "name:exact=Cantu", ""},
			{"Patient", "name:exact=Cantú", "ana"},
			{"Patient", "name:contains=ant", "bob ana"},
			{"Patient", `given=cy\, j`, "cy"},
			{"Patient", "given=cy,ana", "ana cy"},
			{"Patient", "identifier=1", "bob ana"},
			{"Patient", "identifier=mrn|1", "ana"},
			{"Patient", "identifier=mrn|", "ana"},
			{"Patient", "identifier=|1", ""},
			{"Patient", "gender=female", "ana"},
			{"Patient", "gender=http://hl7.org/fhir/administrative-gender|female", "ana"},
			{"Patient", "gender:not=female", "bob cy"},
			{"Patient", "gender:missing=true", "cy"},
			{"Patient", "gender:missing=false&name=zed", ""},
			{"Patient", "birthdate=1940", "ana"},
			{"Patient", "birthdate=1940-05-01", ""},
			{"Patient", "birthdate=ge1945", "bob"},
			{"Patient", "birthdate=lt1945,gt1949", "bob ana"},
			{"Patient", "birthdate=ge1940&birthdate=le1940-12", "ana"},
			{"Patient", "phone=555", "ana"},
			{"Patient", "email=a@x", "ana"},
			{"Patient", "email=555", ""},
			{"Patient", "active=true", "ana"},
			{"Patient", "deceased=true", "bob"},
			{"Patient", "deceased=false", "ana cy"},
			{"Patient", "_id=ana,cy", "ana cy"},
			{"Patient", "_id=ana&_id=cy", ""},
			{"Patient", "organization=Organization/org&_include=Patient:organization", "ana + org"},
			{"Patient", "_id=ana&_revinclude=Provenance:target", "ana + v"},
			{"Patient", "_id=ana&_revinclude=Observation:subject&_revinclude=MedicationRequest:patient", "ana + o1 o2 r1 r2"},
			{"Patient", "_lastUpdated=2026-03-01", "bob ana cy"},
			{"Patient", "_lastUpdated=lt2026-03-01", ""},
			{"MedicationRequest", "patient=ana", "r1 r2"},
			{"MedicationRequest", "patient=Patient/ana&status=active,stopped&_sort=authoredon", "r2 r1"},
			{"MedicationRequest", "patient=ana&intent=order&status=active&_include=MedicationRequest:medication", "r1 + m"},
			{"MedicationRequest", "requester:identifier=npi|9", "r2"},
			{"MedicationRequest", "subject:Patient=ana&status:not=active", "r2"},
			{"MedicationRequest", "_include=*&status=active", "r1 + m ana"},
			{"Observation", "patient=ana&code=loinc|w&_sort=-date", "o1 o2"},
			{"Observation", "subject=ana", "o1 o2"},
			{"Observation", "code=w,h", "o1 o2 o3"},
			{"Observation", "code=loinc|", "o1 o2 o3"},
			{"Observation", "date=2024-03", "o1 o2"},
			{"Observation", "date=2024-03-01", "o1"},
			{"Observation", "date=ap2024-03-01", "o1 o2"},
			{"Observation", "date=sa2024-02", "o1 o2"},
			{"Observation", "date=eb2024-03", "o3"},
			{"Observation", "date=gt2024-02-05", "o1 o2 o3"},
			{"Observation", "date=ne2024-03", "o3"},
			{"Observation", "value-quantity=70", "o1"},
			{"Observation", "value-quantity=71", "o2"},
			{"Observation", "value-quantity=71.0", ""},
			{"Observation", "value-quantity=gt70.5|ucum|kg", "o2"},
			{"Observation", "value-quantity=gt70.5|ucum|g", ""},
			{"Observation", "value-quantity=ge70||kg", "o1 o2"},
			{"Observation", "combo-code=w&value-quantity=lt71", "o1"},
			{"Observation", "performer=Patient/ana", "o3"},
			{"Questionnaire", "url=http://q", "q"},
			{"QuestionnaireResponse", "questionnaire=http://q", "qr"},
			{"QuestionnaireResponse", "questionnaire=http://q|2", "qr"},
			{"Group", "member=Patient/bob", "g"},
		} {
			q, err := url.ParseQuery(c.query)
			if err != nil {
				t.Fatal(err)
			}
			page, err := rec.Search(t.Context(), org, c.typ, q)
			if err != nil {
				t.Errorf("%s?%s: %v", c.typ, c.query, err)
				continue
			}
			got, want := strings.Split(ids(page), " + "), strings.Split(c.want, " + ")
			if len(got) == 2 && len(want) == 2 { // what is included has no order
				a, b := strings.Fields(got[1]), strings.Fields(want[1])
				slices.Sort(a)
				slices.Sort(b)
				got[1], want[1] = strings.Join(a, " "), strings.Join(b, " ")
			}
			if !slices.Equal(got, want) || len(page.Unknown) > 0 {
				t.Errorf("%s?%s: %q, want %q (unknown %v)", c.typ, c.query, ids(page), c.want, page.Unknown)
			}
		}
		for _, bad := range []string{"birthdate=yesterday", "_count=x", "_sort=nothing", "name:wrong=x", "gender:in=x", "_cursor=zz", "_include=Patient:name", "gender:missing=perhaps"} {
			q, _ := url.ParseQuery(bad)
			if _, err := rec.Search(t.Context(), org, "Patient", q); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", bad, err)
			}
		}
		page, err := rec.Search(t.Context(), org, "Patient", url.Values{"nonsense": {"1"}, "organization.name": {"x"}, "_has:Observation:patient:code": {"1"}})
		if err != nil || len(page.Unknown) != 3 {
			t.Errorf("unknown: %v %v", page.Unknown, err)
		}
		page, err = rec.Search(t.Context(), org, "Patient", url.Values{"_summary": {"count"}, "gender:missing": {"false"}})
		if err != nil || page.Total != 2 || len(page.Matches) != 0 {
			t.Errorf("count: %d %v", page.Total, err)
		}
	})
}

func TestPagesHoldEveryMatchOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		var lines []string
		for i := range 57 {
			lines = append(lines, fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","status":"final","subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-01-%02d","note":[{"text":"x"}]}`, i, 1+i%9))
		}
		load(t, rec, "x.ndjson", strings.Join(lines, "\n"))
		for _, query := range []string{"", "patient=p", "patient=p&_sort=date", "status=final&_sort=-date", "_sort=_lastUpdated", "_sort=-_id", "_sort=status", "method:missing=true", "patient=p&_total=accurate"} {
			q, _ := url.ParseQuery(query + "&_count=10")
			seen := map[string]bool{}
			pages := 0
			for {
				page, err := rec.Search(t.Context(), org, "Observation", q)
				if err != nil {
					t.Fatalf("%s: %v", query, err)
				}
				for _, r := range page.Matches {
					if seen[r.ID] {
						t.Errorf("%s: %s comes twice", query, r.ID)
					}
					seen[r.ID] = true
				}
				if strings.Contains(query, "_total") && page.Total != 57 {
					t.Errorf("total %d", page.Total)
				}
				if pages++; page.Next == "" || pages > 10 {
					break
				}
				q.Set("_cursor", page.Next)
			}
			if len(seen) != 57 || pages != 6 {
				t.Errorf("%s: %d in %d pages", query, len(seen), pages)
			}
		}
	})
}

// TestAPatientSeesOnlyTheirOwn asks for everything, in every way, as one patient: nothing of another may come.
func TestAPatientSeesOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, c := service(db)
		load(t, rec, "w.ndjson", world)
		// An observation that was filed under ana by mistake, then moved to bob, and one that was deleted.
		load(t, rec, "m", `{"resourceType":"Observation","id":"moved","status":"final","subject":{"reference":"Patient/bob"},"effectiveDateTime":"2024"}`)
		c.Advance(1e9)
		load(t, rec, "m", `{"resourceType":"Observation","id":"moved","status":"amended","subject":{"reference":"Patient/ana"},"effectiveDateTime":"2024"}`)
		load(t, rec, "m", `{"resourceType":"Observation","id":"gone","status":"final","subject":{"reference":"Patient/bob"}}`)
		if _, err := rec.Delete(t.Context(), org, "Observation", "gone", 0); err != nil {
			t.Fatal(err)
		}
		ana := record.Scope{Org: org, Patient: "ana"}
		for _, c := range []struct{ typ, query, want string }{
			{"Patient", "", "ana"},
			{"Patient", "_id=bob", ""},
			{"Patient", "_id=ana,bob&_total=accurate", "ana"},
			{"Patient", "name=cant", "ana"},
			{"Patient", "_sort=name", "ana"},
			{"Patient", "_revinclude=Observation:performer", "ana"}, // o3 is about bob
			{"Patient", "_revinclude=Group:member", "ana"},
			{"Patient", "_revinclude=Provenance:target", "ana + v"},
			{"Observation", "", "o1 o2 moved"},
			{"Observation", "patient=bob", ""},
			{"Observation", "performer=Patient/ana", ""},
			{"Observation", "_id=o3", ""},
			{"Observation", "code=h", ""},
			{"Provenance", "_include=Provenance:target", "v + ana"},
			{"Group", "", ""},
			{"QuestionnaireResponse", "", ""},
			{"Basic", "", ""},
			{"Slot", "", ""},
			{"Organization", "", "org"},
			{"Organization", "_revinclude=Patient:organization", "org + ana"},
		} {
			q, _ := url.ParseQuery(c.query)
			page, err := rec.SearchAs(t.Context(), ana, c.typ, q)
			if err != nil || ids(page) != c.want {
				t.Errorf("%s?%s: %q, want %q: %v", c.typ, c.query, ids(page), c.want, err)
			}
			if strings.Contains(c.query, "_total") && page.Total != 1 {
				t.Errorf("the total tells of %d", page.Total)
			}
		}
		for _, name := range []string{"Patient/bob", "Observation/o3", "Observation/gone", "Group/g", "QuestionnaireResponse/qr", "Observation/none"} {
			typ, id, _ := strings.Cut(name, "/")
			if _, err := rec.GetAs(t.Context(), ana, typ, id); !fault.Is(err, fault.NotFound) {
				t.Errorf("read %s: %v", name, err)
			}
			if _, err := rec.History(t.Context(), ana, typ, id); !fault.Is(err, fault.NotFound) {
				t.Errorf("history of %s: %v", name, err)
			}
		}
		if _, err := rec.Version(t.Context(), ana, "Observation", "moved", 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("the version that was bob's: %v", err)
		}
		if r, err := rec.Version(t.Context(), ana, "Observation", "moved", 2); err != nil || !strings.Contains(string(r.Body), "ana") {
			t.Errorf("the version that is ana's: %v", err)
		}
		all, _, err := rec.Changes(t.Context(), ana, "Observation", c.Now().Add(-1e12), 100, "")
		if err != nil || len(all) != 3 {
			t.Errorf("type history: %d %v", len(all), err)
		}
		for _, r := range all {
			if strings.Contains(string(r.Body), "Patient/bob") {
				t.Errorf("the type's history shows %s version %d", r.ID, r.Version)
			}
		}
	})
}
