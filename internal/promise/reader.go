package promise

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// packed is what most promises of a minute have in common, as one column: a column costs 0.2 µs to read, and one that is the
// same as in the row before need not be understood again. Times, names and catalog keys hold no unit separator, nor does JSON.
const packed = "concat_ws('\x1f', p.kind, p.severity, p.say, p.args, p.from_at, p.by_at, p.zone, p.ladder, p.version, p.state, p.made_at, p.closed_at, p.reason)"

const packedFields = 13

// reader reads the rows of a climb.
type reader struct {
	text string  // packed, of the row before
	last Promise // what it says
}

// promise reads a row of org, patient, id, rung, at, about, keeper, packed.
func (r *reader) promise(row store.Cells, p *Promise) error {
	if text := row.Text(7); text != r.text || text == "" {
		if err := r.unpack(text); err != nil {
			return fmt.Errorf("promise %s of patient %s: %w", row.Text(2), row.Text(1), err)
		}
		r.text = text
	}
	*p = r.last
	if org := row.Text(0); string(r.last.Org) != org {
		r.last.Org, p.Org = person.OrgID(org), person.OrgID(org)
	}
	p.Patient, p.ID, p.Rung, p.RungAt, p.About = person.ID(row.Text(1)), ID(row.Text(2)), int(row.Int(3)), store.Time(row.Int(4)), row.Text(5)
	p.Keeper.Kind, p.Keeper.Who, _ = strings.Cut(row.Text(6), ":")
	return nil
}

func (r *reader) unpack(text string) error {
	f := strings.SplitN(text, "\x1f", packedFields)
	if len(f) != packedFields {
		return fmt.Errorf("%d fields, want %d", len(f), packedFields)
	}
	var n [7]int64
	for i, at := range [...]int{1, 4, 5, 8, 9, 10, 11} {
		var err error
		if n[i], err = strconv.ParseInt(f[at], 10, 64); err != nil {
			return err
		}
	}
	r.last = Promise{Org: r.last.Org, Kind: f[0], Severity: Severity(n[0]), Say: f[2], From: store.Time(n[1]), By: store.Time(n[2]), Zone: f[6],
		Ladder: LadderRef{Name: f[7], Version: int(n[3])}, State: State(n[4]), Made: store.Time(n[5]), Closed: store.Time(n[6]), Reason: f[12]}
	if f[3] == "null" {
		return nil
	}
	return json.Unmarshal([]byte(f[3]), &r.last.Args)
}
