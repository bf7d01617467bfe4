package api_test

import (
	"testing"
	"time"

	"doorstep/internal/person"
)

// A patient's adherence is what the pages show, to whom the pages show it; what has no meaning is null.
func TestAdherence(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id := h.prescribe()
		type seen struct {
			From, To          string
			Doses, Days, Said int
			Taking            *float64
			OnTime            *float64 `json:"on_time"`
			Pattern           *struct{ Part string }
		}
		if a := into[seen](h.get(h.ruth, patientPath(h.ruth, "adherence")).want(200)); a.Doses != 0 || a.Taking != nil || a.Pattern != nil {
			t.Errorf("before the first dose: %+v", a)
		}
		h.to(start.Add(time.Hour))
		h.post(h.ruth, "/api/v1/promises/"+id+"/evidence", object{"patient": h.ruth.ID, "taken": true}).want(200)
		h.to(start.Add(30 * time.Hour))
		for _, who := range []person.Person{h.ruth, h.dana} {
			if a := into[seen](h.get(who, patientPath(h.ruth, "adherence")).want(200)); a.Doses != 1 || a.Days != 1 || a.Said != 1 || a.Taking == nil || *a.Taking != 1 {
				t.Errorf("%s: %+v", who.Name, a)
			}
		}
		h.get(h.luis, patientPath(h.ruth, "adherence")).want(403)
		for _, bad := range []string{"from=yesterday", "to=x", "from=2026-03-09&to=2026-03-01", "from=2001-01-01&to=2026-03-09"} {
			h.get(h.dana, patientPath(h.ruth, "adherence?"+bad)).want(422)
		}
	})
}
