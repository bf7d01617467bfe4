package reading

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

// SetRule puts a new version of a person's rule in force from now on and answers it, with what it would have raised on the person's
// past: no rule is switched on untried. With an empty ID it is a new rule. The version before stays as it was: what it raised can be
// replayed.
func (s *Service) SetRule(tx *store.Tx, r Rule) (Rule, error) {
	if err := r.Rule.Validate(); err != nil {
		return Rule{}, err
	}
	if r.Org == "" || r.Patient == "" {
		return Rule{}, fault.Invalidf("patient: a rule needs a person")
	}
	if err := lock(tx, owner{r.Org, r.Patient}); err != nil {
		return Rule{}, err
	}
	if r.ID == "" {
		r.ID = s.ids.New()
	}
	r.From, r.Until = s.clock.Now(), time.Time{}
	var newest int64
	if _, err := tx.Row("SELECT COALESCE(MAX(version), 0) FROM reading_rule WHERE org = $1 AND patient = $2 AND id = $3", []any{r.Org, r.Patient, r.ID}, &newest); err != nil {
		return Rule{}, err
	}
	r.Version = int(newest) + 1
	if err := s.endRule(tx, r.Org, r.Patient, r.ID); err != nil {
		return Rule{}, err
	}
	trial, err := s.Try(tx, r.Org, r.Patient, []rule.Rule{r.Rule})
	if err != nil {
		return Rule{}, err
	}
	r.Tested = &trial
	doc, err := json.Marshal(r.Rule)
	if err != nil {
		return Rule{}, err
	}
	tested, err := json.Marshal(r.Tested)
	if err != nil {
		return Rule{}, err
	}
	if _, err = tx.Exec("INSERT INTO reading_rule (org, patient, id, version, series, missing_us, doc, from_at, until_at, tested) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)",
		r.Org, r.Patient, r.ID, r.Version, r.Series, r.Missing.Microseconds(), string(doc), store.Micros(r.From), string(tested)); err != nil {
		return Rule{}, err
	}
	w := watched{Rule: r}
	if w.state, err = s.warm(tx, r); err != nil {
		return Rule{}, err
	}
	return r, s.saveState(tx, &w, 0, 0)
}

// Adopt puts a set of rules in force together, under the name that they carry. Rules in force under that name that are not in the set
// end; those that are in force already, word for word, stay as they are. It answers the set as it is in force.
func (s *Service) Adopt(tx *store.Tx, org, patient, name string, rules []rule.Rule) ([]Rule, error) {
	had, err := s.inForce(tx, org, patient)
	if err != nil {
		return nil, err
	}
	var out []Rule
	for _, want := range rules {
		want.Name = name
		same := func(r Rule) bool { return r.Name == name && reflect.DeepEqual(r.Rule, want) }
		if i := slices.IndexFunc(had, same); i >= 0 {
			out = append(out, had[i])
			had = slices.Delete(had, i, i+1)
			continue
		}
		r, err := s.SetRule(tx, Rule{Org: org, Patient: patient, Rule: want})
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	for _, r := range had {
		if r.Name == name {
			if err := s.EndRule(tx, org, patient, r.ID); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// inForce answers a person's rules that are in force.
func (s *Service) inForce(tx *store.Tx, org, patient string) ([]Rule, error) {
	return store.All(tx, "SELECT patient, id, version, doc, from_at, until_at, tested FROM reading_rule WHERE org = $1 AND patient = $2 AND until_at = 0 ORDER BY id",
		[]any{org, patient}, func(scan func(...any) error) (Rule, error) { return scanRule(org, scan) })
}

// EndRule takes a rule out of force from now on.
func (s *Service) EndRule(tx *store.Tx, org, patient, id string) error {
	return s.endRule(tx, org, patient, id)
}

func (s *Service) endRule(tx *store.Tx, org, patient, id string) error {
	_, err := tx.Exec("UPDATE reading_rule SET until_at = $4 WHERE org = $1 AND patient = $2 AND id = $3 AND until_at = 0", org, patient, id, store.Micros(s.clock.Now()))
	return err
}

// Rules answers every version of every rule of a person, in force or not, in order.
func (s *Service) Rules(ctx context.Context, org, patient string) (out []Rule, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT patient, id, version, doc, from_at, until_at, tested FROM reading_rule WHERE org = $1 AND patient = $2 ORDER BY id, version",
			[]any{org, patient}, func(scan func(...any) error) (Rule, error) { return scanRule(org, scan) })
		return err
	})
	return out, err
}

func scanRule(org string, scan func(...any) error, more ...any) (Rule, error) {
	r := Rule{Org: org}
	var doc, tested string
	var from, until int64
	if err := scan(append([]any{&r.Patient, &r.ID, &r.Version, &doc, &from, &until, &tested}, more...)...); err != nil {
		return r, err
	}
	if tested != "" {
		r.Tested = &Trial{}
		if err := json.Unmarshal([]byte(tested), r.Tested); err != nil {
			return r, err
		}
	}
	r.From, r.Until = store.Time(from), store.Time(until)
	return r, json.Unmarshal([]byte(doc), &r.Rule)
}

// watched is a rule in force with what it knows.
type watched struct {
	Rule
	state          rule.State
	packed         []byte
	lateAt, silent int64
}

const watchedSQL = `SELECT r.patient, r.id, r.version, r.doc, r.from_at, r.until_at, r.tested, COALESCE(s.state, $1), COALESCE(s.late_at, 0), COALESCE(s.silent_at, 0)
	FROM reading_rule r LEFT JOIN rule_state s ON s.org = r.org AND s.patient = r.patient AND s.id = r.id AND s.version = r.version
	WHERE r.until_at = 0 AND r.org = $2 `

func scanWatched(org string, scan func(...any) error) (watched, error) {
	w := watched{}
	var err error
	if w.Rule, err = scanRule(org, scan, &w.packed, &w.lateAt, &w.silent); err != nil {
		return w, err
	}
	return w, w.state.UnmarshalBinary(w.packed)
}

// judge holds fresh samples, in the order of measurement, against the person's rules.
func (s *Service) judge(tx *store.Tx, org, patient string, now time.Time, fresh []Sample) error {
	rules, err := store.All(tx, watchedSQL+"AND r.patient = $3 ORDER BY r.id", []any{[]byte{}, org, patient},
		func(scan func(...any) error) (watched, error) { return scanWatched(org, scan) })
	if err != nil {
		return err
	}
	for i := range rules {
		if err := s.watch(tx, &rules[i], now, fresh); err != nil {
			return err
		}
	}
	return nil
}

// found is the episodes of one batch, summed up: those measured just now and those that came late.
type found struct {
	first, worst rule.Episode
	device       string // that sent the worst
	n            int
}

func (f *found) add(e rule.Episode, device string) {
	if f.n == 0 {
		f.first, f.worst, f.device = e, e, device
	}
	if f.n++; float64(e.Side)*(e.Value-e.Limit) > float64(f.worst.Side)*(f.worst.Value-f.worst.Limit) {
		f.worst, f.device = e, device
	}
}

// watch judges samples by one rule and raises at most two alerts: one for what is going on now, one that sums up what came
// late. Samples older than those judged already are judged by themselves and do not disturb the present.
func (s *Service) watch(tx *store.Tx, w *watched, now time.Time, fresh []Sample) error {
	var present, late found
	var past rule.State
	suppressed := now.UnixMicro()-w.lateAt < lateSummary.Microseconds() && w.lateAt != 0
	silent := w.silent
	openLate := false // the open episode began late: should it go on into the present, that is told of anew
	for i := range fresh {
		one := &fresh[i]
		if !w.Looks(one.Series) || !judged(one) {
			continue
		}
		if one.Series == w.Series {
			silent = 0
		}
		at := one.now()
		if openLate && now.Sub(at) <= lateAfter {
			w.state.Open, openLate = false, false
		}
		state := &w.state
		if state.Behind(&w.Rule.Rule, one.Series, at) {
			state = &past
		}
		e, ok := state.Step(&w.Rule.Rule, one.Series, at, one.Value)
		switch {
		case !ok:
		case one.Imported() && e.At.Before(w.From): // the past before the rule: its trial's matter, not news
		case now.Sub(e.At) > lateAfter:
			late.add(e, one.Device)
			openLate = openLate || w.state.Open
		default:
			present.add(e, one.Device)
		}
	}
	if openLate {
		w.state.Open = false
	}
	lateAt := w.lateAt
	if late.n > 0 && !suppressed {
		lateAt = now.UnixMicro()
		if err := s.raise(tx, w, now, late, true); err != nil {
			return err
		}
	}
	if present.n > 0 {
		if err := s.raise(tx, w, now, present, false); err != nil {
			return err
		}
	}
	return s.saveState(tx, w, lateAt, silent)
}

func (s *Service) saveState(tx *store.Tx, w *watched, lateAt, silent int64) error {
	packed, err := w.state.AppendBinary(nil)
	if err != nil || string(packed) == string(w.packed) && lateAt == w.lateAt && silent == w.silent {
		return err
	}
	_, err = tx.Exec(`INSERT INTO rule_state (org, patient, id, version, state, late_at, silent_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org, patient, id, version) DO UPDATE SET state = excluded.state, late_at = excluded.late_at, silent_at = excluded.silent_at`,
		w.Org, w.Patient, w.ID, w.Version, packed, lateAt, silent)
	return err
}

func (s *Service) raise(tx *store.Tx, w *watched, now time.Time, f found, late bool) error {
	e := f.worst
	return s.alert(tx, Alert{ID: s.ids.New(), Org: w.Org, Patient: w.Patient, Rule: w.ID, Version: w.Version, Kind: "limit", Series: w.Series, Severity: w.Severity,
		Began: f.first.Began, At: e.At, Raised: now, Value: e.Value, Limit: e.Limit, Above: e.Side > 0, Late: late, Episodes: f.n,
		Name: w.Name, Device: f.device, Missing: e.Missing})
}

func (s *Service) alert(tx *store.Tx, a Alert) error {
	doc, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO reading_alert (org, patient, id, rule, version, raised_at, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		a.Org, a.Patient, a.ID, a.Rule, a.Version, store.Micros(a.Raised), string(doc)); err != nil {
		return err
	}
	for _, l := range s.listeners {
		if err := l.Alert(tx, a); err != nil {
			return err
		}
	}
	tx.Hint("patient", a.Org+"/"+a.Patient)
	tx.Hint("desk", a.Org)
	return nil
}

// Alerts answers what a person's rules have raised, oldest first.
func (s *Service) Alerts(ctx context.Context, org, patient string) (out []Alert, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = store.All(tx, "SELECT doc FROM reading_alert WHERE org = $1 AND patient = $2 ORDER BY id", []any{org, patient},
			func(scan func(...any) error) (a Alert, err error) {
				var doc string
				if err = scan(&doc); err == nil {
					err = json.Unmarshal([]byte(doc), &a)
				}
				return a, err
			})
		return err
	})
	return out, err
}

// Sweep looks for silence: it raises an alert for every rule of an organization whose signal has been missing for too
// long, once per silence, and answers how many. There need never have been any reading. Call it every minute or so.
func (s *Service) Sweep(ctx context.Context, org string) (int, error) {
	now := s.clock.Now()
	var due []watched
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		all, err := store.All(tx, watchedSQL+"AND r.missing_us > 0 ORDER BY r.patient, r.id", []any{[]byte{}, org},
			func(scan func(...any) error) (watched, error) { return scanWatched(org, scan) })
		for _, w := range all {
			if w.silent == 0 {
				due = append(due, w)
			}
		}
		return err
	}); err != nil {
		return 0, err
	}
	raised := 0
	for _, w := range due {
		fired := false
		if err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
			fired, err = s.sweep(tx, w.Rule, now)
			return err
		}); err != nil {
			return raised, err
		}
		if fired {
			raised++
		}
	}
	return raised, nil
}

// sweep looks again at one rule, inside the transaction that tells of its silence.
func (s *Service) sweep(tx *store.Tx, r Rule, now time.Time) (bool, error) {
	seen, ok, err := s.LastSeen(tx, r.Org, r.Patient, r.Series)
	if err != nil || !r.Silent(now, r.From, seen, ok) {
		return false, err
	}
	if err := lock(tx, owner{r.Org, r.Patient}); err != nil {
		return false, err
	}
	list, err := store.All(tx, watchedSQL+"AND r.patient = $3 AND r.id = $4", []any{[]byte{}, r.Org, r.Patient, r.ID},
		func(scan func(...any) error) (watched, error) { return scanWatched(r.Org, scan) })
	if err != nil || len(list) != 1 || list[0].Version != r.Version || list[0].silent != 0 {
		return false, err
	}
	began := r.From
	if ok && seen.After(began) {
		began = seen
	}
	if err := s.saveState(tx, &list[0], list[0].lateAt, store.Micros(now)); err != nil {
		return false, err
	}
	return true, s.alert(tx, Alert{ID: s.ids.New(), Org: r.Org, Patient: r.Patient, Rule: r.ID, Version: r.Version, Kind: "silence", Series: r.Series, Severity: r.Severity,
		Began: began, At: began.Add(r.Missing), Raised: now, Episodes: 1, Name: r.Name})
}
