package app

import (
	"strconv"
	"testing"

	"doorstep/internal/message"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// TestSpike is the morning in small: everybody is reminded once, and the ledger and the outbox are sound.
func TestSpike(t *testing.T) {
	const doses = 20_000
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		counter := &message.Counter{}
		s, err := NewSpike(t.Context(), db, doses, counter)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Go(t.Context()); err != nil {
			t.Fatal(err)
		}
		if counter.N != doses {
			t.Errorf("%d reminders were handed over, want %d", counter.N, doses)
		}
		var patients, sent, most int
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Row(`SELECT COUNT(*), COALESCE(SUM(sent), 0), COALESCE(MAX(n), 0) FROM
				(SELECT patient, COUNT(*) AS n, MAX(CASE WHEN state = `+strconv.Itoa(int(message.Sent))+` THEN 1 ELSE 0 END) AS sent FROM message GROUP BY patient) x`,
				nil, &patients, &sent, &most)
			return err
		})
		if err != nil || patients != doses || sent != doses || most != 1 {
			t.Errorf("%d patients have a message, %d of them sent, at most %d each (%v); want %d, %d, 1", patients, sent, most, err, doses, doses)
		}
		report, err := s.Promises.Check(t.Context())
		if err != nil || len(report.Faults) > 0 || report.Promises != doses || report.Events != 2*doses {
			t.Errorf("the ledger: %d promises, %d lines, faults %v, %v", report.Promises, report.Events, report.Faults[:min(len(report.Faults), 3)], err)
		}
		n, damaged, err := s.Messages.Check(t.Context())
		if err != nil || n != doses || len(damaged) > 0 {
			t.Errorf("the outbox: %d messages, damaged %v, %v", n, damaged, err)
		}
		if took, err := s.Plain(t.Context()); err != nil || took <= 0 {
			t.Errorf("plain inserts: %v, %v", took, err)
		}
	})
}
