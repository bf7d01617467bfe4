package api_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// register makes a device and answers its id and key.
func (h *clinic) register(kind string) (id, key string) {
	h.t.Helper()
	d := into[struct{ ID, Key string }](h.post(h.dana, "/api/v1/devices", object{"kind": kind}).want(201))
	return d.ID, d.Key
}

// cues answers the pill boxes by which a person can be reached.
func (h *clinic) cues(p person.Person) []string {
	h.t.Helper()
	var out []string
	h.write(func(tx *store.Tx) {
		out = nil
		list, err := h.Person.Contacts(tx, org, p.ID)
		h.must(err)
		for _, c := range list {
			if c.Channel == person.Cue && c.Consent == person.Given {
				out = append(out, c.Address)
			}
		}
	})
	return out
}

func TestADeviceFromItsBoxToThePatientsNumbers(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id, key := h.register("scale")
		h.post(h.dana, "/api/v1/devices/"+id+"/assignments", object{"patient": h.ruth.ID, "from": "2026-03-09T06:00:00-04:00"}).want(201)
		sent := `[{"seq":1,"at":"2026-03-09T10:30:00Z","clock":"2026-03-09T11:00:00Z","series":"29463-7","value":81.2,"unit":"kg"},
			{"seq":2,"at":"2026-03-09T10:40:00Z","clock":"2026-03-09T11:00:00Z","series":"29463-7","value":600,"unit":"kg"},
			{"seq":3,"at":"2026-03-09T10:50:00Z","clock":"2026-03-09T11:00:00Z","series":"8867-4","value":72,"unit":"/min"}]`
		path := "/api/v1/devices/" + id + "/readings"
		h.call(person.Person{}, "POST", path, sent, "Authorization", "Bearer "+key).want(200)
		h.call(person.Person{}, "POST", path, sent, "Authorization", "Bearer wrong").want(401)
		h.call(person.Person{}, "POST", path, sent, "Authorization", "Bearer "+h.token(h.dana)).want(401) // a person is no device

		all := h.get(h.ruth, patientPath(h.ruth, "readings")).items()
		if len(all) != 3 || all[0]["value"] != 81.2 || all[0]["device"] != id || all[0]["at"] != "2026-03-09T06:30:00-04:00" || all[0]["received"] != "2026-03-09T07:00:00-04:00" ||
			all[0]["device_at"] != all[0]["at"] || all[2]["series"] != "8867-4" {
			t.Errorf("%v", all)
		}
		if flags := all[1]["flags"].([]any); len(flags) == 0 { // 600 kg is marked, not left out
			t.Error(all[1])
		}
		if n := len(h.get(h.ruth, patientPath(h.ruth, "readings?series=29463-7&from=2026-03-09T10:35:00Z&to=2026-03-10")).items()); n != 1 {
			t.Error(n)
		}
		one := into[struct{ Next string }](h.get(h.ruth, patientPath(h.ruth, "readings?limit=2")).want(200)).Next
		if rest := h.get(h.ruth, patientPath(h.ruth, "readings?cursor="+one)).items(); len(rest) != 1 || rest[0]["series"] != "8867-4" {
			t.Error(rest)
		}
	})
}

func TestWhoMayRegisterAndAssign(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		for _, who := range []person.Person{h.dana, h.cleo, h.omar, h.olga} {
			h.post(who, "/api/v1/devices", object{"kind": "cuff"}).want(201)
			h.get(who, "/api/v1/devices").want(200)
		}
		id, _ := h.register("cuff")
		path, body := "/api/v1/devices/"+id+"/assignments", object{"patient": h.ruth.ID}
		for _, who := range []person.Person{h.ruth, h.elena, h.lea} {
			h.post(who, "/api/v1/devices", object{"kind": "cuff"}).want(403)
			h.get(who, "/api/v1/devices").want(403)
			h.post(who, path, body).want(403)
		}
		h.post(h.nia, path, body).want(403) // of another team
		h.post(h.olga, path, body).want(403)
		h.post(h.dana, "/api/v1/devices/none/assignments", body).want(404)
		h.post(h.dana, "/api/v1/devices", object{"kind": ""}).want(422)
		h.post(h.dana, path, object{"patient": h.ruth.ID, "from": "2026-03-09T06:00:00Z", "until": "2026-03-09T05:00:00Z"}).want(422)
		h.post(h.dana, path, body, "Idempotency-Key", "a").want(201)
		h.post(h.dana, path, body, "Idempotency-Key", "a").want(201)
		h.post(h.omar, path, object{"patient": h.luis.ID}).want(409)
		if list := h.get(h.ruth, patientPath(h.ruth, "devices")).items(); len(list) != 1 || list[0]["device"] != id {
			t.Error(list)
		}
	})
}

func TestFault23APillBoxThatChangesHandsLightsForTheNewPersonOnly(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id, _ := h.register("pillbox")
		path := "/api/v1/devices/" + id + "/assignments"
		from := start.Add(-time.Hour).Format(time.RFC3339)
		h.post(h.omar, path, object{"patient": h.ruth.ID, "from": from}).want(201)
		h.post(h.omar, path, object{"patient": h.ruth.ID, "from": from}).want(201) // the answer was lost: the same again is the same
		if got := h.cues(h.ruth); !slices.Equal(got, []string{id}) {
			t.Error(got)
		}
		h.post(h.omar, path, object{"patient": h.luis.ID, "from": "2026-04-01T00:00:00Z"}).want(409) // still in Ruth's kitchen
		h.post(h.omar, path+"/end", object{"patient": h.luis.ID}).want(409)
		h.post(h.omar, path+"/end", object{"patient": h.ruth.ID}).want(200)
		if got := h.cues(h.ruth); len(got) != 0 {
			t.Error(got)
		}
		h.clock.Advance(time.Minute)
		h.post(h.omar, path, object{"patient": h.luis.ID}).want(201)
		if got := h.cues(h.luis); !slices.Equal(got, []string{id}) || len(h.cues(h.ruth)) != 0 {
			t.Error(got)
		}
		// A new box replaces one that has gone back.
		h.clock.Advance(time.Minute)
		h.post(h.omar, path+"/end", object{"patient": h.luis.ID}).want(200)
		second, _ := h.register("pillbox")
		h.post(h.omar, "/api/v1/devices/"+second+"/assignments", object{"patient": h.luis.ID}).want(201)
		if got := h.cues(h.luis); !slices.Equal(got, []string{second}) {
			t.Error(got)
		}
	})
}

func TestFault23ABoundedAssignmentLightsWhileItLasts(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id, _ := h.register("pillbox")
		path := "/api/v1/devices/" + id + "/assignments"
		turn := func(at time.Duration, ruth, luis int) {
			t.Helper()
			h.clock.Set(start.Add(at))
			_, err := h.Reading.TurnDue(t.Context())
			h.must(err)
			if a, b := len(h.cues(h.ruth)), len(h.cues(h.luis)); a != ruth || b != luis {
				t.Errorf("after %s: %d cues of Ruth, %d of Luis; want %d and %d", at, a, b, ruth, luis)
			}
		}
		at := func(d time.Duration) string { return start.Add(d).Format(time.RFC3339) }
		h.post(h.omar, path, object{"patient": h.ruth.ID, "from": at(time.Hour), "until": at(3 * time.Hour)}).want(201)
		h.post(h.omar, path, object{"patient": h.luis.ID, "from": at(3 * time.Hour), "until": at(5 * time.Hour)}).want(201)
		h.post(h.omar, path, object{"patient": h.ruth.ID, "from": at(-9 * time.Hour), "until": at(-8 * time.Hour)}).want(201) // long over
		turn(0, 0, 0)
		turn(time.Hour, 1, 0)
		turn(3*time.Hour-time.Second, 1, 0)
		turn(3*time.Hour, 0, 1)
		turn(3*time.Hour, 0, 1)
		turn(5*time.Hour, 0, 0)
		// One that ends at an hour to come lights until then; one that follows on at once goes on lighting.
		h.post(h.omar, path, object{"patient": h.ruth.ID}).want(201)
		h.post(h.omar, path+"/end", object{"patient": h.ruth.ID, "at": at(7 * time.Hour)}).want(200)
		h.post(h.omar, path, object{"patient": h.ruth.ID, "from": at(7 * time.Hour), "until": at(8 * time.Hour)}).want(201)
		turn(6*time.Hour, 1, 0)
		turn(7*time.Hour, 1, 0)
		turn(9*time.Hour, 0, 0)
	})
}

func TestANewKeyForADevice(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id, old := h.register("scale")
		path := "/api/v1/devices/" + id
		h.post(h.omar, path+"/assignments", object{"patient": h.ruth.ID, "from": start.Add(-time.Hour).Format(time.RFC3339)}).want(201)
		send := func(key string, status int) {
			t.Helper()
			h.call(person.Person{}, "POST", path+"/readings", `{"at":"2026-03-09T10:30:00Z","series":"29463-7","value":81,"unit":"kg"}`, "Authorization", "Bearer "+key).want(status)
		}
		send(old, 200)
		for _, who := range []person.Person{h.ruth, h.elena, h.lea, h.nia} { // Nia is of another team
			h.post(who, path+"/key", nil).want(403)
		}
		h.post(h.dana, "/api/v1/devices/none/key", nil).want(404)
		send(old, 200)
		first := h.post(h.dana, path+"/key", nil, "Idempotency-Key", "k").want(201)
		d := into[struct{ ID, Kind, Key string }](first)
		if d.ID != id || d.Kind != "scale" || len(d.Key) != len(old) || d.Key == old {
			t.Errorf("%+v", d)
		}
		if again := h.post(h.dana, path+"/key", nil, "Idempotency-Key", "k").want(201); again.body != first.body {
			t.Errorf("%s, then %s", first.body, again.body)
		}
		send(old, 401)
		send(d.Key, 200)
		newer := into[struct{ Key string }](h.post(h.olga, path+"/key", nil).want(201)).Key
		send(d.Key, 401)
		send(newer, 200)
		var lines []person.AuditLine
		h.write(func(tx *store.Tx) {
			var err error
			lines, err = h.Person.AuditOf(tx, org, h.ruth.ID, 100)
			h.must(err)
		})
		var by []person.ID
		for _, l := range lines {
			if l.Act == "change" && l.What == "device key "+id && l.Allowed {
				by = append(by, l.Viewer)
			}
		}
		if !slices.Equal(by, []person.ID{h.olga.ID, h.dana.ID}) {
			t.Errorf("audited: %v", by)
		}
	})
}

// What a file told beside a value is told with it.
func TestReadingDetails(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		d, err := h.Reading.ImportDevice(t.Context(), string(h.dana.Org), string(h.ruth.ID), "meter")
		if err != nil {
			t.Fatal(err)
		}
		at := h.clock.Now().Add(-time.Hour)
		if _, err := h.Reading.Ingest(t.Context(), d, []reading.Reading{
			{At: at, Series: "2339-0", Value: 40, Unit: "mg/dL", Detail: &reading.Detail{Beyond: -1, Notes: []string{"fasting"}}},
			{At: at, Series: "55423-8", Value: 900, Unit: "{steps}", Detail: &reading.Detail{Until: at.Add(15 * time.Minute)}}}); err != nil {
			t.Fatal(err)
		}
		all := h.get(h.ruth, patientPath(h.ruth, "readings")).items()
		if len(all) != 2 || all[0]["comparator"] != "<" || fmt.Sprint(all[0]["notes"]) != "[fasting]" || all[0]["until"] != nil || all[1]["until"] == nil || all[1]["comparator"] != nil {
			t.Errorf("%v", all)
		}
	})
}
