package api_test

import (
	"testing"
	"time"
)

func TestPathways(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		type episode struct {
			ID, Canonical, State string
			Activities           []struct{ Title, State string }
		}
		if list := h.get(h.dana, "/api/v1/pathways").items(); len(list) < 25 {
			t.Errorf("%d definitions", len(list))
		}
		h.get(h.ruth, "/api/v1/pathways").want(403)
		plan := func(version string, action object) object {
			return object{"resourceType": "PlanDefinition", "url": "https://clinic.example/p", "version": version, "title": "P", "action": []object{action}}
		}
		h.post(h.dana, "/api/v1/pathways", plan("1", object{"id": "a", "title": "A"})).want(201)
		h.post(h.dana, "/api/v1/pathways", plan("1", object{"id": "b", "title": "B"})).want(409)
		h.post(h.dana, "/api/v1/pathways", plan("2", object{"transform": "x"})).want(422)
		h.post(h.dana, "/api/v1/pathways", plan("2", object{"id": "b", "title": "B"})).want(201)
		h.post(h.ruth, "/api/v1/pathways", plan("3", object{"id": "a", "title": "A"})).want(403)
		path := patientPath(h.ruth, "pathways")
		start := h.clock.Now().Format(time.RFC3339)
		h.post(h.ruth, path, object{"pathway": "https://clinic.example/p|1", "start": start}).want(403)
		h.post(h.dana, path, object{"pathway": "https://clinic.example/q|1", "start": start}).want(404)
		e := into[episode](h.post(h.dana, path, object{"pathway": "https://clinic.example/p|1", "start": start}).want(201))
		again := into[episode](h.post(h.dana, path, object{"pathway": "https://clinic.example/p|1", "start": start}).want(201))
		if e.ID != again.ID || len(again.Activities) != 1 || e.Canonical != "https://clinic.example/p|1" {
			t.Errorf("%+v %+v", e, again)
		}
		type change struct {
			Added, Withdrawn []struct{ Title string }
		}
		for _, preview := range []bool{true, false} {
			c := into[change](h.post(h.dana, path+"/"+e.ID+"/version", object{"version": "2", "preview": preview}).want(200))
			if len(c.Added) != 1 || c.Added[0].Title != "B" || len(c.Withdrawn) != 1 {
				t.Errorf("%+v", c)
			}
		}
		if ended := into[episode](h.post(h.dana, path+"/"+e.ID+"/end", object{}).want(200)); ended.State != "ended" || ended.Canonical != "https://clinic.example/p|2" {
			t.Errorf("%+v", ended)
		}
		h.post(h.dana, path+"/nothing/end", object{}).want(404)
		if list := h.get(h.ruth, path).items(); len(list) != 1 {
			t.Errorf("%v", list)
		}
		h.get(h.elena, path).want(200)
	})
}
