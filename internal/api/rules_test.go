package api_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/internal/person"
)

// weighs sends a month of Ruth's weights and pulses, one a day, up to this morning: steady, then rising for a week.
func (h *clinic) weighs() {
	h.t.Helper()
	id, key := h.register("scale")
	h.post(h.dana, "/api/v1/devices/"+id+"/assignments", object{"patient": h.ruth.ID, "from": "2026-01-01T00:00:00-05:00"}).want(201)
	body := "["
	for d := range 40 {
		at := start.AddDate(0, 0, d-40).Format(time.RFC3339)
		kg := 80 + []float64{-0.3, 0.1, 0.3, -0.1}[d%4]
		beats := 70 + d%3
		if d >= 33 {
			kg += 0.5 * float64(d-32)
			beats += 2 * (d - 32)
		}
		body += fmt.Sprintf(`{"seq":%d,"at":%q,"series":"29463-7","value":%.1f,"unit":"kg"},{"seq":%d,"at":%q,"series":"8867-4","value":%d,"unit":"/min"},`, 2*d, at, kg, 2*d+1, at, beats)
	}
	h.call(person.Person{}, "POST", "/api/v1/devices/"+id+"/readings", body[:len(body)-1]+"]", "Authorization", "Bearer "+key).want(200)
}

func TestARuleIsTriedOnThePastBeforeItIsSwitchedOn(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.weighs()
		path := patientPath(h.ruth, "rules")
		type trial struct {
			Readings, Alerts int
			Days             float64
			PerMonth         float64 `json:"per_month"`
		}
		tried := into[trial](h.post(h.dana, path+"/try", object{"preset": "weight-2kg-3d"}).want(200))
		own := into[trial](h.post(h.dana, path+"/try", object{"preset": "heart-failure-own"}).want(200))
		if tried.Readings != 40 || tried.Alerts != 0 || tried.Days != 40 || own.Readings != 80 || own.Alerts != 1 || own.PerMonth != 0.75 {
			t.Errorf("%+v %+v", tried, own)
		}
		if n := len(h.get(h.dana, path).items()); n != 0 {
			t.Errorf("%d rules are on after a trial", n)
		}
		h.post(h.dana, path, object{"preset": "heart-failure-own"}).want(201)
		h.post(h.dana, path, object{"preset": "heart-failure-own"}).want(201) // it is on already
		rules := h.get(h.dana, path).items()
		if len(rules) != 2 {
			t.Fatalf("%v", rules)
		}
		for _, r := range rules {
			if r["preset"] != "heart-failure-own" || r["version"] != 1.0 || r["tested"].(map[string]any)["days"] != 40.0 {
				t.Errorf("%v", r)
			}
		}
		h.post(h.dana, path+"/"+rules[0]["id"].(string)+"/end", nil).want(200)
		if now := h.get(h.dana, path).items(); now[0]["until"] == nil || now[1]["until"] != nil {
			t.Errorf("%v", now)
		}
		one := object{"rule": object{"series": "29463-7", "above": object{"kind": "change", "value": 1, "over": "48h"}, "severity": "warning"}}
		made := into[struct {
			Items []struct {
				Rule   struct{ Above struct{ Over string } }
				Tested trial
			}
		}](h.post(h.dana, path, one).want(201)).Items
		if len(made) != 1 || made[0].Rule.Above.Over != "48h0m0s" || made[0].Tested.Alerts == 0 {
			t.Errorf("%+v", made)
		}
	})
}

func TestRulesAreForTheStaffOfTheTeam(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		path := patientPath(h.ruth, "rules")
		for _, who := range []person.Person{h.ruth, h.elena} {
			h.get(who, path).want(403)
			h.post(who, path, object{"preset": "weight-2kg-3d"}).want(403)
			h.post(who, path+"/try", object{"preset": "weight-2kg-3d"}).want(403)
			h.get(who, "/api/v1/rules/presets").want(403)
		}
		if h.post(h.nia, path, object{"preset": "weight-2kg-3d"}).status < 400 {
			t.Error("a nurse of another team set a rule")
		}
		if n := len(h.get(h.dana, "/api/v1/rules/presets").items()); n < 5 {
			t.Errorf("%d presets", n)
		}
		h.post(h.dana, path, object{"preset": "none"}).want(404)
		h.post(h.dana, path, object{}).want(422)
		h.post(h.dana, path, object{"rule": object{"series": "29463-7", "severity": "urgent"}}).want(422)
		h.post(h.dana, path, object{"rule": object{"series": "29463-7", "severity": "urgent", "above": object{"kind": "change", "value": 2, "over": "soon"}}}).want(422)
	})
}
