package person

import (
	"context"
	"slices"
	"sync"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// May is the one rule of access: nil when the viewer may do what the right says for the patient, a Denied fault otherwise.
// Patients may do everything for themselves; caregivers what a live link says; staff everything but Manage within their
// teams (nurses and the desk Manage too); leaders and operators see no chart. It does not write the audit: Enter does.
func (s *Service) May(tx *store.Tx, v Viewer, right Right, patient ID) error {
	denied := fault.Deniedf("You do not have access to this person's pages.")
	switch {
	case v.Role == System:
		return nil
	case v.Person == patient && v.Role == Patient:
		return nil
	case v.Role.Staff():
		if right == Manage && v.Role == Clinician {
			return denied
		}
		var n int
		_, err := tx.Row(`SELECT COUNT(*) FROM membership a JOIN membership b ON b.org = a.org AND b.team = a.team
			WHERE a.org = $1 AND a.person = $2 AND b.person = $3`, []any{string(v.Org), string(v.Person), string(patient)}, &n)
		if err != nil || n > 0 {
			return err
		}
	case v.Role == Caregiver || v.Role == Patient: // a patient may be another's caregiver
		links, err := store.All(tx, `SELECT patient, caregiver, rights, relation, from_at, until_at, revoked_at, given_by FROM care_link
			WHERE org = $1 AND patient = $2 AND caregiver = $3`, []any{string(v.Org), string(patient), string(v.Person)}, scanLink)
		if err != nil {
			return err
		}
		for _, l := range links {
			if l.Live(s.clock.Now()) && slices.Contains(l.Rights, right) {
				return nil
			}
		}
	}
	return denied
}

// Enter checks May and writes down who looked at whose what, durably, before it answers. A refusal is written too. The same
// look repeated within a minute (a page that refreshes itself) is one line.
func (s *Service) Enter(ctx context.Context, v Viewer, right Right, patient ID, what string) error {
	var verdict error
	if err := s.DB.Read(ctx, func(tx *store.Tx) error {
		verdict = s.May(tx, v, right, patient)
		if verdict != nil && !fault.Is(verdict, fault.Denied) {
			return verdict
		}
		return nil
	}); err != nil {
		return err
	}
	now := s.clock.Now()
	key := look{v, patient, right, what, verdict == nil}
	if s.seen.lately(key, now) {
		return verdict
	}
	err := s.DB.Write(store.Essential(ctx), func(tx *store.Tx) error { return s.audit(tx, v, patient, string(right), what, verdict == nil) })
	if err != nil {
		return err
	}
	s.seen.note(key, now)
	return verdict
}

func (s *Service) audit(tx *store.Tx, v Viewer, patient ID, act, what string, allowed bool) error {
	yes := 0
	if allowed {
		yes = 1
	}
	who := string(v.Person)
	if v.Role == System {
		who = "system"
	}
	return tx.Later("INSERT INTO audit (org, patient, at, viewer, id, act, what, allowed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		string(v.Org), string(patient), store.Micros(s.clock.Now()), who, s.ids.New(), act, what, int64(yes))
}

// Audit writes down something done for a patient, within the transaction that does it.
func (s *Service) Audit(tx *store.Tx, v Viewer, patient ID, act, what string) error {
	return s.audit(tx, v, patient, act, what, true)
}

// AuditLine is one look at a patient's data, or one refusal.
type AuditLine struct {
	At      time.Time
	Viewer  ID
	Act     string
	What    string
	Allowed bool
}

// AuditOf answers who looked at a patient's data, the latest first, at most n lines.
func (s *Service) AuditOf(tx *store.Tx, org OrgID, patient ID, n int) ([]AuditLine, error) {
	return store.All(tx, "SELECT at, viewer, act, what, allowed FROM audit WHERE org = $1 AND patient = $2 ORDER BY at DESC, id DESC LIMIT $3",
		[]any{string(org), string(patient), n}, func(scan func(...any) error) (AuditLine, error) {
			var l AuditLine
			var at int64
			var yes int
			err := scan(&at, &l.Viewer, &l.Act, &l.What, &yes)
			l.At, l.Allowed = store.Time(at), yes == 1
			return l, err
		})
}

// look is one kind of look; seen remembers the minute in which it was last written down.
type look struct {
	v       Viewer
	patient ID
	right   Right
	what    string
	allowed bool
}

type seen struct {
	mu   sync.Mutex
	last map[look]time.Time
}

// seenMost bounds the memory of looks; past it they are forgotten, which only costs repeated audit lines.
const seenMost = 50_000

func newSeen() *seen { return &seen{last: map[look]time.Time{}} }

func (s *seen) lately(l look, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.last[l]
	return ok && now.Sub(at) < time.Minute
}

func (s *seen) note(l look, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.last) >= seenMost {
		clear(s.last)
	}
	s.last[l] = now
}
