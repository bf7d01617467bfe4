package api_test

import (
	"slices"
	"testing"

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
