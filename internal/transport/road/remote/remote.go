// Package remote asks routing servers elsewhere, by URL: OSRM's table service and Valhalla's sources_to_targets. They answer as our own graph does,
// behind road.Source.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/transport/road"
)

// Server is a routing server. Client nil: http.DefaultClient with a time-out.
type Server struct {
	URL    string
	Client *http.Client
}

// OSRM answers from an OSRM server: its profiles are named in its URL, so it has to serve driving and walking; wheelchairs it does not know.
type OSRM struct{ Server }

// Valhalla answers from a Valhalla server.
type Valhalla struct{ Server }

const (
	timeout   = 20 * time.Second
	maxAnswer = 64 << 20
)

// New reads the address of a server: osrm+https://… or valhalla+https://….
func New(address string) (road.Source, error) {
	kind, rest, ok := strings.Cut(address, "+")
	u, err := url.Parse(rest)
	if !ok || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Invalidf("the address of the routing server is not like osrm+https://… or valhalla+https://…")
	}
	s := Server{URL: strings.TrimSuffix(rest, "/")}
	switch kind {
	case "osrm":
		return OSRM{s}, nil
	case "valhalla":
		return Valhalla{s}, nil
	}
	return nil, fault.Invalidf("%q is no routing server that is known (want osrm or valhalla)", kind)
}

// ask sends a request and reads the JSON of the answer.
func (s Server) ask(ctx context.Context, method, path string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fault.New(fault.Unavailable, "the routing server does not answer") // the error would name the places
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fault.New(fault.Unavailable, "the routing server broke off")
	}
	if resp.StatusCode != http.StatusOK {
		return fault.New(fault.Unavailable, "the routing server answers %s", resp.Status)
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return fault.New(fault.Unavailable, "the routing server's answer cannot be read")
	}
	return nil
}

var osrmProfiles = map[road.Profile]string{road.Car: "driving", road.Foot: "walking"}

// Table asks /table/v1.
func (o OSRM) Table(ctx context.Context, p road.Profile, from, to []person.Point) (road.Table, error) {
	profile, ok := osrmProfiles[p]
	if !ok {
		return nil, fault.Invalidf("OSRM has no ways for %q", p)
	}
	if len(from) == 0 || len(to) == 0 {
		return make(road.Table, len(from)), nil
	}
	var places, sources, targets []string
	for i, q := range from {
		places, sources = append(places, fmt.Sprintf("%.6f,%.6f", q.Lon, q.Lat)), append(sources, fmt.Sprint(i))
	}
	for i, q := range to {
		places, targets = append(places, fmt.Sprintf("%.6f,%.6f", q.Lon, q.Lat)), append(targets, fmt.Sprint(len(from)+i))
	}
	var answer struct {
		Code                 string
		Durations, Distances [][]*float64
	}
	path := "/table/v1/" + profile + "/" + strings.Join(places, ";") + "?annotations=duration,distance&sources=" + strings.Join(sources, ";") + "&destinations=" + strings.Join(targets, ";")
	if err := o.ask(ctx, http.MethodGet, path, nil, &answer); err != nil {
		return nil, err
	}
	if answer.Code != "Ok" {
		return nil, fault.New(fault.Unavailable, "the routing server says %q", answer.Code)
	}
	return table(len(from), len(to), func(i, j int) (seconds, meters *float64) {
		if i < len(answer.Durations) && j < len(answer.Durations[i]) {
			seconds = answer.Durations[i][j]
		}
		if i < len(answer.Distances) && j < len(answer.Distances[i]) {
			meters = answer.Distances[i][j]
		}
		return seconds, meters
	}), nil
}

var costings = map[road.Profile]map[string]any{
	road.Car: {"costing": "auto"}, road.Foot: {"costing": "pedestrian"},
	road.Wheelchair: {"costing": "pedestrian", "costing_options": map[string]any{"pedestrian": map[string]any{"type": "wheelchair"}}},
}

// Table asks /sources_to_targets.
func (v Valhalla) Table(ctx context.Context, p road.Profile, from, to []person.Point) (road.Table, error) {
	costing, ok := costings[p]
	if !ok {
		return nil, fault.Invalidf("%q is no profile (want car, foot or wheelchair)", p)
	}
	if len(from) == 0 || len(to) == 0 {
		return make(road.Table, len(from)), nil
	}
	ask := map[string]any{"units": "kilometers", "sources": places(from), "targets": places(to)}
	for k, x := range costing {
		ask[k] = x
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	type cell struct{ Time, Distance *float64 }
	var answer struct {
		Cells [][]cell `json:"sources_to_targets"`
	}
	if err := v.ask(ctx, http.MethodPost, "/sources_to_targets", body, &answer); err != nil {
		return nil, err
	}
	return table(len(from), len(to), func(i, j int) (seconds, meters *float64) {
		if i < len(answer.Cells) && j < len(answer.Cells[i]) {
			c := answer.Cells[i][j]
			seconds = c.Time
			if c.Distance != nil {
				m := *c.Distance * 1000
				meters = &m
			}
		}
		return seconds, meters
	}), nil
}

func places(list []person.Point) []map[string]float64 {
	out := make([]map[string]float64, len(list))
	for i, p := range list {
		out[i] = map[string]float64{"lat": p.Lat, "lon": p.Lon}
	}
	return out
}

// table makes the legs; one whose time is not said has no way.
func table(rows, cols int, of func(i, j int) (seconds, meters *float64)) road.Table {
	out := make(road.Table, rows)
	for i := range out {
		out[i] = make([]road.Leg, cols)
		for j := range out[i] {
			seconds, meters := of(i, j)
			if seconds == nil || !(*seconds >= 0) {
				continue
			}
			out[i][j] = road.Leg{Duration: time.Duration(*seconds * float64(time.Second)), Known: true}
			if meters != nil {
				out[i][j].Meters = *meters
			}
		}
	}
	return out
}
