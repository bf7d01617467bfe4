package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"doorstep/internal/app"
	"doorstep/internal/app/apptest"
	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/message/gateway"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/visit"
	"doorstep/internal/web"
)

// A person with a landline alone is called: the reminder is spoken, the keypad answers, and her own call becomes a promise.
func TestLandline(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		var mu sync.Mutex
		var calls []url.Values
		provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.ParseForm()
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, r.PostForm)
			w.Write([]byte(`{"sid":"CA1"}`))
		}))
		defer provider.Close()
		const token = "provider secret"
		settings, err := json.Marshal(web.Settings{SMS: web.SMSSettings{URL: provider.URL, Account: "AC", Token: token, From: "+15550100000"}})
		if err != nil {
			h.Fatal(err)
		}
		h.Write(func(tx *store.Tx) error {
			o, err := h.People.Org(tx, apptest.Org)
			if err != nil {
				return err
			}
			o.Settings = string(settings)
			return h.People.SaveOrg(tx, o)
		})
		handler, err := h.Handler(h.Context(), app.Edges{})
		if err != nil {
			h.Fatal(err)
		}
		ben := h.Enrol(person.Person{Role: person.Patient, Name: "Ben Cole", BirthYear: 1940}, "")
		h.Contact(person.Contact{Person: ben.ID, Channel: person.Voice, Address: "+1 555 010 0555", Consent: person.Given})
		h.Write(func(tx *store.Tx) error {
			_, err := h.Medication.Save(tx, medication.Regimen{Org: apptest.Org, Patient: ben.ID, Name: "Carvedilol", Authored: clock.Day{Year: 2026, Month: 3, Date: 1},
				Dosage: []fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "1", PeriodUnit: "d", TimeOfDay: []fhir.WallTime{"08:00:00"}}}}}})
			return err
		})
		if err := h.Round(h.Context()); err != nil {
			h.Fatal(err)
		}
		h.At(31 * 60 * 1e9)
		if len(calls) != 1 || calls[0].Get("To") != "+15550100555" || strings.Contains(calls[0].Encode(), "medicine") {
			h.Fatalf("calls %v", calls)
		}
		ask := func(address string, form url.Values, sign bool) (int, string) {
			h.Helper()
			r := httptest.NewRequest("POST", address, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if sign {
				r.Header.Set("X-Twilio-Signature", gateway.Signature(token, address, form))
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			b, _ := io.ReadAll(w.Result().Body)
			return w.Code, string(b)
		}
		words := calls[0].Get("Url")
		if code, _ := ask(words, url.Values{"CallSid": {"CA1"}}, false); code != http.StatusForbidden {
			h.Errorf("unsigned: %d", code)
		}
		code, said := ask(words, url.Values{"CallSid": {"CA1"}}, true)
		if code != 200 || !strings.Contains(said, "It is time for your 8:00 am medicines") || !strings.Contains(said, "numDigits=\"1\"") || strings.Contains(said, "Carvedilol") {
			h.Errorf("said %d %s", code, said)
		}
		key := strings.Replace(words, "/say/", "/key/", 1)
		if _, said := ask(key, url.Values{"CallSid": {"CA1"}, "Digits": {"7"}}, true); !strings.Contains(said, "5 5 5 0 1 0 0") {
			h.Errorf("a wrong key: %s", said)
		}
		for range 2 { // told twice
			if code, said := ask(key, url.Values{"CallSid": {"CA1"}, "Digits": {"1"}}, true); code != 200 || !strings.Contains(said, "Thank you") {
				h.Errorf("pressed: %d %s", code, said)
			}
		}
		var doses []medication.Dose
		h.Read(func(tx *store.Tx) (err error) {
			doses, err = h.Medication.Day(tx, apptest.Org, ben.ID, clock.Day{Year: 2026, Month: 3, Date: 2})
			return err
		})
		if len(doses) != 1 || doses[0].Status != medication.Taken || len(doses[0].Evidence) != 1 || doses[0].Evidence[0].Source != "phone" {
			h.Errorf("doses %+v", doses)
		}
		// A visit that goes on by telephone rings both ends, the clinic's first.
		if err := h.Ring(h.Context(), visit.Call{Key: visit.Key{Org: apptest.Org, Visit: "v"}, To: "+15550100555", From: "+15550107777"}); err != nil {
			h.Error(err)
		}
		if last := calls[len(calls)-1]; last.Get("To") != "+15550107777" || !strings.Contains(last.Get("Twiml"), "<Dial callerId=\"+15550100000\">+15550100555</Dial>") {
			h.Errorf("the call %v", last)
		}
		if code, said := ask("https://elm.example/hooks/voice/"+string(apptest.Org), url.Values{"CallSid": {"CA9"}, "From": {"anonymous"}}, true); code != 200 || !strings.Contains(said, "We do not see your number") {
			h.Errorf("a number kept back: %d %s", code, said)
		}
		// He calls the clinic: no line to wait in.
		rings := "https://elm.example/hooks/voice/" + string(apptest.Org)
		if code, said := ask(rings, url.Values{"CallSid": {"CA2"}, "From": {"+15550100555"}}, true); code != 200 || !strings.Contains(said, "We call you back by 8:31 am") {
			h.Errorf("rings: %d %s", code, said)
		}
		if code, said := ask(rings+"/press", url.Values{"CallSid": {"CA2"}, "From": {"+15550100555"}, "Digits": {"1"}}, true); code != 200 || !strings.Contains(said, "by 8:11 am") {
			h.Errorf("presses: %d %s", code, said)
		}
		h.Settle()
		if got := h.Tasks(); !strings.HasPrefix(got, "nurse task.red") {
			h.Errorf("tasks %q", got)
		}
	})
}
