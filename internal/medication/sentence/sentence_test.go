package sentence

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication/timing"
)

type example struct {
	Name   string
	Dosage []fhir.Dosage
	En, Es string
}

func examples(t testing.TB) []example {
	t.Helper()
	b, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []example
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Every example is written in both languages, read back, and means the same doses.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	day := clock.Day{Year: 2026, Month: 3, Date: 9}
	who := timing.Person{Zone: time.UTC, Routine: timing.DefaultRoutine}
	from := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	list := examples(t)
	if len(list) < 100 {
		t.Errorf("%d examples", len(list))
	}
	for _, c := range list {
		for lang, want := range map[string]string{"en": c.En, "es": c.Es} {
			got, ok := Say(lang, c.Dosage)
			if !ok || got != want {
				t.Errorf("%s: %q (%v), want %q", c.Name, got, ok, want)
				continue
			}
			back, err := Read(lang, want)
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
				continue
			}
			a, errA := timing.Parse(c.Dosage, day)
			b, errB := timing.Parse(back, day)
			if (errA == nil) != (errB == nil) {
				t.Errorf("%s: %v, read back %v", c.Name, errA, errB)
				continue
			}
			x, y := a.Doses(who, from, from.AddDate(1, 0, 0)), b.Doses(who, from, from.AddDate(1, 0, 0))
			if len(x) != len(y) || a.Guard.MinInterval != b.Guard.MinInterval || a.Guard.MaxDoses != b.Guard.MaxDoses || a.Guard.MaxAmount != b.Guard.MaxAmount || a.AsNeeded != b.AsNeeded {
				t.Errorf("%s: %d doses %+v, read back %d doses %+v", c.Name, len(x), a.Guard, len(y), b.Guard)
				continue
			}
			for i := range x {
				if !x[i].Due.Equal(y[i].Due) || x[i].Amount != y[i].Amount {
					t.Errorf("%s: %v and %v", c.Name, x[i], y[i])
					break
				}
			}
		}
	}
}

// Flesch-Kincaid grade of the whole sentences: at most six years of school, all but the one with two meals and their minutes.
func TestSentencesArePlain(t *testing.T) {
	t.Parallel()
	above := 0
	for _, c := range examples(t) {
		n, stops, syllables := 0, 0, 0
		for f := range strings.FieldsSeq(c.En) {
			w := strings.ToLower(strings.TrimFunc(f, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }))
			n++
			last, count := ' ', 0
			for _, r := range w {
				if strings.ContainsRune("aeiouy", r) && !strings.ContainsRune("aeiouy", last) {
					count++
				}
				last = r
			}
			if strings.HasSuffix(w, "e") && !strings.HasSuffix(w, "le") && count > 1 {
				count--
			}
			if strings.HasSuffix(w, "tes") || strings.HasSuffix(w, "mes") { // minutes, times: a silent e too
				count--
			}
			syllables += max(count, 1)
			if strings.HasSuffix(f, ".") {
				stops++
			}
		}
		if grade := 0.39*float64(n)/float64(max(stops, 1)) + 11.8*float64(syllables)/float64(n) - 15.59; grade > 6.05 {
			above++
			if grade > 7 {
				t.Errorf("%s: grade %.1f: %q", c.Name, grade, c.En)
			}
		}
	}
	if above > 1 {
		t.Errorf("%d sentences are above grade 6", above)
	}
}

// What has no plain words has no sentence: nothing is left out of one.
func TestNoSentence(t *testing.T) {
	t.Parallel()
	for _, dosage := range []string{
		`{"text":"as directed","route":{"text":"up the chimney"},"timing":{"code":{"text":"QD"}}}`,
		`{"timing":{"event":["2026-03-09"]}}`,
		`{"timing":{"code":{"text":"QD"}},"maxDosePerLifetime":{"value":3}}`,
		`{"timing":{"code":{"text":"QD"}},"modifierExtension":[{"url":"x"}]}`,
		`{"timing":{"code":{"text":"QD"}},"doseAndRate":[{"doseQuantity":{"value":1,"unit":"firkin"}}]}`,
		`{"timing":{"code":{"text":"QD"}},"doseAndRate":[{"rateQuantity":{"value":1,"unit":"mL/h"}}]}`,
		`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","boundsPeriod":{"start":"2026-03-09T10:00:00Z"}}}}`,
		`{"timing":{"repeat":{"when":["NOON"],"offset":20}}}`,
		`{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}},"asNeededCodeableConcept":{"text":"pain, or fever. Twice"}}`,
	} {
		var d fhir.Dosage
		if err := json.Unmarshal([]byte(dosage), &d); err != nil {
			t.Fatal(err)
		}
		if text, ok := Say("en", []fhir.Dosage{d}); ok {
			t.Errorf("%s\nsays %q", dosage, text)
		}
	}
}

// What cannot be read is refused, with the place.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, at string }{
		{"", ""}, {"Take it as you like.", "Take it"}, {"Take 1 tablet by mouth whenever.", " whenever."}, {"Take 1 tablet by mouth once a day", ""},
		{"Take 1 tablets by mouth once a day.", "Take 1 tablets"}, {"Take 1 tablet by mouth once a day. Enjoy.", "Enjoy"},
		{"Take 1 tablet by mouth once a day, until March 32, 2026.", ", until"},
	} {
		if d, err := Read("en", c.text); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.at) {
			t.Errorf("%q: %+v, %v", c.text, d, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range examples(f) {
		f.Add(c.En, true)
		f.Add(c.Es, false)
	}
	f.Fuzz(func(t *testing.T, text string, english bool) {
		lang := map[bool]string{true: "en", false: "es"}[english]
		if len(text) > 500 {
			return
		}
		d, err := Read(lang, text)
		if err != nil {
			return
		}
		if again, ok := Say(lang, d); ok && again != strings.TrimSpace(text) {
			if back, err := Read(lang, again); err != nil || !same(back, d) {
				t.Fatalf("%q is said as %q, which means %+v", text, again, back)
			}
		}
	})
}
