package remote_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/transport/road"
	"doorstep/internal/transport/road/remote"
)

var places = []person.Point{{Lat: 40.8, Lon: -77.86}, {Lat: 40.83, Lon: -77.8}}

// The servers answer in their published formats; a way that is not there is null.
func TestTables(t *testing.T) {
	t.Parallel()
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = r.URL.RequestURI() + " " + string(b)
		if strings.HasPrefix(r.URL.Path, "/table/v1/driving/") {
			io.WriteString(w, `{"code":"Ok","durations":[[0,600.5],[null,0]],"distances":[[0,7200],[null,0]]}`)
			return
		}
		io.WriteString(w, `{"sources_to_targets":[[{"time":0,"distance":0},{"time":600.5,"distance":7.2}],[{"time":null,"distance":null},{"time":0,"distance":0}]],"units":"kilometers"}`)
	}))
	defer srv.Close()
	for _, c := range []struct {
		kind    string
		profile road.Profile
		asked   string
	}{
		{"osrm", road.Car, "/table/v1/driving/-77.860000,40.800000;-77.800000,40.830000;-77.860000,40.800000;-77.800000,40.830000?annotations=duration,distance&sources=0;1&destinations=2;3 "},
		{"valhalla", road.Wheelchair, `"type":"wheelchair"`},
	} {
		s, err := remote.New(c.kind + "+" + srv.URL + "/")
		if err != nil {
			t.Fatal(err)
		}
		table, err := s.Table(t.Context(), c.profile, places, places)
		if err != nil || len(table) != 2 || table[1][0].Known || table[0][1] != (road.Leg{Duration: 600500 * time.Millisecond, Meters: 7200, Known: true}) || !table[0][0].Known {
			t.Errorf("%s: %v %v", c.kind, table, err)
		}
		if !strings.Contains(asked, c.asked) {
			t.Errorf("%s was asked %s", c.kind, asked)
		}
	}
}

// A server that fails says so without naming where anybody lives.
func TestServersThatFail(t *testing.T) {
	t.Parallel()
	answer := map[string]func(w http.ResponseWriter){
		"answers 500":        func(w http.ResponseWriter) { w.WriteHeader(500) },
		"cannot be read":     func(w http.ResponseWriter) { io.WriteString(w, "<html>") },
		`says "InvalidValue`: func(w http.ResponseWriter) { json.NewEncoder(w).Encode(map[string]string{"code": "InvalidValue"}) },
	}
	for want, write := range answer {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w) }))
		s, _ := remote.New("osrm+" + srv.URL)
		_, err := s.Table(t.Context(), road.Car, places, places)
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "40.8") {
			t.Errorf("%s: %v", want, err)
		}
		srv.Close()
		if _, err := s.Table(t.Context(), road.Car, places, places); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "40.8") {
			t.Errorf("gone: %v", err)
		}
	}
	for _, address := range []string{"https://osrm.example.org", "osrm+ftp://x", "google+https://x.example.org", "osrm+", ""} {
		if _, err := remote.New(address); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
	s, _ := remote.New("osrm+http://127.0.0.1:1")
	if _, err := s.Table(t.Context(), road.Wheelchair, places, places); !fault.Is(err, fault.Invalid) {
		t.Errorf("OSRM and wheelchairs: %v", err)
	}
}
