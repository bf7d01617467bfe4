package reading

import (
	"cmp"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// Tell stores readings of a person that no assigned device sent, in the caller's transaction: what a page measured while the person
// used it. source stands where a device's id would, and is none's. What is told twice is known. A reading that cannot be used
// refuses them all.
func (s *Service) Tell(tx *store.Tx, org, patient, source string, batch []Reading) (Receipt, error) {
	if len(batch) > maxBatch {
		return Receipt{}, fault.New(fault.TooMuch, "more than %d readings in one request", maxBatch)
	}
	now := s.clock.Now().Truncate(time.Millisecond)
	d := &delivery{dev: Device{ID: source, Org: org}, came: make([]arrived, len(batch)), receipt: Receipt{Refused: []Refusal{}}}
	p := &fellow{owner: owner{org, patient}, ruled: true}
	for i := range batch {
		if reason := batch[i].wrong(); reason != "" {
			return Receipt{}, fault.Invalidf("%s", reason)
		}
		d.came[i] = arrived{d, i, asSample(&d.dev, &batch[i], now)}
		p.came = append(p.came, &d.came[i])
	}
	if len(batch) == 0 {
		return d.receipt, nil
	}
	in := ingestion{s: s, tx: tx, now: now, people: map[owner]*fellow{p.owner: p}}
	err := in.store([]owner{p.owner})
	return d.receipt, err
}

// Senders answers the devices that a person has now and that have sent a series by themselves, the one that sent last first.
func (s *Service) Senders(tx *store.Tx, org, patient, series string) ([]string, error) {
	return store.All(tx, `SELECT s.device FROM stream s JOIN assignment a ON a.org = s.org AND a.device = s.device AND a.patient = s.patient
		WHERE s.org = $1 AND s.patient = $2 AND s.series = $3 AND a.from_at <= $4 AND (a.until_at = 0 OR a.until_at > $4)
		AND s.device NOT LIKE $5 ORDER BY s.seen_at DESC, s.device`,
		[]any{org, patient, series, store.Micros(s.clock.Now()), importPrefix + "%"}, func(scan func(...any) error) (id string, err error) { return id, scan(&id) })
}

// AsTheyCame sorts one device's samples of a series as they were sent: by sequence number where they have one, else by when they
// reached us, those that came together by measurement. A time that was told by the arrival of a message may be out of order.
func AsTheyCame(list []Sample) {
	slices.SortStableFunc(list, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), a.Received.Compare(b.Received), a.At.Compare(b.At))
	})
}
