package waiting

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// asksFor is how long a question which visit somebody has come for can be answered.
const asksFor = 12 * time.Hour

// AskHere is what the question says; its answers come to Reply.
const AskHere = "wait.which"

// Here takes a text that says "I am here" from an address about these people. With one visit near, she is checked in; with more, each is
// asked about with a code of its own, so that nothing is guessed; with none it is not for this room (ok is false): a person reads it.
func (s *Service) Here(tx *store.Tx, org person.OrgID, by person.ID, about []person.ID) (patient person.ID, say string, args map[string]string, ok bool, err error) {
	now := s.clock.Now()
	var near []Visit
	slices.Sort(about)
	for _, p := range slices.Compact(about) {
		list, err := s.visits.VisitsOf(tx, org, p, now.Add(-missed), now.Add(opens))
		if err != nil {
			return "", "", nil, false, err
		}
		for _, v := range list {
			if v.Comes && (s.CanCheckIn(v) || v.Arrived) {
				near = append(near, v)
			}
		}
	}
	slices.SortStableFunc(near, func(a, b Visit) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	switch len(near) {
	case 0:
		return "", "", nil, false, nil
	case 1:
		say, args, err = s.herself(tx, person.Viewer{Org: org, Person: by, Role: person.Patient}, near[0])
		return near[0].Patient, say, args, true, err
	}
	for _, v := range near {
		if v.Arrived {
			continue
		}
		p, err := s.people.Get(tx, org, v.Patient)
		if err != nil {
			return "", "", nil, true, err
		}
		if _, err := tx.Exec("INSERT INTO here_asked (org, visit, at) VALUES ($1, $2, $3) ON CONFLICT (org, visit) DO UPDATE SET at = excluded.at", string(org), v.ID, store.Micros(now)); err != nil {
			return "", "", nil, true, err
		}
		if err := s.messages.Say(tx, message.Draft{Org: org, Patient: v.Patient, To: "person:" + string(by), At: now, Key: "here/" + v.ID + "/" + now.Format(time.RFC3339), Say: AskHere, Ask: true,
			Args: map[string]string{"time": v.Start.Format(time.RFC3339), "called": p.Called}, Promises: []string{v.Promise}, Severity: message.Urgent, Channels: []person.Channel{person.SMS},
			Useful: now.Add(time.Hour)}); err != nil {
			return "", "", nil, true, err
		}
	}
	return "", "", nil, true, nil
}

// herself checks somebody in who texted, and answers what she is told.
func (s *Service) herself(tx *store.Tx, v person.Viewer, b Visit) (string, map[string]string, error) {
	x, err := s.CheckInTx(tx, v, b.Org, b.ID, Arrival{By: ByText, Waits: Car})
	if err != nil {
		return "", nil, err
	}
	if !x.Told.Known() || !x.State.Open() {
		return "wait.here.unknown", nil, nil
	}
	low, high := x.Told.Minutes(x.Told.At)
	return "wait.here", map[string]string{"low": strconv.Itoa(low), "high": strconv.Itoa(high), "next": x.Told.Next.Format(time.RFC3339)}, nil
}

// Asked reports whether a question which visit somebody has come for still waits for an answer.
func (s *Service) Asked(tx *store.Tx, p promise.Promise) (bool, error) {
	var at int64
	ok, err := tx.Row("SELECT at FROM here_asked WHERE org = $1 AND visit = $2", []any{string(p.Org), p.About}, &at)
	if err != nil || !ok || s.clock.Now().Sub(store.Time(at)) > asksFor {
		return false, err
	}
	v, err := s.visits.Visit(tx, p.Org, p.About)
	return v.Booked, err
}

// Reply takes the answer to the question which visit somebody has come for: 1 yes, 2 no.
func (s *Service) Reply(tx *store.Tx, ans message.Answer, p promise.Promise) (string, map[string]string, error) {
	v, err := s.visits.Visit(tx, p.Org, p.About)
	if err != nil {
		return "", nil, err
	}
	if ans.Number != 1 {
		return "wait.nothere", nil, nil
	}
	if !v.Arrived && !s.CanCheckIn(v) {
		return "closed", nil, nil
	}
	return s.herself(tx, person.Viewer{Org: ans.Org, Person: ans.By, Role: person.Patient}, v)
}
