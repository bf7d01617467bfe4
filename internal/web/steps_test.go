package web

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"doorstep/internal/reading"
	"doorstep/internal/reading/sample"
)

// A watch and a telephone count the same steps: each hour counts once, the watch's where it saw any.
func TestStepsOfSeveralSources(t *testing.T) {
	t.Parallel()
	h := newClinic(t)
	day := h.clock.Now().In(h.ruth.Location()).AddDate(0, 0, -2)
	at := func(hour, minute int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
	}
	for source, list := range map[string][]reading.Reading{
		"apple: Ruth’s Apple Watch": {{At: at(9, 5), Value: 300}, {At: at(9, 40), Value: 200}, {At: at(15, 0), Value: 200}},
		"apple: Ruth’s iPhone":      {{At: at(9, 10), Value: 650}, {At: at(12, 0), Value: 300}, {At: at(18, 0), Value: 50}},
		"healthconnect: Counter":    {{At: at(18, 10), Value: 40}, {At: at(9, 0), Value: 900}},
		"healthconnect: Counter 2":  {{At: at(18, 20), Value: 45}},
	} {
		d, err := h.Reading.ImportDevice(context.Background(), string(h.org), string(h.ruth.ID), source)
		h.must(err)
		for i := range list {
			list[i].Series, list[i].Unit = sample.Steps, "{steps}"
		}
		_, err = h.Reading.Ingest(context.Background(), d, list)
		h.must(err)
	}
	_, body := h.get(h.session(h.ruth), "/numbers/series/"+sample.Steps)
	var z zoomable
	h.must(json.Unmarshal([]byte(body), &z))
	if want := 500.0 + 300 + 200 + 45; z.Lines[0][0] == nil || *z.Lines[0][0] != want {
		t.Errorf("%s, want %g", body, want)
	}
}
