package app_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"doorstep/internal/app"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/web"
)

// Settings that are emptied take hold at once: no text goes to the gateway that was set, and what another organization saves does not end it.
func TestEmptiedSettings(t *testing.T) {
	each(t, func(h *house) {
		asked := 0
		provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte(`{"sid":"SM1","status":"queued"}`))
		}))
		h.Cleanup(provider.Close)
		say := func(key string) {
			h.Helper()
			h.Write(func(tx *store.Tx) error {
				return h.Messages.Say(tx, message.Draft{Org: org, Patient: h.Ruth.ID, To: "patient", At: h.Clock.Now(), Key: key, Say: "test"})
			})
			h.Settle()
		}
		use := func(of person.OrgID, st web.Settings) {
			h.Helper()
			if err := (app.Gateways{Server: h.Server}).Use(of, st); err != nil {
				h.Fatal(err)
			}
		}
		var set web.Settings
		set.SMS.URL, set.SMS.From = provider.URL, "+15550100000"
		use(org, set)
		say("set")
		use("oak", web.Settings{})
		say("another's are empty")
		if asked != 2 {
			h.Fatalf("the gateway was asked %d times, want 2", asked)
		}
		use(org, web.Settings{})
		say("emptied")
		if asked != 2 {
			h.Errorf("the gateway was asked once more")
		}
		h.Want(h.Mail, "This is a test")
	})
}
