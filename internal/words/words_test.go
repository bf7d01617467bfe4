package words

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	for _, key := range Keys() {
		if _, ok := catalogs["es"][key]; !ok {
			t.Errorf("%s is missing in Spanish", key)
			continue
		}
		if en, es := Placeholders("en", key), Placeholders("es", key); !slices.Equal(en, es) {
			t.Errorf("%s: placeholders %v in English, %v in Spanish", key, en, es)
		}
		for _, lang := range Languages {
			text := catalogs[lang][key]
			if strings.TrimSpace(text) != text || text == "" || strings.Contains(text, "  ") {
				t.Errorf("%s in %s: stray or missing white space: %q", key, lang, text)
			}
		}
	}
	if len(catalogs["es"]) != len(catalogs["en"]) {
		t.Errorf("%d texts in Spanish, %d in English", len(catalogs["es"]), len(catalogs["en"]))
	}
}

// What may be read on a locked screen, by anyone who picks the telephone up, gives nothing away.
func TestLockedScreenTellsNothing(t *testing.T) {
	t.Parallel()
	names := []string{"heart failure", "diabet", "cancer", "hypertens", "copd", "asthma", "dementia", "depress", "hiv", "kidney", "insulin",
		"warfarin", "metformin", "aspirin", "furosemide", "diagnos", "disease", "insuficiencia", "cáncer", "hipertens", "asma", "demencia",
		"depres", "riñón", "insulina", "enfermedad", "{medicine", "{drug", "{value"}
	endings := []string{"olol", "pril", "sartan", "sartán", "statin", "gliptin", "gliflozin", "parin", "xaban", "mycin", "cillin", "azole", "prazole"}
	for _, key := range Keys() {
		if !strings.HasPrefix(key, "sms.") && !strings.HasPrefix(key, "push.") && !strings.HasPrefix(key, "mail.") {
			continue
		}
		for _, lang := range Languages {
			text := strings.ToLower(catalogs[lang][key])
			for _, bad := range names {
				if strings.Contains(text, bad) {
					t.Errorf("%s in %s gives away %q", key, lang, bad)
				}
			}
			for word := range strings.FieldsSeq(text) {
				for _, bad := range endings {
					if strings.HasSuffix(strings.Trim(word, ".,:;"), bad) {
						t.Errorf("%s in %s: %q looks like a drug", key, lang, word)
					}
				}
			}
			if strings.Contains(key, "page.staff") && strings.Contains(text, "{called}") {
				t.Errorf("%s in %s names a patient", key, lang)
			}
			if n := len([]rune(text)); n > 306 { // two parts of a long text
				t.Errorf("%s in %s has %d characters", key, lang, n)
			}
		}
	}
}

func TestSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lang, key, want string }{
		{"en", "say.dose", "Your 8:00 am medicines"},
		{"es", "say.dose", "Sus medicinas de las 8:00 am"},
		{"fr", "say.dose", "Your 8:00 am medicines"},
		{"en", "no.such", "no.such"},
		{"en", "say.call", "{who} will call you by 8:00 am"},
	} {
		if got := Say(c.lang, c.key, map[string]string{"time": "8:00 am"}); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.lang, c.key, got, c.want)
		}
	}
	zone, _ := time.LoadLocation("America/New_York")
	args := map[string]string{"time": "2026-03-09T12:00:00Z", "what": "key:what.weight"}
	if got := Tell("es", "say.dose", args, zone); got != "Sus medicinas de las 08:00" {
		t.Errorf("Tell: %q", got)
	}
	if got := Tell("en", "task.reading", args, zone); got != "No weigh-in today" {
		t.Errorf("Tell: %q", got)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	zone, _ := time.LoadLocation("America/New_York")
	lima, _ := time.LoadLocation("America/Sao_Paulo")
	at := time.Date(2026, 3, 9, 20, 4, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{Time("en", at, zone), "4:04 pm"},
		{Time("es", at, zone), "16:04"},
		{TimeZoned("en", at, zone), "4:04 pm EDT"},
		{TimeZoned("es", at, lima), "17:04 UTC-3"},
		{Day("en", at, zone), "Mon, Mar 9"},
		{Day("es", at, zone), "lun 9 mar"},
		{DayLong("en", at, zone), "Monday, March 9"},
		{DayLong("es", at, zone), "lunes 9 de marzo"},
		{Date("en", at, zone), "March 9, 2026"},
		{Date("es", at, zone), "9 de marzo de 2026"},
		{When("en", at, at, zone), "4:04 pm"},
		{When("en", at.Add(-24*time.Hour), at, zone), "yesterday at 4:04 pm"},
		{When("es", at.Add(24*time.Hour), at, zone), "mañana a las 16:04"},
		{When("en", at.Add(-72*time.Hour), at, zone), "Fri, Mar 6 at 3:04 pm"}, // before the clocks changed
		{Span("en", time.Minute), "1 minute"},
		{Span("es", 3*time.Hour), "3 horas"},
		{Number("en", 1234.5, 1), "1,234.5"},
		{Number("es", 1234.5, 1), "1234,5"},
		{Number("es", 12345, 0), "12.345"},
		{Number("en", -0.04, 1), "0.0"},
		{Number("en", -1.5, 1), "−1.5"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestPrefer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{"": "en", "es-MX,es;q=0.9,en;q=0.8": "es", "fr-FR, en-US;q=0.5": "en", "de, ES": "es"} {
		if got := Prefer(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
