package reading_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// refusing fails for one person.
type refusing struct{ patient string }

func (f refusing) Stored(_ *store.Tx, _, patient string, _ []reading.Sample) error {
	if patient == f.patient {
		return errors.New("the ledger does not take it")
	}
	return nil
}
func (refusing) Alert(*store.Tx, reading.Alert) error { return nil }

// Many devices at once share transactions: each hears of its own readings only, what is acknowledged is stored, under the right
// person, and one that fails takes nobody with it.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(r *room) {
		const devices, rounds = 60, 8
		r.Listen(refusing{"person 7"})
		var list []reading.Device
		for i := range devices {
			d, _ := r.device("watch")
			r.assign(d, fmt.Sprint("person ", i), noon.AddDate(0, 0, -10), time.Time{})
			list = append(list, d)
		}
		var wg sync.WaitGroup
		for i, d := range list {
			wg.Go(func() {
				for round := range rounds {
					at := noon.Add(-time.Hour + time.Duration(round)*time.Minute)
					batch := []reading.Reading{pulse(round, at, 70+float64(round)), pulse(round, at, 70+float64(round)), {At: at}, weight(noon.AddDate(0, 0, -20), 80)}
					got, err := r.Ingest(context.Background(), d, batch)
					if i == 7 {
						if err == nil {
							r.Error("acknowledged what was not stored")
						}
						continue
					}
					if err != nil || got.Stored != 1 || got.Known != 1 || len(got.Refused) != 2 || got.Refused[0].Index != 2 || got.Refused[1].Index != 3 {
						r.Errorf("device %d, round %d: %+v %v", i, round, got, err)
					}
				}
			})
		}
		wg.Wait()
		for i, d := range list {
			got := r.samples(fmt.Sprint("person ", i), "8867-4")
			want := rounds
			if i == 7 {
				want = 0
			}
			if len(got) != want {
				r.Errorf("device %d: %d samples, want %d", i, len(got), want)
			}
			for _, s := range got {
				if s.Device != d.ID {
					r.Errorf("device %d: a sample of another device", i)
				}
			}
		}
		if q, err := r.Quarantined(r.Context(), org, 1000); err != nil || len(q) != devices-1 { // one each, however often it came
			r.Errorf("%d in quarantine, %v", len(q), err)
		}
	})
}
