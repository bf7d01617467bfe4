package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

func (h *clinic) tasks() {
	h.write(func(tx *store.Tx) {
		for _, x := range []promise.TaskRow{
			{ID: "watch", Patient: h.ruth.ID, Severity: promise.Watch, Say: "task.answer", Args: map[string]string{"time": "2026-03-09T14:30:00Z"}},
			{ID: "severe", Patient: h.ruth.ID, Severity: promise.Severe, Say: "task.silence", Args: map[string]string{"time": "2026-03-09T06:10:00Z"}},
			{ID: "luis", Patient: h.luis.ID, Severity: promise.Urgent, Say: "task.silence", Args: map[string]string{"time": "2026-03-09T06:10:00Z"}},
			{ID: "number", Severity: promise.Urgent, Say: "task.stranger"},
		} {
			x.Org, x.Role, x.Kind, x.Cause = org, person.Nurse, "alert", "alert"
			h.must(h.Promise.OpenTask(tx, x))
		}
	})
}

func order(list []object) string {
	all := ""
	for _, x := range list {
		all += x["id"].(string) + " "
	}
	return all
}

func TestTheDesksRowsMostSevereFirst(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.tasks()
		list := h.get(h.dana, "/api/v1/desk/risk").items()
		if got := order(list); got != "severe number watch " { // nobody of another team
			t.Error(got)
		}
		if list[2]["sentence"] != "A message waits for an answer by 10:30 am" || list[2]["name"] != "Ruth Abbott" || list[2]["severity"] != "watch" {
			t.Error(list[2])
		}
		if got := order(h.get(h.omar, "/api/v1/desk/risk").items()); got != "severe luis number watch " {
			t.Error(got)
		}
		next := into[struct{ Next string }](h.get(h.omar, "/api/v1/desk/risk?limit=1").want(200)).Next
		if got := order(h.get(h.omar, "/api/v1/desk/risk?cursor="+next).items()); got != "luis number watch " {
			t.Error(got)
		}
		for _, who := range []person.Person{h.ruth, h.elena, h.lea, h.olga} {
			h.get(who, "/api/v1/desk/risk").want(403)
			h.post(who, "/api/v1/desk/tasks/number/take", nil).want(403)
		}
	})
}

func TestATaskIsTakenPutAsideAndDone(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		h.tasks()
		const path = "/api/v1/desk/tasks/"
		h.post(h.nia, path+"watch/take", nil).want(403)
		h.post(h.dana, path+"none/take", nil).want(404)
		if x := into[object](h.post(h.dana, path+"watch/take", nil, "Idempotency-Key", "t").want(200)); x["owner"] != string(h.dana.ID) {
			t.Error(x)
		}
		until := start.Add(time.Hour).Format(time.RFC3339)
		if x := into[object](h.post(h.dana, path+"watch/snooze", object{"until": until}).want(200)); x["snoozed_until"] != "2026-03-09T08:00:00-04:00" {
			t.Error(x)
		}
		h.post(h.dana, path+"severe/snooze", object{"until": until}).want(422)
		h.post(h.dana, path+"watch/snooze", object{"until": start.Format(time.RFC3339)}).want(422)
		h.post(h.dana, path+"watch/snooze", object{"until": start.Add(13 * time.Hour).Format(time.RFC3339)}).want(422)
		h.post(h.dana, path+"watch/finish", object{"outcome": " "}).want(422)
		h.post(h.dana, path+"watch/finish", object{"outcome": "Called her."}, "Idempotency-Key", "f").want(200)
		h.post(h.dana, path+"watch/finish", object{"outcome": "Called her."}, "Idempotency-Key", "f").want(200)
		h.post(h.dana, path+"watch/finish", object{"outcome": "Called her."}).want(409)
		h.post(h.nia, path+"number/take", nil).want(200) // of no patient: any of the staff
		if got := order(h.get(h.dana, "/api/v1/desk/risk").items()); got != "severe number " {
			t.Error(got)
		}
	})
}

func TestRegimens(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		path := patientPath(h.ruth, "regimens")
		good := object{"name": "Digoxin", "dosage": json.RawMessage(daily), "critical": true, "text": "With water"}
		for _, who := range []person.Person{h.ruth, h.elena, h.nia, h.lea} {
			h.post(who, path, good).want(403)
		}
		if x := into[object](h.post(h.cleo, path, good, "Idempotency-Key", "r").want(201)); x["critical"] != true || x["id"] == "" {
			t.Error(x)
		}
		h.post(h.cleo, path, good, "Idempotency-Key", "r").want(201)
		if doses := h.get(h.ruth, patientPath(h.ruth, "doses?day=2026-03-09")).items(); len(doses) != 1 || len(doses[0]["medicines"].([]any)) != 1 {
			t.Error(doses)
		}
		for name, bad := range map[string]object{
			"no dosage":     {"name": "Digoxin"},
			"no list":       {"name": "Digoxin", "dosage": object{"text": "x"}},
			"empty list":    {"name": "Digoxin", "dosage": []any{}},
			"no name":       {"name": "", "dosage": json.RawMessage(daily)},
			"unreadable":    {"name": "Digoxin", "dosage": json.RawMessage(`[{"timing":{"repeat":{"frequency":-1,"period":1,"periodUnit":"d"}}}]`)},
			"no such day":   {"name": "Digoxin", "dosage": json.RawMessage(daily), "authored": "soon"},
			"numbered name": {"name": 7, "dosage": json.RawMessage(daily)},
		} {
			if a := h.post(h.cleo, path, bad); a.status != 422 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}
