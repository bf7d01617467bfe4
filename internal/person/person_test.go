package person_test

import (
	"fmt"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

const org = person.OrgID("elm")

var (
	rooms = []storetest.Room{{Name: "person", FS: person.Migrations}}
	start = time.Date(2026, 3, 2, 12, 30, 0, 0, time.UTC)
	all   = []person.Right{person.See, person.Act, person.Message, person.Manage}
)

type house struct {
	*testing.T
	*person.Service
	clock *clock.Sim
	ruth  person.Person
}

func each(t *testing.T, fn func(h *house)) {
	t.Parallel()
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		h := &house{T: t, clock: clock.NewSim(start)}
		h.Service = person.New(db, h.clock, clock.SeededIDs(h.clock, 1))
		h.ruth = h.enrol(person.Patient, "Ruth Abbott", "t")
		fn(h)
	})
}

func (h *house) write(fn func(tx *store.Tx) error) {
	h.Helper()
	if err := h.DB.Write(h.Context(), fn); err != nil {
		h.Fatal(err)
	}
}

func (h *house) enrol(role person.Role, name string, teams ...person.TeamID) (p person.Person) {
	h.Helper()
	h.write(func(tx *store.Tx) (err error) {
		p, err = h.Save(tx, person.Person{Org: org, Role: role, Name: name, BirthYear: 1947, Language: "en", Zone: "America/New_York", Teams: teams})
		return err
	})
	return p
}

func viewer(p person.Person) person.Viewer {
	return person.Viewer{Org: p.Org, Person: p.ID, Role: p.Role, Name: p.Name}
}

// The rule of access, for every role and relation: who may do what for Ruth.
func TestMay(t *testing.T) {
	each(t, func(h *house) {
		helper := func(name string, from, until time.Duration, revoke bool, rights ...person.Right) person.Viewer {
			p := h.enrol(person.Caregiver, name)
			h.write(func(tx *store.Tx) error {
				if err := h.Link(tx, org, person.CareLink{Patient: h.ruth.ID, Caregiver: p.ID, Rights: rights, From: start.Add(from), Until: start.Add(until)}); err != nil || !revoke {
					return err
				}
				return h.Unlink(tx, org, h.ruth.ID, p.ID)
			})
			return viewer(p)
		}
		const year = 365 * 24 * time.Hour
		walter := h.enrol(person.Patient, "Walter", "t")
		h.write(func(tx *store.Tx) error {
			return h.Link(tx, org, person.CareLink{Patient: h.ruth.ID, Caregiver: walter.ID, Rights: []person.Right{person.See}, From: start, Until: start.Add(year)})
		})
		elsewhere := viewer(h.ruth)
		elsewhere.Org, elsewhere.Role = "oak", person.Nurse
		for _, c := range []struct {
			name string
			v    person.Viewer
			may  []person.Right
		}{
			{"herself", viewer(h.ruth), all},
			{"nurse of the team", viewer(h.enrol(person.Nurse, "Dana", "t", "u")), all},
			{"desk of the team", viewer(h.enrol(person.Desk, "Omar", "t")), all},
			{"clinician of the team", viewer(h.enrol(person.Clinician, "Ama", "t")), all[:3]},
			{"nurse of another team", viewer(h.enrol(person.Nurse, "Eve", "u")), nil},
			{"desk without a team", viewer(h.enrol(person.Desk, "Max")), nil},
			{"clinician of another team", viewer(h.enrol(person.Clinician, "Ian", "u")), nil},
			{"leader", viewer(h.enrol(person.Leader, "Lee", "t")), nil},
			{"operator", viewer(h.enrol(person.Operator, "Kim", "t")), nil},
			{"nurse of another organization", elsewhere, nil},
			{"helper, live", helper("a", -time.Hour, year, false, person.See, person.Act), all[:2]},
			{"helper with everything", helper("b", 0, year, false, all...), all},
			{"helper, not yet", helper("c", time.Second, year, false, all...), nil},
			{"helper, run out", helper("d", -year, 0, false, all...), nil},
			{"helper, revoked", helper("e", -year, year, true, all...), nil},
			{"helper without rights", helper("f", -year, year, false), nil},
			{"a stranger who helps others", viewer(h.enrol(person.Caregiver, "g")), nil},
			{"another patient who helps her", viewer(walter), all[:1]},
			{"another patient", viewer(h.enrol(person.Patient, "Henry", "t")), nil},
			{"the server", person.SystemViewer(org), all},
			{"nobody", person.Viewer{Org: org}, nil},
		} {
			for _, right := range all {
				want := false
				for _, r := range c.may {
					want = want || r == right
				}
				err := h.Enter(t.Context(), c.v, right, h.ruth.ID, "page")
				if (err == nil) != want || err != nil && !fault.Is(err, fault.Denied) {
					t.Errorf("%s, %s: %v", c.name, right, err)
				}
			}
		}
	})
}

// Every look is written down, refusals too; the same look within a minute is one line.
func TestAudit(t *testing.T) {
	each(t, func(h *house) {
		dana, eve := viewer(h.enrol(person.Nurse, "Dana", "t")), viewer(h.enrol(person.Nurse, "Eve", "u"))
		look := func(v person.Viewer, what string) { h.Enter(t.Context(), v, person.See, h.ruth.ID, what) }
		for range 3 {
			look(dana, "today")
			look(eve, "today")
			h.clock.Advance(19 * time.Second)
		}
		look(dana, "numbers")
		h.clock.Advance(3 * time.Second)
		look(dana, "today") // a minute after the first
		var lines []person.AuditLine
		h.write(func(tx *store.Tx) (err error) { lines, err = h.AuditOf(tx, org, h.ruth.ID, 10); return err })
		got := ""
		for _, l := range lines {
			got += fmt.Sprintf("%v %s %v; ", l.Viewer == dana.Person, l.What, l.Allowed)
		}
		if len(lines) != 4 || lines[0].What != "today" || lines[1].What != "numbers" || lines[2].Allowed == lines[3].Allowed {
			t.Error(got)
		}
	})
}

// Five wrong years end a link; it ends by time; a session ends by time, by signing out, and with the person.
func TestSignIn(t *testing.T) {
	each(t, func(h *house) {
		link := func(purpose string) (secret string) {
			h.write(func(tx *store.Tx) (err error) {
				secret, err = h.NewLink(tx, person.Link{Org: org, Person: h.ruth.ID, Purpose: purpose})
				return err
			})
			return secret
		}
		denied := func(what, secret string, year int, kind fault.Kind) {
			t.Helper()
			if _, _, err := h.SignIn(t.Context(), secret, year); !fault.Is(err, kind) {
				t.Errorf("%s: %v, want %s", what, err, kind)
			}
		}
		wrong := link(person.SignInLink)
		for range 5 {
			denied("a wrong year", wrong, 1948, fault.Denied)
		}
		denied("the right year after five wrong ones", wrong, 1947, fault.NotFound)
		denied("a task's link", link(person.TaskLink), 1947, fault.NotFound)
		denied("no link", "nothing", 1947, fault.NotFound)
		late, good := link(person.SignInLink), link(person.SignInLink)
		var tokens []string
		for range 3 {
			token, v, err := h.SignIn(t.Context(), good, 1947)
			if err != nil || v.Person != h.ruth.ID {
				t.Fatal(v, err)
			}
			tokens = append(tokens, token)
		}
		v, err := h.Session(t.Context(), tokens[0])
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := h.SignOut(t.Context(), v); err != nil {
				t.Error(err)
			}
		}
		signed := func(token string) bool { _, err := h.Session(t.Context(), token); return err == nil }
		if signed(tokens[0]) || !signed(tokens[1]) || signed("nothing") {
			t.Error("signing out ends the one session")
		}
		h.clock.Set(start.Add(24 * time.Hour))
		denied("a day later", late, 1947, fault.NotFound)
		h.write(func(tx *store.Tx) error { return h.SignOutEverywhere(tx, org, h.ruth.ID) })
		if signed(tokens[1]) || signed(tokens[2]) {
			t.Error("signing out everywhere ends all sessions")
		}
	})
}

// The eleventh try in a quarter of an hour is refused; another key is not concerned.
func TestAttempt(t *testing.T) {
	each(t, func(h *house) {
		for i := range 12 {
			if err := h.Attempt(t.Context(), "a"); (err == nil) != (i < 10) || err != nil && !fault.Is(err, fault.TooMuch) {
				t.Errorf("try %d: %v", i+1, err)
			}
		}
		if err := h.Attempt(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		h.clock.Advance(15 * time.Minute)
		if err := h.Attempt(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	})
}

func TestPhone(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"(555) 010-0001": "+15550100001", "1 555 010 0001": "+15550100001", " +1.555.010.0001 ": "+15550100001", "+34 600 000 000": "+34600000000",
		"600 000 000": "", "+1234567": "", "+1234567890123456": "", "555-CALL": "", "": "", "+": "", "15550100001x2": "", "1+5550100001": ""} {
		if got, err := person.Phone(s); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
}

// Quiet hours across midnight, by day, none, and on the night that is an hour short.
func TestQuiet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to clock.Wall
		at       string // New York, with offset
		until    string // empty: not quiet
	}{
		{clock.WallAt(22, 30), clock.WallAt(7, 0), "2026-03-02T22:29:59-05:00", ""},
		{clock.WallAt(22, 30), clock.WallAt(7, 0), "2026-03-02T22:30:00-05:00", "2026-03-03T07:00:00-05:00"},
		{clock.WallAt(22, 30), clock.WallAt(7, 0), "2026-03-03T06:59:00-05:00", "2026-03-03T07:00:00-05:00"},
		{clock.WallAt(22, 30), clock.WallAt(7, 0), "2026-03-03T07:00:00-05:00", ""},
		{clock.WallAt(22, 30), clock.WallAt(7, 0), "2026-03-07T23:00:00-05:00", "2026-03-08T07:00:00-04:00"},
		{clock.WallAt(22, 30), clock.WallAt(2, 30), "2026-03-08T01:00:00-05:00", "2026-03-08T03:30:00-04:00"},
		{clock.WallAt(13, 0), clock.WallAt(14, 0), "2026-03-02T13:30:00-05:00", "2026-03-02T14:00:00-05:00"},
		{clock.WallAt(13, 0), clock.WallAt(14, 0), "2026-03-02T23:30:00-05:00", ""},
		{clock.WallAt(0, 0), clock.WallAt(0, 0), "2026-03-02T03:00:00-05:00", ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		p := person.Person{Zone: "America/New_York", QuietFrom: c.from, QuietTo: c.to}
		quiet, until := p.Quiet(at)
		if quiet != (c.until != "") || quiet && until.In(p.Location()).Format(time.RFC3339) != c.until {
			t.Errorf("%s–%s at %s: %v until %s, want %q", c.from, c.to, c.at, quiet, until.Format(time.RFC3339), c.until)
		}
	}
}

// STOP comes from a telephone: everyone who has the number is meant. Recipients tell that it is shared, the preferred first.
func TestConsentAndRecipients(t *testing.T) {
	each(t, func(h *house) {
		ids := []person.ID{h.ruth.ID, "gone"}
		for i := range 250 { // enough that a range of a shard is read at once somewhere
			ids = append(ids, h.enrol(person.Patient, fmt.Sprint("P", i), "t").ID)
		}
		set := func(c person.Contact) { h.write(func(tx *store.Tx) error { return h.SetContact(tx, org, c) }) }
		set(person.Contact{Person: h.ruth.ID, Rank: 1, Channel: person.SMS, Address: "555 010 0001", Consent: person.Given})
		set(person.Contact{Person: h.ruth.ID, Rank: 0, Channel: person.Mail, Address: " Ruth@Example.org", Consent: person.Given})
		set(person.Contact{Person: ids[2], Channel: person.SMS, Address: "+15550100001", Consent: person.Given})
		h.write(func(tx *store.Tx) error {
			return h.SetConsent(tx, org, person.SMS, "+15550100001", person.Withdrawn, "text STOP")
		})
		h.write(func(tx *store.Tx) error {
			got, err := h.Recipients(tx, org, ids)
			if err != nil || len(got) != len(ids)-1 {
				t.Errorf("%d of %d, %v", len(got), len(ids)-1, err)
				return err
			}
			r := got[h.ruth.ID]
			if len(r.Contacts) != 2 || r.Contacts[0].Address != "ruth@example.org" || r.Contacts[0].Consent != person.Given || r.Contacts[1].Consent != person.Withdrawn || r.Shared[0] || !r.Shared[1] {
				t.Errorf("%+v", r)
			}
			if other := got[ids[2]]; other.Contacts[0].Consent != person.Withdrawn {
				t.Errorf("%+v", other)
			}
			return nil
		})
	})
}
