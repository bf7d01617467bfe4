package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"doorstep/internal/fault"
	"doorstep/internal/transport/routing"
)

// home is the JSON of Ceschia et al. (ITOR 2024) for home health care routing and scheduling. Row 0 of distances is the office, row k patient k.
type home struct {
	Patients []struct {
		ID       string    `json:"id"`
		Window   []float64 `json:"time_window"`
		Required []struct {
			Service  string   `json:"service"`
			Duration *float64 `json:"duration"`
		} `json:"required_caregivers"`
		Synchronization *struct {
			Type     string    `json:"type"`
			Distance []float64 `json:"distance"`
		} `json:"synchronization"`
	} `json:"patients"`
	Services []struct {
		ID       string   `json:"id"`
		Duration *float64 `json:"default_duration"`
	} `json:"services"`
	Caregivers []struct {
		ID        string    `json:"id"`
		Abilities []string  `json:"abilities"`
		Shift     []float64 `json:"working_shift"`
	} `json:"caregivers"`
	Offices   []json.RawMessage `json:"central_offices"`
	Distances [][]float64       `json:"distances"`
}

// Bounds of times: of any, and of the way home where a carer has no shift.
const (
	latest     = 1e6
	longestDay = 1e8
)

// span reports whether two times are one after the other, and within bounds.
func span(list []float64) bool {
	return len(list) == 2 && list[0] <= list[1] && list[0] >= -latest && list[1] <= latest
}

// readHHCRSP reads home health care: visits by services, a visit's end of the window as a wish, two visits of a patient together or one after the other. The
// cost is that of the published values: a third each of distance, total lateness and greatest lateness.
func readHHCRSP(in io.Reader) (*Instance, error) {
	raw, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, fault.New(fault.TooMuch, "the file is larger than %d MB", maxFile>>20)
	}
	var h home
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, jsonError(raw, err)
	}
	if len(h.Offices) != 1 {
		return nil, fault.Invalidf("central_offices has %d entries (want 1)", len(h.Offices))
	}
	out := &Instance{}
	p := &out.Problem
	if p.Distance, err = h.matrix(); err != nil {
		return nil, err
	}
	p.Duration = p.Distance
	p.PerDistance, p.LatestCost = 1.0/3, 1.0/3
	if len(h.Caregivers) == 0 || len(h.Caregivers) > maxVehicles {
		return nil, fault.Invalidf("caregivers has %d entries (want 1 to %d)", len(h.Caregivers), maxVehicles)
	}
	services := map[string]float64{}
	for i, s := range h.Services {
		if _, twice := services[s.ID]; s.ID == "" || twice {
			return nil, fault.Invalidf("services[%d].id is %q, which is none or there twice", i, s.ID)
		}
		services[s.ID] = -1
		if s.Duration != nil {
			services[s.ID] = *s.Duration
		}
	}
	for i, c := range h.Caregivers {
		v := routing.Vehicle{ID: c.ID, Shift: routing.Window{To: longestDay}, Has: c.Abilities}
		if c.Shift != nil {
			if !span(c.Shift) {
				return nil, fault.Invalidf("caregivers[%d].working_shift is %v (want two times, the second not before the first)", i, c.Shift)
			}
			v.Shift = routing.Window{From: c.Shift[0], To: c.Shift[1]}
		}
		for k, a := range c.Abilities {
			if _, known := services[a]; !known {
				return nil, fault.Invalidf("caregivers[%d].abilities[%d] is %q, which is no service", i, k, a)
			}
		}
		p.Vehicles = append(p.Vehicles, v)
	}
	for i := range h.Patients {
		if err := h.patient(i, services, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// jsonError names the line of what is no JSON, or not of the right kind.
func jsonError(raw []byte, err error) error {
	at := len(raw)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if errors.As(err, &syntax) {
		at = int(syntax.Offset)
	} else if errors.As(err, &kind) {
		at = int(kind.Offset)
	}
	return fault.New(fault.Invalid, "line %d: %w", 1+bytes.Count(raw[:min(at, len(raw))], []byte("\n")), err)
}

func (h *home) matrix() (*routing.Matrix, error) {
	n := len(h.Patients) + 1
	if n > maxNodes {
		return nil, fault.Invalidf("patients has %d entries (want %d at most)", n-1, maxNodes-1)
	}
	if len(h.Distances) != n {
		return nil, fault.Invalidf("distances has %d rows (want %d: the office and each patient)", len(h.Distances), n)
	}
	m := &routing.Matrix{Places: n}
	for i, row := range h.Distances {
		if len(row) != n {
			return nil, fault.Invalidf("distances[%d] has %d numbers (want %d)", i, len(row), n)
		}
		for j, d := range row {
			if d < 0 || d > latest {
				return nil, fault.Invalidf("distances[%d][%d] is %v (want 0 or more)", i, j, d)
			}
		}
		m.Values = append(m.Values, row...)
	}
	return m, nil
}

func (h *home) patient(i int, services map[string]float64, out *Instance) error {
	who := &h.Patients[i]
	p := &out.Problem
	wrong := func(format string, args ...any) error {
		return fault.Invalidf("patients[%d].%s", i, fmt.Sprintf(format, args...))
	}
	if !span(who.Window) {
		return wrong("time_window is %v (want two times, the second not before the first)", who.Window)
	}
	if n := len(who.Required); n < 1 || n > 2 || n == 2 && who.Synchronization == nil || n == 1 && who.Synchronization != nil {
		return wrong("required_caregivers has %d entries (want 1, or 2 and a synchronization)", n)
	}
	for k, need := range who.Required {
		length, known := services[need.Service]
		if !known {
			return wrong("required_caregivers[%d].service is %q, which is no service", k, need.Service)
		}
		if need.Duration != nil {
			length = *need.Duration
		}
		if length < 0 || length > latest {
			return wrong("required_caregivers[%d].duration is not there, below 0 or too long", k)
		}
		p.Requests = append(p.Requests, routing.Request{ID: who.ID + "/" + need.Service, Needs: []string{need.Service}, Stops: []routing.Stop{{
			Place: i + 1, Window: routing.Window{From: who.Window[0], To: math.Inf(1)}, Service: length, Due: who.Window[1], Late: 1.0 / 3}}})
		out.Nodes = append(out.Nodes, [2]int{i + 1})
	}
	if who.Synchronization == nil {
		return nil
	}
	link := routing.Link{A: len(p.Requests) - 2, B: len(p.Requests) - 1}
	switch s := who.Synchronization; s.Type {
	case "simultaneous":
	case "sequential":
		if !span(s.Distance) || s.Distance[0] < 0 {
			return wrong("synchronization.distance is %v (want least and most, 0 or more)", s.Distance)
		}
		link.Min, link.Max = s.Distance[0], s.Distance[1]
	default:
		return wrong("synchronization.type is %q (want simultaneous or sequential)", s.Type)
	}
	p.Links = append(p.Links, link)
	return nil
}
