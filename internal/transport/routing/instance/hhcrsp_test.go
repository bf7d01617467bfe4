package instance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/internal/sharedtest"
	"doorstep/internal/transport/routing"
	"doorstep/internal/transport/routing/instance"
)

func TestHHCRSP(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(sharedtest.Path(t, "data/routing/hhcrsp/*/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := instance.Read("hhcrsp", f); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	f, err := os.Open(sharedtest.Path(t, "data/routing/hhcrsp/toy.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i, err := instance.Read("hhcrsp", f)
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Problem.Requests) != 9 || len(i.Problem.Links) != 3 || i.Problem.Links[1] != (routing.Link{A: 5, B: 6, Min: 30, Max: 45}) || i.Nodes[5][0] != 5 {
		t.Errorf("%d requests, links %v, nodes %v", len(i.Problem.Requests), i.Problem.Links, i.Nodes)
	}
	if q := i.Problem.Requests[0]; q.ID != "p1/s2" || q.Needs[0] != "s2" || q.Stops[0].Due != 360 || q.Stops[0].Service != 30 {
		t.Errorf("request %+v", q)
	}
}

func TestHHCRSPRefusals(t *testing.T) {
	t.Parallel()
	const good = `{"patients":[{"id":"p1","time_window":[0,60],
"required_caregivers":[{"service":"s1","duration":30},{"service":"s2"}],"synchronization":{"type":"sequential","distance":[5,9]}}],
"services":[{"id":"s1","default_duration":20},{"id":"s2","default_duration":25}],"caregivers":[{"id":"c1","abilities":["s1"]},{"id":"c2","abilities":["s2"]}],
"central_offices":[{"id":"d"}],"distances":[[0,4],[4,0]]}`
	if _, err := instance.Read("hhcrsp", strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, says string }{
		{`"distances":[[0,4]`, `"distances":[[0,x]`, "line 4"},
		{`[0,60]`, `["a",60]`, "line 1"},
		{`[0,60]`, `[90,60]`, "patients[0].time_window"},
		{`"service":"s1"`, `"service":"s9"`, "patients[0].required_caregivers[0].service"},
		{`"service":"s1","duration":30`, `"service":"s1","duration":-3`, "patients[0].required_caregivers[0].duration"},
		{`"sequential"`, `"sometimes"`, "patients[0].synchronization.type"},
		{`[5,9]`, `[9,5]`, "patients[0].synchronization.distance"},
		{`,"synchronization":{"type":"sequential","distance":[5,9]}`, ``, "patients[0].required_caregivers has 2"},
		{`[4,0]`, `[4]`, "distances[1]"},
		{`[4,0]`, `[-4,0]`, "distances[1][0]"},
		{`[{"id":"d"}]`, `[]`, "central_offices"},
		{`"abilities":["s2"]`, `"abilities":["s7"]`, "caregivers[1].abilities[0]"},
		{`{"id":"s2","default`, `{"id":"s1","default`, "services[1].id"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Fatalf("%s is not there", c.from)
		}
		if _, err := instance.Read("hhcrsp", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: want %q, got %v", c.to, c.says, err)
		}
	}
}
