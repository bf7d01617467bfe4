package api_test

import (
	"strings"
	"testing"
)

// A site is set, shown without its token, kept to the staff, and ended.
func TestNightscoutSite(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		path := patientPath(h.ruth, "nightscout")
		h.get(h.dana, path).want(404)
		h.post(h.dana, path, object{"address": "ruth.example"}).want(422)
		h.post(h.ruth, path, object{"address": "https://ruth.example"}).want(403)
		h.post(h.nia, path, object{"address": "https://ruth.example"}).want(403) // of another team
		set := h.post(h.dana, path, object{"address": "https://ruth.example/", "token": "a-secret-of-hers", "minutes": 15}, "Idempotency-Key", "set").want(200)
		shown := h.get(h.dana, path).want(200)
		for _, body := range []string{set.body, shown.body} {
			if strings.Contains(body, "a-secret-of-hers") || !strings.Contains(body, `"token":true`) || !strings.Contains(body, `"minutes":15`) {
				t.Error(body)
			}
		}
		h.get(h.ruth, path).want(403)
		h.post(h.dana, path+"/end", object{}).want(200)
		h.post(h.dana, path+"/end", object{}).want(404)
		if strings.Contains(h.log.String(), "a-secret-of-hers") {
			t.Error("the log holds the token")
		}
	})
}
