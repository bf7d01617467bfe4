package api_test

import (
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
)

// A plan is read by whoever may see the chart and changed by staff alone; a version is made once per key.
func TestSupport(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.prescribe()
		path := patientPath(h.ruth, "support")
		type plan struct {
			Version      int
			Usual        []struct{ Do string }
			Instructions string
		}
		if p := into[plan](h.get(h.ruth, path).want(200)); p.Version != 0 || len(p.Usual) == 0 {
			t.Errorf("before there is one: %+v", p)
		}
		body := object{"usual": []object{{"do": "remind", "after": 0}, {"do": "nurse", "after": 45}}, "instructions": "Call Ann."}
		h.post(h.ruth, path, body).want(403)
		h.post(h.luis, path, body).want(403)
		if p := into[plan](h.post(h.dana, path, body).want(200)); p.Version != 1 || p.Usual[1].Do != "nurse" || p.Instructions != "Call Ann." {
			t.Errorf("%+v", p)
		}
		h.get(h.luis, path).want(403)
		h.post(h.dana, path, object{"usual": []object{{"do": "remind", "after": 30}, {"do": "nurse", "after": 5}}}).want(422)
	})
}

// The week in words is one's own choice: a patient's, a helper's for herself, and staff's for the patient.
func TestLetter(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		path := patientPath(h.ruth, "letter")
		type seen struct {
			On      bool
			Weekday int
			Time    string
			Next    string
		}
		if l := into[seen](h.get(h.ruth, path).want(200)); l.On || l.Time != "18:00" || l.Next != "" {
			t.Errorf("before a choice: %+v", l)
		}
		h.post(h.elena, path, object{"on": true, "weekday": 5, "time": "07:30"}).want(200)
		if l := into[seen](h.get(h.ruth, path).want(200)); l.On {
			t.Error("the helper chose for the patient")
		}
		h.post(h.dana, path, object{"on": true, "weekday": 1, "time": "09:00"}).want(200)
		if l := into[seen](h.get(h.ruth, path).want(200)); !l.On || l.Weekday != 1 || l.Time != "09:00" || l.Next == "" {
			t.Errorf("%+v", l)
		}
		h.post(h.ruth, path, object{"on": false, "weekday": 1, "time": "late"}).want(422)
		h.post(h.luis, path, object{"on": true, "weekday": 1, "time": "09:00"}).want(403)
	})
}

// A comparison by the API: what it says is what the pages say, the seed comes at the end, a share without meaning is null.
func TestComparison(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.prescribe()
		day := start.Format("2006-01-02")
		arm := func(after int) object {
			return object{"usual": []object{{"do": "remind", "after": after}}, "critical": []object{{"do": "remind", "after": after}}}
		}
		body := object{"name": "Sooner", "from": day, "until": start.AddDate(0, 1, 0).Format("2006-01-02"), "arms": []object{arm(0), arm(20)}}
		h.post(h.ruth, "/api/v1/comparisons", body).want(403)
		h.post(h.dana, "/api/v1/comparisons", object{"name": "Same", "from": day, "until": day, "arms": []object{arm(0), arm(0)}}).want(422)
		type seen struct {
			ID, Seed string
			Outcome  *struct {
				Arms []struct{ People, N int }
				Low  *float64
			}
		}
		c := into[seen](h.post(h.dana, "/api/v1/comparisons", body).want(201))
		path := "/api/v1/comparisons/" + c.ID
		h.post(h.dana, path+"/people", object{"patient": h.ruth.ID}).want(201)
		h.post(h.dana, path+"/people", object{"patient": h.ruth.ID}).want(409)
		h.post(h.dana, path+"/people", object{"patient": h.luis.ID}).want(403)
		if got := into[seen](h.get(h.dana, path).want(200)); got.Seed != "" || got.Outcome == nil || got.Outcome.Low != nil || got.Outcome.Arms[0].People+got.Outcome.Arms[1].People != 1 {
			t.Errorf("%+v", got)
		}
		if got := into[seen](h.post(h.dana, path+"/end", object{"why": "Enough."}).want(200)); got.Seed == "" {
			t.Error("the seed is not told at the end")
		}
		h.post(h.dana, path+"/people", object{"patient": h.ruth.ID}).want(409)
		if list := into[struct{ Items []seen }](h.get(h.dana, "/api/v1/comparisons").want(200)); len(list.Items) != 1 || list.Items[0].ID != c.ID {
			t.Errorf("%+v", list)
		}
		h.get(h.ruth, path).want(403)
	})
}

// What a week's alerts came to, for the team's own staff; whether one needed action is said as it is closed.
func TestAlertBudget(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		team := string(h.dana.Teams[0])
		h.write(func(tx *store.Tx) {
			h.must(h.Promise.SaveLadder(tx, h.dana.Org, promise.Ladder{Name: watch.AlertLadder, Version: 1, Rungs: []promise.Rung{{Do: promise.Task, To: "role:nurse", Say: "alert"}}}))
			h.must(h.Watch.SetBudget(tx, person.Viewer{Org: h.dana.Org, Person: h.dana.ID, Role: person.Nurse}, person.TeamID(team), 5))
			h.must(h.Watch.Alert(tx, reading.Alert{ID: "a", Org: string(h.dana.Org), Patient: string(h.ruth.ID), Kind: "limit", Series: "29463-7", Severity: "urgent", Began: h.clock.Now()}))
		})
		h.to(start.Add(time.Minute))
		type row struct{ ID, Kind string }
		for _, x := range into[struct{ Items []row }](h.get(h.dana, "/api/v1/desk/risk").want(200)).Items {
			if x.Kind == watch.CallKind {
				h.post(h.dana, "/api/v1/desk/tasks/"+x.ID+"/finish", object{"outcome": "All is well.", "needed": false}).want(200)
			}
		}
		type week struct{ Alerts, Judged, Needed int }
		got := into[struct {
			PerNurse *int `json:"per_nurse"`
			Weeks    []week
		}](h.get(h.dana, "/api/v1/teams/"+team+"/alerts?weeks=2").want(200))
		if got.PerNurse == nil || *got.PerNurse != 5 || len(got.Weeks) != 2 || got.Weeks[0] != (week{1, 1, 0}) || got.Weeks[1].Alerts != 0 {
			t.Errorf("%+v", got)
		}
		h.get(h.dana, "/api/v1/teams/other/alerts").want(403)
		h.get(h.ruth, "/api/v1/teams/"+team+"/alerts").want(403)
	})
}
