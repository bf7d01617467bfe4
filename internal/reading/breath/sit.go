package breath

import (
	"context"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/coherence"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
)

// Add takes a batch and answers the figure of the last 64 seconds. A batch that came before changes nothing. One that came too
// early is a Conflict: Progress.Next says which is missing.
func (s *Service) Add(ctx context.Context, b Batch) (Progress, error) {
	if err := b.wrong(); err != nil {
		return Progress{}, err
	}
	org, patient := string(b.Org.ID), string(b.Patient)
	var now Session
	began := false
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
		if began, err = s.begin(tx, &b); err != nil {
			return err
		}
		fresh, err := tx.Exec(`UPDATE breath_session SET batches = batches + 1, heard_at = $5 WHERE org = $1 AND patient = $2 AND id = $3 AND batches = $4 AND ended_at = 0`,
			org, patient, b.Session, b.N, store.Micros(s.clock.Now()))
		if err != nil {
			return err
		}
		if now, err = one(tx, org, patient, b.Session); err != nil {
			return err
		}
		switch {
		case now.Pace != b.Pace || now.Source != b.Source || now.Finding != b.Finding:
			return fault.Conflictf("That session began in another way. Please start a new one.")
		case fresh == 1:
			return s.keep(tx, &b, &now)
		case b.N < now.batches:
			return nil // it came before
		case !now.Ended.IsZero():
			return fault.Conflictf("That session has ended. Please start a new one.")
		}
		return fault.Conflictf("A batch is missing before this one.")
	})
	p := Progress{Next: now.batches, Began: began && err == nil}
	if err != nil {
		return p, err
	}
	rr, err := s.beats(ctx, org, patient, &now)
	if err != nil {
		return p, err
	}
	for _, ms := range rr {
		p.Seconds += ms / 1000
	}
	p.Score = coherence.Live(rr)
	if b.Source != Page {
		p.RR = last(rr, coherence.Window)
	}
	return p, nil
}

// begin makes a session at its first batch, and tells whether it did.
func (s *Service) begin(tx *store.Tx, b *Batch) (bool, error) {
	org, patient := string(b.Org.ID), string(b.Patient)
	if b.N > 0 {
		return false, nil
	}
	if b.Source != Page {
		senders, err := s.readings.Senders(tx, org, patient, sample.RRInterval)
		if err != nil {
			return false, err
		}
		known := false
		for _, id := range senders {
			known = known || id == b.Source
		}
		if !known {
			return false, fault.Invalidf("source: it is no device of this person that sends beats")
		}
	}
	now := s.clock.Now()
	for range 3 { // two sessions that begin at once want the same number
		n, err := tx.Exec(`INSERT INTO breath_session (org, patient, id, number, began, pace, source, finding, by_person, batches, beats, beats_ms, heard_at, ended_at, seconds,
			mean, best, share, heart_rate, rmssd, sdnn, artefacts, swing, settled, enough, points)
			VALUES ($1, $2, $3, (SELECT COALESCE(MAX(number), 0) + 1 FROM breath_session WHERE org = $1 AND patient = $2), $4, $5, $6, $7, $8, 0, 0, 0, $9, 0, 0,
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '') ON CONFLICT DO NOTHING`,
			org, patient, b.Session, store.Micros(now.Add(-b.Ago).Truncate(time.Millisecond)), b.Pace, b.Source, bit(b.Finding), string(b.By), store.Micros(now))
		if err != nil || n == 1 {
			return n == 1, err
		}
		if _, err := one(tx, org, patient, b.Session); !fault.Is(err, fault.NotFound) {
			return false, err // it began before
		}
	}
	return false, fault.New(fault.Unavailable, "Please try again in a moment.")
}

func bit(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// keep stores the beats of a fresh batch as readings of the person.
func (s *Service) keep(tx *store.Tx, b *Batch, now *Session) error {
	if len(b.RR) == 0 {
		return nil
	}
	at, first := make([]float64, len(b.RR)), b.Ends // when each ended
	for i := len(b.RR) - 1; i >= 0; i-- {
		at[i] = first
		first -= b.RR[i]
	}
	if first < now.beatsMS-roundOff {
		return fault.Invalidf("ends_ms: these beats overlap those before")
	}
	batch := make([]reading.Reading, len(b.RR))
	for i, ms := range b.RR {
		batch[i] = reading.Reading{Seq: now.number*numbered + now.beats + int64(i), HasSeq: true, At: now.Began.Add(time.Duration(at[i] * float64(time.Millisecond))), Series: sample.RRInterval, Value: ms, Unit: "ms"}
	}
	now.beatsMS = b.Ends
	org, patient := string(b.Org.ID), string(b.Patient)
	if _, err := s.readings.Tell(tx, org, patient, Page, batch); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE breath_session SET beats = beats + $4, beats_ms = $5 WHERE org = $1 AND patient = $2 AND id = $3", org, patient, b.Session, len(b.RR), int64(b.Ends))
	return err
}

// beats answers the intervals of a session in ms, oldest first. What no heart can do is left out: there the strap did not hear.
func (s *Service) beats(ctx context.Context, org, patient string, x *Session) ([]float64, error) {
	mine := x.Source == Page
	to := x.Ended
	if mine {
		to = x.Began.Add(time.Duration(x.beatsMS+1000) * time.Millisecond)
	} else if to.IsZero() {
		to = x.Began.Add(Longest)
	}
	list, err := s.readings.Samples(ctx, org, patient, sample.RRInterval, x.Began, to)
	if err != nil {
		return nil, err
	}
	reading.AsTheyCame(list)
	var rr []float64
	for i := range list {
		one := &list[i]
		if one.Device == x.Source && !one.Flags.Has(reading.Impossible) && (!mine || one.Seq/numbered == x.number) {
			rr = append(rr, one.Value)
		}
	}
	return rr, nil
}

// last answers the intervals of the last seconds.
func last(rr []float64, seconds float64) []float64 {
	for i := len(rr) - 1; i >= 0; i-- {
		if seconds -= rr[i] / 1000; seconds <= 0 {
			return rr[i:]
		}
	}
	return rr
}

// Finish ends a session of which so many batches were sent, and answers its figures; one that has ended is answered as it is. While a
// batch is missing it is a Conflict.
func (s *Service) Finish(ctx context.Context, org person.OrgID, patient person.ID, id string, batches int) (Session, error) {
	x, err := s.Session(ctx, org, patient, id)
	if err != nil || !x.Ended.IsZero() {
		return x, err
	}
	if x.batches != batches {
		return x, fault.Conflictf("A batch is missing before this one.")
	}
	return s.end(ctx, org, patient, x)
}

// Next answers which batch a session expects.
func (s *Session) Next() int { return s.batches }

// end works a session's figures out and keeps them, unless another batch comes meanwhile.
func (s *Service) end(ctx context.Context, org person.OrgID, patient person.ID, x Session) (Session, error) {
	x.Ended = s.clock.Now().Truncate(time.Millisecond)
	rr, err := s.beats(ctx, string(org), string(patient), &x)
	if err != nil {
		return x, err
	}
	x.sum(rr)
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		ended, err := s.save(tx, org, patient, &x)
		if err != nil || !ended {
			return err
		}
		tx.Hint("patient", string(org)+"/"+string(patient))
		if x.Finding {
			if err := s.choose(tx, org, patient); err != nil {
				return err
			}
		}
		return s.publish(tx, org, patient, &x)
	})
	if err != nil {
		return x, err
	}
	return s.Session(ctx, org, patient, x.ID)
}

// CloseIdle ends the sessions that nobody has ended: the page was closed, or lost its network for good. It answers how many.
func (s *Service) CloseIdle(ctx context.Context) (int, error) {
	type key struct {
		org     person.OrgID
		patient person.ID
		id      string
	}
	var due []key
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, "SELECT org, patient, id FROM breath_session WHERE ended_at = 0 AND heard_at < $1 ORDER BY heard_at LIMIT 1000",
			[]any{store.Micros(s.clock.Now().Add(-idle))}, func(scan func(...any) error) (k key, err error) {
				var org, patient string
				err = scan(&org, &patient, &k.id)
				k.org, k.patient = person.OrgID(org), person.ID(patient)
				return k, err
			})
		return err
	})
	if err != nil {
		return 0, err
	}
	for i, k := range due {
		x, err := s.Session(ctx, k.org, k.patient, k.id)
		if err != nil {
			return i, err
		}
		if _, err := s.end(ctx, k.org, k.patient, x); err != nil {
			return i, err
		}
	}
	return len(due), nil
}

// choose keeps the best pace as the person's own once all have been tried.
func (s *Service) choose(tx *store.Tx, org person.OrgID, patient person.ID) error {
	had, trials, err := s.trials(tx, org, patient)
	if err != nil || len(had.Left()) > 0 {
		return err
	}
	best, ok := coherence.Best(trials)
	if !ok {
		return nil
	}
	_, err = tx.Exec(`INSERT INTO breath_own (org, patient, pace, swing, found_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org, patient) DO UPDATE SET pace = excluded.pace, swing = excluded.swing, found_at = excluded.found_at`,
		string(org), string(patient), best.PerMinute, best.Swing, store.Micros(s.clock.Now()))
	return err
}
