package app_test

import (
	"testing"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/store"
	"doorstep/internal/web"
)

// A server pushes with keys of its own as soon as there is somebody to write to: its https address, or its mail address. Every
// node has the same keys.
func TestServerPushes(t *testing.T) {
	each(t, func(h *house) {
		node := func(publicURL string, demo web.Demo) string {
			h.Helper()
			s, err := app.New(h.Context(), app.Options{DB: h.DB, Clock: h.Clock, IDs: clock.SeededIDs(h.Clock, 7), PublicURL: publicURL})
			if err != nil {
				h.Fatal(err)
			}
			if _, err := s.Handler(h.Context(), app.Edges{Demo: demo}); err != nil {
				h.Fatal(err)
			}
			return app.Gateways{Server: s}.PushKey()
		}
		first := node("https://elm.example", nil)
		if len(first) != 87 { // 65 bytes in base64url
			h.Errorf("the key is %q", first)
		}
		if second := node("https://elm.example", nil); second != first {
			h.Errorf("another node has %q, want %q", second, first)
		}
		if key := node("http://127.0.0.1:8080", nil); key != "" {
			h.Errorf("a server that nobody can write to pushes with %q", key)
		}
		h.Write(func(tx *store.Tx) error {
			o, err := h.People.Org(tx, org)
			if err != nil {
				return err
			}
			o.Settings = `{"mail":{"host":"mail.elm.example","from":"Elm <reminders@elm.example>"}}`
			return h.People.SaveOrg(tx, o)
		})
		if key := node("http://127.0.0.1:8080", nil); key != first {
			h.Errorf("with a mail address it pushes with %q", key)
		}
		if key := node("https://elm.example", struct{ web.Demo }{}); key != "" {
			h.Errorf("the demo pushes with %q", key)
		}
	})
}
