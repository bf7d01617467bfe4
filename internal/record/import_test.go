package record_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"doorstep/internal/fault"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

func bundle(kind string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",\n") + `]}`
}

func entry(fullURL, resource, method, url string) string {
	out := `{"fullUrl":"` + fullURL + `","resource":` + resource
	if method != "" {
		out += `,"request":{"method":"` + method + `","url":"` + url + `"}`
	}
	return out + `}`
}

func load(t *testing.T, rec *record.Service, name, text string) record.Summary {
	t.Helper()
	sum, err := rec.ImportFile(t.Context(), org, name, strings.NewReader(text), record.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func counts(s record.Summary) (c record.Count) {
	for _, n := range s.ByType {
		c.New += n.New
		c.Same += n.Same
		c.Changed += n.Changed
		c.Refused += n.Refused
	}
	return c
}

func body(t *testing.T, rec *record.Service, typ, id string) string {
	t.Helper()
	r, err := rec.Get(t.Context(), org, typ, id)
	if err != nil {
		t.Fatalf("%s/%s: %v", typ, id, err)
	}
	return string(r.Body)
}

func TestImportKeepsBytesAndResolvesForward(t *testing.T) {
	t.Parallel()
	const observation = `{"resourceType":"Observation","id":"o1", "valueQuantity":{"value": 1.00},"_status":{"id":"x"},"new":[null],
  "subject":{"reference":"urn:uuid:p1"},"identifier":[{"value":"urn:uuid:p1"}]}`
	text := bundle("transaction", entry("urn:uuid:o1", observation, "POST", "Observation"),
		entry("urn:uuid:p1", `{"resourceType":"Patient","id":"p1"}`, "POST", "Patient"))
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		if c := counts(load(t, rec, "a.json", text)); c != (record.Count{New: 2}) {
			t.Fatalf("first: %+v", c)
		}
		want := strings.Replace(observation, `"reference":"urn:uuid:p1"`, `"reference":"Patient/p1"`, 1)
		if got := body(t, rec, "Observation", "o1"); got != want {
			t.Errorf("%s", got)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		io.WriteString(z, text)
		z.Close()
		if c := counts(load(t, rec, "a.json.gz", packed.String())); c != (record.Count{Same: 2}) {
			t.Errorf("again, packed: %+v", c)
		}
		page, err := rec.Search(t.Context(), org, "Observation", url.Values{"patient": {"p1"}})
		if err != nil || len(page.Matches) != 1 {
			t.Errorf("by patient: %d %v", len(page.Matches), err)
		}
	})
}

func TestImportNamesWhatItRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		sum := load(t, rec, "b.json", bundle("collection",
			entry("urn:uuid:1", `{"resourceType":"Patient","id":"good1"}`, "", ""),
			entry("urn:uuid:2", `{"resourceType":"Patient","id":"bad","birthDate":"2025-02-30"}`, "", ""),
			`{"fullUrl":"urn:uuid:3"}`,
			entry("urn:uuid:4", `{"resourceType":"Encounter","id":"lost","subject":{"reference":"urn:uuid:nobody"}}`, "", ""),
			entry("urn:uuid:5", `{"resourceType":"Wonder","id":"w"}`, "", ""),
			entry("urn:uuid:6", `{"resourceType":"Patient","id":"good2"}`, "", "")))
		if c := counts(sum); c != (record.Count{New: 2, Refused: 4}) {
			t.Errorf("%+v", c)
		}
		var got []string
		for _, r := range sum.Refused {
			got = append(got, fmt.Sprintf("%s %d:%d %s: %s", r.File, r.Line, r.Entry, r.ID, r.Reason))
		}
		want := []string{"b.json 2:1 bad: birthDate: not a date that can be (byte 49)", "b.json 3:2 : the entry holds no resource",
			"b.json 4:3 lost: refers to an entry that is not in the bundle", "b.json 5:4 : resourceType: R4 has no such resource type (byte 0)"}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("refused:\n%s", strings.Join(got, "\n"))
		}
		sum = load(t, rec, "c.ndjson", "{\"resourceType\":\"Patient\",\"id\":\"n1\"}\n{\"resourceType\":\"Patient\",\"id\":\"n2\",\n\n{\"resourceType\":\"Patient\",\"id\":\"n3\"}\n")
		if c := counts(sum); c != (record.Count{New: 2, Refused: 1}) || sum.Refused[0].Line != 2 || sum.Refused[0].Offset != 37 {
			t.Errorf("%+v %+v", c, sum.Refused)
		}
		sum = load(t, rec, "d.json", `{"resourceType":"Bundle","type":"transaction","entry":[`+entry("urn:uuid:9", `{"resourceType":"Patient","id":"t1"}`, "", "")+`,{"fullUrl":"urn`)
		if c := counts(sum); c != (record.Count{New: 1, Refused: 1}) {
			t.Errorf("truncated: %+v %+v", c, sum.Refused)
		}
		torn := []byte{0x1f, 0x8b, 8, 0, 1}
		if c := counts(load(t, rec, "e.gz", string(torn))); c.Refused != 1 {
			t.Errorf("torn gzip: %+v", c)
		}
	})
}

func TestImportOfVersions(t *testing.T) {
	t.Parallel()
	p := func(name string) string {
		return `{"resourceType":"Patient","id":"p","name":[{"family":"` + name + `"}]}`
	}
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		load(t, rec, "a", p("Old"))
		if c := counts(load(t, rec, "b", p("New"))); c != (record.Count{Changed: 1}) {
			t.Errorf("a new version: %+v", c)
		}
		if c := counts(load(t, rec, "a", p("Old"))); c != (record.Count{Same: 1}) {
			t.Errorf("an old file turned the record back: %+v", c)
		}
		for q, want := range map[string]int{"old": 0, "new": 1} {
			if page, _ := rec.Search(t.Context(), org, "Patient", url.Values{"name": {q}}); len(page.Matches) != want {
				t.Errorf("name=%s: %d, want %d", q, len(page.Matches), want)
			}
		}
		history := bundle("history", entry("x/Patient/h", `{"resourceType":"Patient","id":"h","gender":"male"}`, "PUT", "Patient/h"),
			`{"request":{"method":"DELETE","url":"Patient/h"}}`,
			entry("x/Patient/h", `{"resourceType":"Patient","id":"h"}`, "POST", "Patient"))
		load(t, rec, "h.json", history)
		if got := body(t, rec, "Patient", "h"); !strings.Contains(got, "male") {
			t.Errorf("the newest version of a history is not the current one: %s", got)
		}
		if c := counts(load(t, rec, "h.json", history)); c.New+c.Changed != 0 {
			t.Errorf("a history twice: %+v", c)
		}
		all, err := rec.History(t.Context(), record.Scope{Org: org}, "Patient", "h")
		if err != nil || len(all) != 3 || !all[1].Deleted {
			t.Errorf("history: %d %v", len(all), err)
		}
	})
}

func TestImportFindsUnresolvedConditions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, _ := service(db)
		sum := load(t, rec, "e", `{"resourceType":"Encounter","id":"e","participant":[{"individual":{"reference":"Practitioner?identifier=npi|9"}}]}`)
		if sum.Unresolved != 1 {
			t.Errorf("%+v", sum)
		}
		load(t, rec, "p", `{"resourceType":"Practitioner","id":"dr","identifier":[{"system":"npi","value":"9"}]}`)
		page, err := rec.Search(t.Context(), org, "Encounter", url.Values{"practitioner": {"dr"}, "_include": {"Encounter:practitioner"}})
		if err != nil || len(page.Matches) != 1 || len(page.Included) != 1 {
			t.Errorf("%d and %d: %v", len(page.Matches), len(page.Included), err)
		}
		load(t, rec, "f", `{"resourceType":"Encounter","id":"f","participant":[{"individual":{"reference":"Practitioner?identifier=npi|9"}}]}`)
		if got := body(t, rec, "Encounter", "f"); !strings.Contains(got, `"Practitioner/dr"`) {
			t.Errorf("%s", got)
		}
		load(t, rec, "p", `{"resourceType":"Practitioner","id":"twin","identifier":[{"system":"npi","value":"9"}]}`)
		if c := counts(load(t, rec, "g", `{"resourceType":"Encounter","id":"g","participant":[{"individual":{"reference":"Practitioner?identifier=npi|9"}}]}`)); c.Refused != 1 {
			t.Errorf("a condition with two answers: %+v", c)
		}
	})
}

func TestPut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		rec, c := service(db)
		put := func(text string) (ref record.Ref, err error) {
			err = db.Write(t.Context(), func(tx *store.Tx) error {
				ref, err = rec.Put(tx, org, []byte(text))
				return err
			})
			return ref, err
		}
		ref, err := put(`{"resourceType":"Task","id":"t","status":"requested"}`)
		if err != nil || ref != (record.Ref{Type: "Task", ID: "t", Version: 1}) {
			t.Fatalf("%+v %v", ref, err)
		}
		c.Advance(1e9)
		if ref, _ = put(`{"resourceType":"Task","id":"t","status":"requested"}`); ref.Version != 1 {
			t.Errorf("the same bytes made version %d", ref.Version)
		}
		if ref, _ = put(`{"resourceType":"Task","id":"t","status":"completed"}`); ref.Version != 2 {
			t.Errorf("other bytes made version %d", ref.Version)
		}
		if ref, err = put(`{"resourceType":"Task"}`); err != nil || len(ref.ID) != 36 {
			t.Errorf("%+v %v", ref, err)
		}
		if _, err = put(`{"resourceType":"Task","authoredOn":"2025-99"}`); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
		if _, err := rec.Get(t.Context(), "other", "Task", "t"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another organization: %v", err)
		}
	})
}
