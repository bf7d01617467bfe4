package promise

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// terms is what a row of the agenda says of its promise, so that a climb reads one table: as one text, which most promises of a
// minute have in common and which then need not be understood again. Times, names and catalog keys hold no unit separator, nor
// does JSON.
func terms(p *Promise) string {
	args := ""
	if len(p.Args) > 0 {
		args = body(p.Args)
	}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return strings.Join([]string{p.Kind, n(int64(p.Severity)), p.Say, args, n(store.Micros(p.From)), n(store.Micros(p.By)), p.Zone, p.Ladder.Name,
		n(int64(p.Ladder.Version)), n(store.Micros(p.Made))}, "\x1f")
}

const termFields = 10

// reader reads the rows of a climb.
type reader struct {
	text string  // terms of the row before
	last Promise // what they say
}

// promise reads a row of org, patient, promise, rung, at, terms. It answers the terms, as the same string where they are the same as
// in the row before. What the promise is about and its keeper stay empty.
func (r *reader) promise(row store.Cells, p *Promise) (string, error) {
	if text := row.Text(5); text != r.text || text == "" {
		if err := r.understand(text); err != nil {
			return "", fmt.Errorf("promise %s of patient %s: %w", row.Text(2), row.Text(1), err)
		}
		r.text = text
	}
	*p = r.last
	if org := row.Text(0); string(r.last.Org) != org {
		r.last.Org, p.Org = person.OrgID(org), person.OrgID(org)
	}
	p.Patient, p.ID, p.Rung, p.RungAt = person.ID(row.Text(1)), ID(row.Text(2)), int(row.Int(3)), store.Time(row.Int(4))
	return r.text, nil
}

func (r *reader) understand(text string) error {
	f := strings.Split(text, "\x1f")
	if len(f) != termFields {
		return fmt.Errorf("its terms have %d fields, want %d", len(f), termFields)
	}
	var n [5]int64
	for i, at := range [...]int{1, 4, 5, 8, 9} {
		var err error
		if n[i], err = strconv.ParseInt(f[at], 10, 64); err != nil {
			return err
		}
	}
	r.last = Promise{Org: r.last.Org, Kind: f[0], Severity: Severity(n[0]), Say: f[2], From: store.Time(n[1]), By: store.Time(n[2]), Zone: f[6],
		Ladder: LadderRef{Name: f[7], Version: int(n[3])}, State: Open, Made: store.Time(n[4])}
	if f[3] == "" {
		return nil
	}
	return json.Unmarshal([]byte(f[3]), &r.last.Args)
}
