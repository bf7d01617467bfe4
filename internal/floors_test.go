package internal_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// floors are the packages from the ground up. A package imports only from floors below its own; those of one floor do not know
// each other, except that a folder may import what lies inside it.
var floors = [][]string{
	{"fault", "words", "stat", "fhir"},
	{"clock"},
	{"store", "table", "reading/sample", "reading/news2"},
	{"store/pgcluster"},
	{"store/storetest"},
	{"sharedtest"},
	{"person"},
	{"promise", "message", "message/gateway", "record"},
	{"medication/timing", "medication/adherence", "medication/trial", "reading/series", "reading/rule", "reading/gatt", "reading/fit", "reading/apple", "reading/omh", "reading/fhirobs", "reading/nightscout", "reading/healthconnect", "reading/hrv", "reading/glucose", "reading/cgmcsv",
		"reading/pressure", "survey/score", "appointment/slot", "appointment/noshow", "waiting/estimate", "transport/routing"},
	{"reading/plausible", "reading/format", "reading/coherence", "appointment/ical", "appointment/policy", "transport/routing/instance", "transport/routing/verify"},
	{"journey/plan", "journey/burden", "transport/road", "transport/transit"},
	{"transport/road/remote", "fhir/path"},
	{"pathway/apply"},
	{"journey/weeks"},
	{"journey/policy"},
	{"medication/sentence"},
	{"medication", "reading", "conversation", "programme", "appointment", "waiting", "visit", "transport"},
	{"pathway"},
	{"reading/watch", "reading/breath", "reading/pull", "waiting/visits", "visit/turn", "visit/livekit", "transport/vendor", "journey"},
	{"web", "api", "fhirapi", "device", "gateway"},
	{"app"},
	{"app/apptest"},
	{"sim"},
	{"bench"},
}

func TestFloors(t *testing.T) {
	t.Parallel()
	level := map[string]int{}
	for i, floor := range floors {
		for _, p := range floor {
			level["doorstep/internal/"+p] = i
		}
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "doorstep/internal/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(p.ImportPath, "/gen") || p.ImportPath == "doorstep/internal" {
			continue // a generator is no part of the house
		}
		mine, known := level[p.ImportPath]
		if !known {
			t.Errorf("%s stands on no floor: add it to floors", p.ImportPath)
			continue
		}
		for _, other := range p.Imports {
			theirs, ours := level[other]
			if !strings.HasPrefix(other, "doorstep/") || strings.HasPrefix(other, p.ImportPath+"/") || strings.HasPrefix(p.ImportPath, other+"/") {
				continue
			}
			if !ours || theirs >= mine {
				t.Errorf("%s imports %s, which does not stand below it", p.ImportPath, other)
			}
		}
	}
}
