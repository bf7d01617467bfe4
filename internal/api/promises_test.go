package api_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

func TestWhatWasPromisedAndWhatBecameOfIt(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id := h.prescribe()
		h.to(start.Add(time.Hour))
		h.to(start.Add(2*time.Hour + time.Minute))
		a := h.post(h.dana, "/api/v1/promises/"+id+"/evidence", object{"patient": h.ruth.ID, "taken": true, "at": "2026-03-09T09:00:00-04:00"}).want(200)
		type seen struct {
			ID, Sentence, State, Kind, From string
			Keeper                          struct{ Kind string }
			Evidence                        []struct{ Kind, At, Source, By, For string }
			Rungs                           []struct{ Do, To, At string }
		}
		given := into[seen](a)
		list := into[struct{ Items []seen }](h.get(h.ruth, patientPath(h.ruth, "promises?from=2026-03-09&to=2026-03-10")).want(200)).Items
		if len(list) != 1 || list[0].ID != id || list[0].State != "kept" || given.State != "kept" {
			t.Fatalf("%+v", list)
		}
		p := list[0]
		if p.Sentence != "Your 8:00 am medicines" || p.From != "2026-03-09T08:00:00-04:00" || p.Keeper.Kind != "patient" {
			t.Errorf("%+v", p)
		}
		if len(p.Rungs) != 2 || p.Rungs[0].Do != "tell" || p.Rungs[0].At != "2026-03-09T08:00:00-04:00" || p.Rungs[1].To != "role:nurse" {
			t.Errorf("%+v", p.Rungs)
		}
		if len(p.Evidence) != 1 || p.Evidence[0].Kind != "word" || p.Evidence[0].By != string(h.dana.ID) || p.Evidence[0].For != string(h.ruth.ID) ||
			p.Evidence[0].At != "2026-03-09T09:00:00-04:00" {
			t.Errorf("%+v", p.Evidence)
		}
		// An unescaped plus in an address is a space.
		from := url.QueryEscape("2026-03-09T12:00:00+00:00")
		if n := len(h.get(h.ruth, patientPath(h.ruth, "promises?from="+from+"&to=2026-03-09T12:00:01+00:00")).items()); n != 1 {
			t.Error(n)
		}
	})
}

func TestASentenceIsInTheViewersLanguage(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.post(h.nia, patientPath(h.luis, "regimens"), object{"name": "Furosemide 40 mg", "dosage": json.RawMessage(daily)}).want(201)
		if s := h.get(h.luis, patientPath(h.luis, "promises")).items()[0]["sentence"]; s == "Your 8:00 am medicines" || s == "" {
			t.Error(s)
		}
		if s := h.get(h.omar, patientPath(h.luis, "promises")).items()[0]["sentence"]; s != "Your 8:00 am medicines" {
			t.Error(s)
		}
	})
}

func TestNotTodayEndsADoseWithItsReason(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id := h.prescribe()
		h.post(h.carl, "/api/v1/promises/"+id+"/evidence", object{"patient": h.ruth.ID, "taken": false}).want(403) // may only see
		a := h.post(h.ruth, "/api/v1/promises/"+id+"/evidence", object{"patient": h.ruth.ID, "kind": "tap", "taken": false, "reason": "My stomach hurts"}).want(200)
		if p := into[object](a); p["state"] != "released" || p["reason"] != "My stomach hurts" {
			t.Error(p)
		}
		d := h.get(h.elena, patientPath(h.ruth, "doses?day=2026-03-09")).items()[0]
		medicine := d["medicines"].([]any)[0].(object)
		if d["status"] != "skipped" || d["due"] != "2026-03-09T08:00:00-04:00" || medicine["name"] != "Furosemide 40 mg" {
			t.Error(d)
		}
		path := "/api/v1/promises/" + id + "/evidence"
		for name, bad := range map[string]object{
			"no patient":   {"taken": true},
			"other kind":   {"patient": h.ruth.ID, "kind": "guess"},
			"to come":      {"patient": h.ruth.ID, "at": "2026-03-09T19:00:00Z"},
			"no time":      {"patient": h.ruth.ID, "at": "noon"},
			"text for yes": {"patient": h.ruth.ID, "taken": "yes"},
		} {
			if a := h.post(h.ruth, path, bad); a.status != 422 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		h.post(h.ruth, "/api/v1/promises/none/evidence", object{"patient": h.ruth.ID}).want(404)
	})
}

func TestTheClinicsPromiseIsKeptByTheClinicsWord(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.write(func(tx *store.Tx) {
			_, err := h.Promise.Make(tx, promise.Promise{Org: org, Patient: h.ruth.ID, ID: "call-1", Kind: "call", Say: "say.call", Args: map[string]string{"who": "Dana", "time": "2026-03-09T14:30:00Z"},
				Keeper: promise.Keeper{Kind: "role", Who: "nurse"}, From: start, By: start.Add(3 * time.Hour), Zone: "America/New_York", Ladder: promise.LadderRef{Name: "answer", Version: 1}})
			h.must(err)
		})
		path, body := "/api/v1/promises/call-1/evidence", object{"patient": h.ruth.ID}
		if p := into[object](h.post(h.ruth, path, body).want(200)); p["state"] != "open" || len(p["evidence"].([]any)) != 1 {
			t.Error(p)
		}
		if p := into[object](h.post(h.dana, path, body).want(200)); p["state"] != "kept" || p["sentence"] != "Dana will call you by 10:30 am" {
			t.Error(p)
		}
	})
}

func TestAWriteWithAKeyHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		ask := object{"name": "Ana Silva", "birth_year": 1960}
		key := []string{"Idempotency-Key", "enrol-ana-1"}
		first := h.post(h.dana, "/api/v1/patients", ask, key...).want(201)
		again := h.post(h.dana, "/api/v1/patients", ask, key...).want(201)
		if first.body != again.body {
			t.Errorf("%s then %s", first.body, again.body)
		}
		h.post(h.dana, "/api/v1/patients", object{"name": "Ana Silva", "birth_year": 1961}, key...).want(422)
		h.post(h.dana, "/api/v1/devices", object{"kind": "scale"}, key...).want(422) // another route
		if n := names(h.get(h.dana, "/api/v1/patients").items()); n != "Ana Ruth" {
			t.Error(n)
		}
		// Another person's key of the same name is another key.
		h.post(h.nia, "/api/v1/patients", ask, key...).want(201)

		// What failed is not remembered.
		bad := []string{"Idempotency-Key", "enrol-bad"}
		h.post(h.dana, "/api/v1/patients", object{"name": "Bo", "birth_year": 1960, "phone": "x"}, bad...).want(422)
		h.post(h.dana, "/api/v1/patients", object{"name": "Bo", "birth_year": 1960}, bad...).want(201)

		h.clock.Advance(25 * time.Hour)
		later := h.post(h.dana, "/api/v1/patients", ask, key...).want(201)
		if later.body == first.body {
			t.Error("remembered for longer than a day")
		}
	})
}

func TestADevicesKeyIsAnsweredAgainButNotStored(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		key := []string{"Idempotency-Key", "box-for-ruth"}
		first := h.post(h.dana, "/api/v1/devices", object{"kind": "pillbox"}, key...).want(201)
		again := h.post(h.dana, "/api/v1/devices", object{"kind": "pillbox"}, key...).want(201)
		if first.body != again.body || len(h.get(h.dana, "/api/v1/devices").items()) != 1 {
			t.Errorf("%s then %s", first.body, again.body)
		}
		secret := into[struct{ Key string }](first).Key
		h.write(func(tx *store.Tx) {
			h.must(tx.Rows("SELECT answer FROM api_write", nil, func(scan func(...any) error) error {
				var b []byte
				err := scan(&b)
				if len(b) == 0 || json.Valid(b) || len(secret) == 0 {
					t.Errorf("%q", b)
				}
				return err
			}))
		})
	})
}

func TestTwoAtOnceWithOneKeyAreOneWrite(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		ask := `{"name":"Ana Silva","birth_year":1960}`
		token := h.token(h.dana)
		answers := make(chan answer)
		for range 8 {
			go func() {
				answers <- h.call(person.Person{}, "POST", "/api/v1/patients", ask, "Authorization", "Bearer "+token, "Idempotency-Key", "k")
			}()
		}
		ids := map[any]bool{}
		for range 8 {
			a := <-answers
			if a.status != 201 {
				t.Errorf("%d %s", a.status, a.body)
				continue
			}
			ids[into[object](a)["id"]] = true
		}
		if len(ids) != 1 {
			t.Error(ids)
		}
	})
}
