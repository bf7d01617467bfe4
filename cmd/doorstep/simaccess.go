package main

import (
	"encoding/json"

	"doorstep/internal/appointment/policy"
)

// accessReport is what sim --policy prints: the same flags give the same bytes.
type accessReport struct {
	Days  int           `json:"days"`
	Seed  uint64        `json:"seed"`
	Seeds int           `json:"seeds"`
	Lines []policy.Line `json:"lines"`
}

// access simulates a policy of giving out a clinic's time at both loads, over seeds from --seed on.
func (c simCmd) access(e *env) error {
	const seeds = 16
	chosen := policy.Policies
	if c.Policy != "all" {
		p, err := policy.Named(c.Policy)
		if err != nil {
			return usageError{err}
		}
		chosen = chosen[:1:1] // the telephone, to compare with
		if p.Name != chosen[0].Name {
			chosen = append(chosen, p)
		}
	}
	if c.Days > 365 {
		return usagef("--days must lie between 1 and 365 with --policy")
	}
	r := accessReport{Days: c.Days, Seed: c.Seed, Seeds: seeds}
	for _, load := range []float64{0.85, 1} {
		progress(e, "load %.2f", load)
		w := policy.Clinic(load)
		w.Days = c.Days
		lines, err := policy.Study(e, w, chosen, c.Seed, seeds)
		if err != nil {
			return err
		}
		r.Lines = append(r.Lines, lines...)
	}
	progress(e, "")
	out := json.NewEncoder(e.out)
	out.SetIndent("", "  ")
	return out.Encode(r)
}
