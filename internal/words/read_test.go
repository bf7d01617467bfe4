package words

import (
	"strings"
	"testing"
)

// TestPushIsReadFromTheText: what a push says can be found in the text that it is short for, in both languages.
func TestPushIsReadFromTheText(t *testing.T) {
	t.Parallel()
	args := map[string]string{"clinic": "St. Mary: Home Clinic", "phone": "+1 555-010-0200", "link": "https://elm.example/r/abc?d=e", "code": "B", "time": "8:00 am",
		"by": "10:30 am", "who": "Dr. Osei", "called": "Ana M. Pérez", "what": "blood pressure: {kit} and scale"}
	for _, key := range Keys() {
		name, ok := strings.CutPrefix(key, "push.")
		if !ok {
			continue
		}
		for _, lang := range Languages {
			got, ok := Read(lang, "sms."+name, Say(lang, "sms."+name, args), map[string]string{"clinic": args["clinic"]})
			if !ok {
				t.Errorf("%s: sms.%s cannot be read", lang, name)
				continue
			}
			if said, want := Say(lang, key, got), Say(lang, key, args); said != want {
				t.Errorf("%s: %s says %q, want %q", lang, key, said, want)
			}
		}
	}
	if _, ok := Read("en", "sms.dose", "Something else", nil); ok {
		t.Error("another text was read")
	}
	if _, ok := Read("en", "sms.nothing", "Something", nil); ok {
		t.Error("a key without a text was read")
	}
}
