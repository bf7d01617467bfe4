package breath

import (
	"context"
	"encoding/json"
	"slices"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading/coherence"
	"doorstep/internal/reading/hrv"
	"doorstep/internal/store"
)

const columns = `id, number, began, pace, source, finding, by_person, batches, beats, beats_ms, ended_at, seconds, mean, best, share, heart_rate, rmssd, sdnn, artefacts,
	swing, settled, enough, points`

func scan(scan func(...any) error) (Session, error) {
	var x Session
	var began, finding, batches, ended, enough int64
	var by, points string
	var beatsMS int64
	err := scan(&x.ID, &x.number, &began, &x.Pace, &x.Source, &finding, &by, &batches, &x.beats, &beatsMS, &ended, &x.Seconds, &x.Mean, &x.Best, &x.Share, &x.HeartRate, &x.RMSSD, &x.SDNN,
		&x.Artefacts, &x.Trial.Swing, &x.Trial.Coherence, &enough, &points)
	if err != nil {
		return x, err
	}
	x.Began, x.Finding, x.By, x.batches, x.beatsMS = store.Time(began), finding == 1, person.ID(by), int(batches), float64(beatsMS)
	x.Ended = store.Time(ended)
	x.Trial.PerMinute, x.Trial.Enough = x.Pace, enough == 1
	if points != "" {
		err = json.Unmarshal([]byte(points), &x.Points)
	}
	return x, err
}

func one(tx *store.Tx, org, patient, id string) (Session, error) {
	list, err := store.All(tx, "SELECT "+columns+" FROM breath_session WHERE org = $1 AND patient = $2 AND id = $3", []any{org, patient, id}, scan)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such session.")
	}
	if err != nil {
		return Session{}, err
	}
	return list[0], nil
}

// Session answers a session; NotFound when there is none.
func (s *Service) Session(ctx context.Context, org person.OrgID, patient person.ID, id string) (x Session, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error { x, err = one(tx, string(org), string(patient), id); return err })
	return x, err
}

// Sessions answers a person's sessions that have ended and had beats, the latest first.
func (s *Service) Sessions(tx *store.Tx, org person.OrgID, patient person.ID, most int) ([]Session, error) {
	return store.All(tx, "SELECT "+columns+" FROM breath_session WHERE org = $1 AND patient = $2 AND ended_at > 0 AND seconds > 0 ORDER BY began DESC, id DESC LIMIT $3",
		[]any{string(org), string(patient), most}, scan)
}

// Own answers a person's own pace, and what has been tried towards a new one: since the last was found, and within two weeks.
func (s *Service) Own(tx *store.Tx, org person.OrgID, patient person.ID) (Own, error) {
	own, _, err := s.trials(tx, org, patient)
	return own, err
}

func (s *Service) trials(tx *store.Tx, org person.OrgID, patient person.ID) (own Own, trials []coherence.Trial, err error) {
	var found int64
	if _, err := tx.Row("SELECT pace, swing, found_at FROM breath_own WHERE org = $1 AND patient = $2", []any{string(org), string(patient)}, &own.Pace, &own.Swing, &found); err != nil {
		return own, nil, err
	}
	own.Found = store.Time(found)
	from := max(found, store.Micros(s.clock.Now().Add(-tryFor)))
	list, err := store.All(tx, "SELECT "+columns+" FROM breath_session WHERE org = $1 AND patient = $2 AND began >= $3 AND finding = 1 AND enough = 1 ORDER BY began DESC",
		[]any{string(org), string(patient), from}, scan)
	for _, x := range list {
		if !slices.Contains(own.Tried, x.Pace) { // a pace tried twice counts as it was the last time
			own.Tried, trials = append(own.Tried, x.Pace), append(trials, x.Trial)
		}
	}
	return own, trials, err
}

// sum works out the figures of the session's beats.
func (x *Session) sum(rr []float64) {
	x.Session, x.SDNN, x.Trial = coherence.Session{}, 0, coherence.Trial{PerMinute: x.Pace}
	if len(rr) < 3 {
		return // too few for any figure
	}
	x.Session = coherence.Sum(rr)
	fixed, _ := hrv.CorrectIntervals(rr)
	x.SDNN = hrv.InTime(fixed).SDNN
	if x.Finding {
		x.Trial = coherence.Try(x.Pace, rr)
	}
}

// save writes the figures of a session that ends; false when it has ended already, or another batch came.
func (s *Service) save(tx *store.Tx, org person.OrgID, patient person.ID, x *Session) (bool, error) {
	points := ""
	if len(x.Points) > 0 {
		b, err := json.Marshal(x.Points)
		if err != nil {
			return false, err
		}
		points = string(b)
	}
	n, err := tx.Exec(`UPDATE breath_session SET ended_at = $5, seconds = $6, mean = $7, best = $8, share = $9, heart_rate = $10, rmssd = $11, sdnn = $12, artefacts = $13,
		swing = $14, settled = $15, enough = $16, points = $17 WHERE org = $1 AND patient = $2 AND id = $3 AND batches = $4 AND ended_at = 0`,
		string(org), string(patient), x.ID, x.batches, store.Micros(x.Ended), x.Seconds, x.Mean, x.Best, x.Share, x.HeartRate, x.RMSSD, x.SDNN, x.Artefacts,
		x.Trial.Swing, x.Trial.Coherence, bit(x.Trial.Enough), points)
	return n == 1, err
}
