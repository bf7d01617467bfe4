package api_test

import (
	"testing"
	"time"
)

func TestJourneys(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		type week struct {
			Items   []struct{ ID, Way, State, Promise string }
			Trips   []struct{ ID, State string }
			Coming  struct{ Trips int }
			Instead struct{ Trips int }
		}
		hours := []object{{"tz": "America/New_York", "weekly": []object{{"days": []int{1, 2, 3, 4, 5}, "start": "09:00", "end": "18:00"}}}}
		shop := object{"id": "market", "kind": "shop", "name": "Market", "lat": 42.65, "lon": -73.75, "hours": hours, "active": true}
		h.post(h.ruth, "/api/v1/outlets", shop).want(403)
		h.post(h.dana, "/api/v1/outlets", object{"id": "x", "kind": "shop", "name": "Nowhere", "lat": 0, "lon": 0, "hours": hours, "active": true}).want(422)
		h.post(h.dana, "/api/v1/outlets", shop).want(200)
		if list := h.get(h.dana, "/api/v1/outlets").items(); len(list) != 1 {
			t.Errorf("%v", list)
		}
		from, by := h.clock.Now().Format(time.RFC3339), h.clock.Now().AddDate(0, 0, 6).Format(time.RFC3339)
		needs := patientPath(h.ruth, "needs")
		h.post(h.ruth, needs, object{"kind": "groceries", "id": "food", "from": from, "by": by}).want(201)
		h.post(h.ruth, needs, object{"kind": "imaging", "from": from, "by": by}).want(403)
		h.post(h.luis, needs, object{"kind": "groceries", "from": from, "by": by}).want(403)
		h.post(h.ruth, needs, object{"kind": "nothing", "from": from, "by": by}).want(422)
		h.post(h.ruth, needs, object{"kind": "groceries", "from": by, "by": from}).want(422)
		h.post(h.dana, needs, object{"kind": "blood", "id": "draw", "from": from, "by": by, "clinical": true}).want(201)
		if list := h.get(h.ruth, needs).items(); len(list) != 2 {
			t.Errorf("%v", list)
		}
		h.get(h.luis, patientPath(h.ruth, "journeys")).want(403)
		w := into[week](h.get(h.ruth, patientPath(h.ruth, "journeys")).want(200))
		if len(w.Items) != 1 || len(w.Trips) != 1 || w.Items[0].Way != "shop" || w.Coming.Trips != 1 || w.Instead.Trips != 1 {
			t.Fatalf("%+v", w)
		}
		accept := patientPath(h.ruth, "journeys/accept")
		h.post(h.ruth, accept, object{"what": "trip-2020-01-01"}).want(409)
		w = into[week](h.post(h.ruth, accept, object{"what": w.Trips[0].ID}, "Idempotency-Key", "k1").want(200))
		if w.Items[0].State != "promised" || w.Items[0].Promise == "" || w.Trips[0].State != "promised" {
			t.Errorf("%+v", w)
		}
		h.post(h.ruth, accept, object{"what": w.Trips[0].ID}, "Idempotency-Key", "k1").want(200)
		h.post(h.ruth, needs+"/draw/end", object{}).want(403)
		h.post(h.dana, needs+"/draw/end", object{}).want(200)
		h.post(h.ruth, patientPath(h.ruth, "journeys/asks/none"), object{"yes": true}).want(404)
		type account struct {
			From, To string
			Done     int
			HomeDays int `json:"home_days"`
			Rows     []object
		}
		a := into[account](h.get(h.ruth, patientPath(h.ruth, "burden")+"?from=2026-03-01&to=2026-03-11").want(200))
		if a.From != "2026-03-01" || a.HomeDays != 10 || a.Done != 0 || a.Rows == nil {
			t.Errorf("%+v", a)
		}
		h.get(h.ruth, patientPath(h.ruth, "burden")+"?from=2026-03-11&to=2026-03-01").want(422)
		h.get(h.luis, patientPath(h.ruth, "burden")).want(403)
		h.get(h.ruth, "/api/v1/burden").want(403)
		h.get(h.lea, "/api/v1/burden").want(200)
		kinds := h.get(h.ruth, "/api/v1/needs/kinds").items()
		if len(kinds) < 8 {
			t.Errorf("%d kinds", len(kinds))
		}
		bath := object{"id": "bath", "name": object{"en": "A bath"}, "minutes": 40, "decides": "patient", "ways": []object{{"id": "home", "mode": "home_visit", "visit": "home-care"}}}
		h.post(h.ruth, "/api/v1/needs/kinds", bath).want(403)
		h.post(h.dana, "/api/v1/needs/kinds", bath).want(200)
		bath["ways"] = []object{{"id": "home", "mode": "beamed"}}
		h.post(h.dana, "/api/v1/needs/kinds", bath).want(422)
	})
}
