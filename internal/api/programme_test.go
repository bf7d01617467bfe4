package api_test

import (
	"slices"
	"testing"
	"time"

	"doorstep/internal/person"
)

func TestProgramme(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		type facts struct {
			Patient person.ID
			Minutes int
			Live    bool
			Codes   []string
		}
		path := patientPath(h.ruth, "minutes")
		h.post(h.dana, path, object{"minutes": 25, "live": true}).want(201)
		again := h.post(h.dana, path, object{"minutes": 25}, "Idempotency-Key", "one").want(201)
		h.post(h.dana, path, object{"minutes": 25}, "Idempotency-Key", "one").want(201)
		if again.body == "" {
			t.Error("no answer")
		}
		h.post(h.dana, path, object{"minutes": 0}).want(422)
		h.post(h.ruth, path, object{"minutes": 5}).want(403)
		h.post(h.elena, path, object{"minutes": 5}).want(403)
		one := into[facts](h.get(h.dana, patientPath(h.ruth, "programme")).want(200))
		if one.Minutes != 50 || !one.Live || !slices.Equal(one.Codes, []string{"99457", "99458"}) {
			t.Errorf("%+v", one)
		}
		h.get(h.ruth, patientPath(h.ruth, "programme")).want(403)
		h.get(h.dana, patientPath(h.ruth, "programme?day=soon")).want(422)
		if list := h.get(h.dana, "/api/v1/programme").items(); len(list) == 0 || list[0]["patient"] == nil {
			t.Errorf("%v", list)
		}
		h.get(h.ruth, "/api/v1/programme").want(403)
	})
}

// A call's time runs by itself; its minutes count until they are put right.
func TestCall(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		type call struct {
			ID, State string
			Minutes   int
			Live      bool
		}
		path := patientPath(h.ruth, "calls")
		h.post(h.ruth, path, object{}).want(403)
		begun := into[call](h.post(h.dana, path, object{}, "Idempotency-Key", "begin").want(201))
		if same := into[call](h.post(h.dana, path, object{}).want(201)); same.ID != begun.ID || begun.State != "open" {
			t.Errorf("%+v %+v", begun, same)
		}
		h.clock.Advance(9*time.Minute + 59*time.Second)
		h.post(h.omar, path+"/"+begun.ID+"/end", object{"live": true}).want(404) // another's
		if ended := into[call](h.post(h.dana, path+"/"+begun.ID+"/end", object{"live": true}).want(200)); ended.State != "booked" || ended.Minutes != 9 || !ended.Live {
			t.Errorf("%+v", ended)
		}
		if right := into[call](h.post(h.dana, path+"/"+begun.ID+"/correction", object{"minutes": 0}).want(200)); right.State != "discarded" {
			t.Errorf("%+v", right)
		}
		h.post(h.dana, path+"/"+begun.ID+"/correction", object{"minutes": 999}).want(422)
		h.post(h.dana, path+"/none/end", object{"live": true}).want(404)
		left := into[call](h.post(h.dana, path, object{}).want(201))
		h.clock.Advance(2 * time.Hour)
		if ended := into[call](h.post(h.dana, path+"/"+left.ID+"/end", object{"live": true}).want(200)); ended.State != "left" || ended.Minutes != 0 {
			t.Errorf("%+v", ended)
		}
		if facts := into[call](h.get(h.dana, patientPath(h.ruth, "programme")).want(200)); facts.Minutes != 0 {
			t.Errorf("%+v", facts)
		}
	})
}
