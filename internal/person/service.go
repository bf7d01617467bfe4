package person

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/store"
)

// Service owns the tables of people.
type Service struct {
	DB    *store.DB
	clock clock.Clock
	ids   *clock.IDs
	seen  *seen
}

// New answers the service.
func New(db *store.DB, c clock.Clock, ids *clock.IDs) *Service {
	return &Service{DB: db, clock: c, ids: ids, seen: newSeen()}
}

// SaveOrg makes an organization, or changes it.
func (s *Service) SaveOrg(tx *store.Tx, o Org) error {
	if o.Name == "" {
		return fault.Invalidf("The organization needs a name.")
	}
	if _, err := clock.Zone(o.Zone); err != nil {
		return fault.Invalidf("%q is not a time zone (want one like America/New_York).", o.Zone)
	}
	if o.Language != "es" {
		o.Language = "en"
	}
	_, err := tx.Exec(`INSERT INTO org (id, name, zone, language, phone, settings, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, zone = excluded.zone, language = excluded.language, phone = excluded.phone,
		settings = excluded.settings`, string(o.ID), o.Name, o.Zone, o.Language, o.Phone, o.Settings, store.Micros(s.clock.Now()))
	return err
}

// Org answers an organization.
func (s *Service) Org(tx *store.Tx, id OrgID) (Org, error) {
	read, err := s.OrgLater(tx, id)
	if err == nil {
		err = tx.Flush()
	}
	if err != nil {
		return Org{ID: id}, err
	}
	return read()
}

// OrgLater is Org, whose answer is there after the transaction's next call or Flush.
func (s *Service) OrgLater(tx *store.Tx, id OrgID) (func() (Org, error), error) {
	o, found := Org{ID: id}, false
	err := tx.RowsLater("SELECT name, zone, language, phone, settings FROM org WHERE id = $1", []any{string(id)}, func(scan func(...any) error) error {
		found = true
		return scan(&o.Name, &o.Zone, &o.Language, &o.Phone, &o.Settings)
	})
	return func() (Org, error) {
		if !found {
			return o, fault.NotFoundf("There is no such organization.")
		}
		return o, nil
	}, err
}

// Orgs answers the organizations of this server, oldest first.
func (s *Service) Orgs(tx *store.Tx) ([]Org, error) {
	return store.All(tx, "SELECT id, name, zone, language, phone, settings FROM org ORDER BY made_at, id", nil, func(scan func(...any) error) (Org, error) {
		var o Org
		return o, scan(&o.ID, &o.Name, &o.Zone, &o.Language, &o.Phone, &o.Settings)
	})
}

// SaveTeam makes a team or renames it.
func (s *Service) SaveTeam(tx *store.Tx, org OrgID, t Team) error {
	if t.Name == "" {
		return fault.Invalidf("The team needs a name.")
	}
	_, err := tx.Exec("INSERT INTO team (org, id, name) VALUES ($1, $2, $3) ON CONFLICT (org, id) DO UPDATE SET name = excluded.name",
		string(org), string(t.ID), t.Name)
	return err
}

// Teams answers the organization's teams by name.
func (s *Service) Teams(tx *store.Tx, org OrgID) ([]Team, error) {
	return store.All(tx, "SELECT id, name FROM team WHERE org = $1 ORDER BY name, id", []any{string(org)}, func(scan func(...any) error) (Team, error) {
		var t Team
		return t, scan(&t.ID, &t.Name)
	})
}

// SavePlace makes a place or changes it.
func (s *Service) SavePlace(tx *store.Tx, org OrgID, p Place) error {
	if p.Name == "" {
		return fault.Invalidf("The place needs a name.")
	}
	if err := p.Validate(); err != nil {
		return err
	}
	_, err := tx.Exec(`INSERT INTO place (org, id, name, address, zone, phone, lat, lon) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org, id) DO UPDATE SET name = excluded.name, address = excluded.address, zone = excluded.zone, phone = excluded.phone,
		lat = excluded.lat, lon = excluded.lon`,
		string(org), p.ID, p.Name, p.Address, p.Zone, p.Phone, p.Lat, p.Lon)
	return err
}

// Places answers the organization's places by name.
func (s *Service) Places(tx *store.Tx, org OrgID) ([]Place, error) {
	return store.All(tx, "SELECT id, name, address, zone, phone, lat, lon FROM place WHERE org = $1 ORDER BY name, id", []any{string(org)}, func(scan func(...any) error) (Place, error) {
		var p Place
		return p, scan(&p.ID, &p.Name, &p.Address, &p.Zone, &p.Phone, &p.Lat, &p.Lon)
	})
}

// Save makes a person or changes one; an empty ID is given a new one. Routine, DayStart and quiet hours left at zero get the
// usual ones when the person is new.
func (s *Service) Save(tx *store.Tx, p Person) (Person, error) {
	if p.ID == "" {
		p.ID = ID(s.ids.New())
		if p.Routine == (Routine{}) {
			p.Routine = UsualRoutine
		}
		if p.DayStart == 0 {
			p.DayStart = clock.WallAt(3, 0)
		}
		if p.QuietFrom == 0 && p.QuietTo == 0 {
			// A dose at bedtime may still be reminded of.
			p.QuietFrom, p.QuietTo = (p.Routine.Bed+30)%(24*60), p.Routine.Wake
		}
		p.Active = true
	}
	if p.Called == "" {
		p.Called, _, _ = strings.Cut(p.Name, " ")
	}
	if err := p.Validate(); err != nil {
		return p, err
	}
	routine, err := json.Marshal(p.Routine)
	if err != nil {
		return p, err
	}
	active := 0
	if p.Active {
		active = 1
	}
	_, err = tx.Exec(`INSERT INTO person (org, shard, id, role, name, called, birth_year, language, zone, routine, day_start, quiet_from, quiet_to, record, active, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (org, id) DO UPDATE SET role = excluded.role, name = excluded.name, called = excluded.called, birth_year = excluded.birth_year,
		language = excluded.language, zone = excluded.zone, routine = excluded.routine, day_start = excluded.day_start,
		quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, record = excluded.record, active = excluded.active`,
		string(p.Org), Shard(p.ID), string(p.ID), string(p.Role), p.Name, p.Called, p.BirthYear, p.Language, p.Zone, string(routine), int(p.DayStart),
		int(p.QuietFrom), int(p.QuietTo), p.Record, active, store.Micros(s.clock.Now()))
	if err != nil {
		return p, err
	}
	if _, err := tx.Exec("DELETE FROM membership WHERE org = $1 AND person = $2", string(p.Org), string(p.ID)); err != nil {
		return p, err
	}
	for _, team := range p.Teams {
		if _, err := tx.Exec("INSERT INTO membership (org, person, team) VALUES ($1, $2, $3)", string(p.Org), string(p.ID), string(team)); err != nil {
			return p, err
		}
	}
	tx.Hint("patient", string(p.Org)+"/"+string(p.ID))
	return p, nil
}

const personColumns = "org, id, role, name, called, birth_year, language, zone, routine, day_start, quiet_from, quiet_to, record, active"

var joinedColumns = "p." + strings.ReplaceAll(personColumns, ", ", ", p.")

func scanPerson(scan func(...any) error) (Person, error) {
	var p Person
	var routine string
	var active int
	err := scan(&p.Org, &p.ID, &p.Role, &p.Name, &p.Called, &p.BirthYear, &p.Language, &p.Zone, &routine, &p.DayStart, &p.QuietFrom, &p.QuietTo, &p.Record, &active)
	if err == nil {
		err = json.Unmarshal([]byte(routine), &p.Routine)
	}
	p.Active = active == 1
	return p, err
}

func (s *Service) people(tx *store.Tx, where string, args ...any) ([]Person, error) {
	people, err := store.All(tx, "SELECT "+personColumns+" FROM person WHERE "+where, args, scanPerson)
	if err != nil {
		return nil, err
	}
	for i := range people {
		p := &people[i]
		p.Teams, err = store.All(tx, "SELECT team FROM membership WHERE org = $1 AND person = $2 ORDER BY team", []any{string(p.Org), string(p.ID)},
			func(scan func(...any) error) (t TeamID, err error) { return t, scan(&t) })
		if err != nil {
			return nil, err
		}
	}
	return people, nil
}

// Get answers one person.
func (s *Service) Get(tx *store.Tx, org OrgID, id ID) (Person, error) {
	read, err := s.GetLater(tx, org, id)
	if err == nil {
		err = tx.Flush()
	}
	if err != nil {
		return Person{}, err
	}
	return read()
}

// GetLater is Get, whose answer is there after the transaction's next call or Flush.
func (s *Service) GetLater(tx *store.Tx, org OrgID, id ID) (func() (Person, error), error) {
	var p Person
	found := false
	err := tx.RowsLater("SELECT "+joinedColumns+`, COALESCE(m.team, '') FROM person p LEFT JOIN membership m ON m.org = p.org AND m.person = p.id
		WHERE p.org = $1 AND p.shard = $2 AND p.id = $3 ORDER BY m.team`, []any{string(org), Shard(id), string(id)}, func(scan func(...any) error) error {
		var team TeamID
		next, err := scanPerson(func(dest ...any) error { return scan(append(dest, &team)...) })
		if !found {
			p, found = next, true
		}
		if team != "" {
			p.Teams = append(p.Teams, team)
		}
		return err
	})
	return func() (Person, error) {
		if !found {
			return Person{}, fault.NotFoundf("There is no such person here.")
		}
		return p, nil
	}, err
}

// ByRecord answers the patient whose FHIR Patient has the id.
func (s *Service) ByRecord(tx *store.Tx, org OrgID, record string) (Person, bool, error) {
	people, err := s.people(tx, "org = $1 AND record = $2", string(org), record)
	if err != nil || len(people) == 0 || record == "" {
		return Person{}, false, err
	}
	return people[0], true, nil
}

// WithRole answers the active people of a role by name.
func (s *Service) WithRole(tx *store.Tx, org OrgID, role Role) ([]Person, error) {
	return s.people(tx, "org = $1 AND role = $2 AND active = 1 ORDER BY name, id", string(org), string(role))
}

// PatientsOf answers the active patients whom the viewer may see, by name.
func (s *Service) PatientsOf(tx *store.Tx, v Viewer) ([]Person, error) {
	switch {
	case v.Role.Staff():
		return s.people(tx, `org = $1 AND role = 'patient' AND active = 1 AND id IN (SELECT b.person FROM membership a JOIN membership b
			ON b.org = a.org AND b.team = a.team WHERE a.org = $1 AND a.person = $2) ORDER BY name, id`, string(v.Org), string(v.Person))
	case v.Role == Caregiver || v.Role == Patient:
		now := store.Micros(s.clock.Now())
		return s.people(tx, `org = $1 AND active = 1 AND id IN (SELECT patient FROM care_link WHERE org = $1 AND caregiver = $2 AND from_at <= $3
			AND until_at > $3 AND revoked_at = 0) ORDER BY name, id`, string(v.Org), string(v.Person), now)
	}
	return nil, nil
}

// SetContact adds an address of a person, or changes its consent and rank.
func (s *Service) SetContact(tx *store.Tx, org OrgID, c Contact) error {
	if err := checkAddress(&c); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO contact (org, shard, person, rank, channel, address, consent, consent_at, consent_source, shared) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)
		ON CONFLICT (org, shard, person, channel, address) DO UPDATE SET rank = excluded.rank, consent = excluded.consent, consent_at = excluded.consent_at,
		consent_source = excluded.consent_source`, string(org), Shard(c.Person), string(c.Person), c.Rank, string(c.Channel), c.Address, string(c.Consent),
		store.Micros(s.clock.Now()), c.Source); err != nil {
		return err
	}
	// Whether an address is shared is kept beside it: each reminder asks, and addresses seldom change hands. It is only ever set: once
	// shared, a question's letter there stays unlike the others'.
	holders, err := s.AtAddress(tx, org, c.Channel, c.Address)
	if err != nil || len(holders) < 2 {
		return err
	}
	_, err = tx.Exec("UPDATE contact SET shared = 1 WHERE org = $1 AND channel = $2 AND address = $3", string(org), string(c.Channel), c.Address)
	return err
}

// checkAddress brings a telephone number to E.164 and an e-mail address to lower case, or says what is wrong.
func checkAddress(c *Contact) error {
	switch c.Channel {
	case SMS, Voice:
		n, err := Phone(c.Address)
		if err != nil {
			return err
		}
		c.Address = n
	case Mail:
		c.Address = strings.ToLower(strings.TrimSpace(c.Address))
		at := strings.LastIndexByte(c.Address, '@')
		if at < 1 || at == len(c.Address)-1 || strings.ContainsAny(c.Address, " \r\n<>,;") {
			return fault.Invalidf("That does not look like an e-mail address.")
		}
	case Push, Cue:
		if c.Address == "" {
			return fault.Invalidf("The address is missing.")
		}
	default:
		return fault.Invalidf("%q is not a channel.", c.Channel)
	}
	return nil
}

// Phone reads a telephone number as people write it into E.164: digits after "+", 8 to 15 of them. Ten digits, or eleven that
// begin with 1, are taken as North American.
func Phone(s string) (string, error) {
	var digits strings.Builder
	for i, r := range strings.TrimSpace(s) {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case r == '+' && i == 0, strings.ContainsRune(" -.()/\u00a0", r):
		default:
			return "", fault.Invalidf("That does not look like a telephone number.")
		}
	}
	n := digits.String()
	if !strings.HasPrefix(strings.TrimSpace(s), "+") {
		switch {
		case len(n) == 10:
			n = "1" + n
		case len(n) == 11 && n[0] == '1':
		default:
			return "", fault.Invalidf("Please write the telephone number with its country code, like +1 555 010 0000.")
		}
	}
	if len(n) < 8 || len(n) > 15 {
		return "", fault.Invalidf("That does not look like a telephone number.")
	}
	return "+" + n, nil
}

func scanContact(scan func(...any) error) (Contact, error) {
	var c Contact
	var at int64
	err := scan(&c.Person, &c.Rank, &c.Channel, &c.Address, &c.Consent, &at, &c.Source)
	c.At = store.Time(at)
	return c, err
}

const contactColumns = "person, rank, channel, address, consent, consent_at, consent_source"

// Contacts answers a person's addresses, the preferred first.
func (s *Service) Contacts(tx *store.Tx, org OrgID, id ID) ([]Contact, error) {
	return store.All(tx, "SELECT "+contactColumns+" FROM contact WHERE org = $1 AND shard = $2 AND person = $3 ORDER BY rank, channel, address",
		[]any{string(org), Shard(id), string(id)}, scanContact)
}

// AtAddress answers everyone who has an address: a telephone may be a family's.
func (s *Service) AtAddress(tx *store.Tx, org OrgID, ch Channel, address string) ([]Contact, error) {
	return store.All(tx, "SELECT "+contactColumns+" FROM contact WHERE org = $1 AND channel = $2 AND address = $3 ORDER BY rank, person",
		[]any{string(org), string(ch), address}, scanContact)
}

// SetConsent records a word about an address for everyone who has it (STOP comes from a telephone, not from a person).
func (s *Service) SetConsent(tx *store.Tx, org OrgID, ch Channel, address string, word Consent, source string) error {
	_, err := tx.Exec("UPDATE contact SET consent = $4, consent_at = $5, consent_source = $6 WHERE org = $1 AND channel = $2 AND address = $3",
		string(org), string(ch), address, string(word), store.Micros(s.clock.Now()), source)
	return err
}

// Link lets a caregiver in, or changes what the caregiver may do.
func (s *Service) Link(tx *store.Tx, org OrgID, l CareLink) error {
	if !l.From.Before(l.Until) {
		return fault.Invalidf("The access must end after it begins.")
	}
	if l.Patient == l.Caregiver {
		return fault.Invalidf("A person needs no access to the own pages.")
	}
	rights := make([]string, 0, len(l.Rights))
	for _, r := range l.Rights {
		if !slices.Contains([]Right{See, Act, Message, Manage}, r) {
			return fault.Invalidf("%q is not a right.", r)
		}
		rights = append(rights, string(r))
	}
	_, err := tx.Exec(`INSERT INTO care_link (org, patient, caregiver, rights, relation, from_at, until_at, revoked_at, given_by) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)
		ON CONFLICT (org, patient, caregiver) DO UPDATE SET rights = excluded.rights, relation = excluded.relation, from_at = excluded.from_at,
		until_at = excluded.until_at, revoked_at = 0, given_by = excluded.given_by`, string(org), string(l.Patient), string(l.Caregiver),
		strings.Join(rights, " "), l.Relation, store.Micros(l.From), store.Micros(l.Until), string(l.GivenBy))
	tx.Hint("patient", string(org)+"/"+string(l.Patient))
	return err
}

// Unlink ends a caregiver's access now.
func (s *Service) Unlink(tx *store.Tx, org OrgID, patient, caregiver ID) error {
	n, err := tx.Exec("UPDATE care_link SET revoked_at = $4 WHERE org = $1 AND patient = $2 AND caregiver = $3 AND revoked_at = 0",
		string(org), string(patient), string(caregiver), store.Micros(s.clock.Now()))
	if err == nil && n == 0 {
		err = fault.NotFoundf("That person has no access.")
	}
	tx.Hint("patient", string(org)+"/"+string(patient))
	return err
}

// Links answers a patient's caregivers, those whose access has ended too.
func (s *Service) Links(tx *store.Tx, org OrgID, patient ID) ([]CareLink, error) {
	return store.All(tx, `SELECT patient, caregiver, rights, relation, from_at, until_at, revoked_at, given_by FROM care_link
		WHERE org = $1 AND patient = $2 ORDER BY from_at, caregiver`, []any{string(org), string(patient)}, scanLink)
}

func scanLink(scan func(...any) error) (CareLink, error) {
	var l CareLink
	var rights string
	var from, until, revoked int64
	err := scan(&l.Patient, &l.Caregiver, &rights, &l.Relation, &from, &until, &revoked, &l.GivenBy)
	for r := range strings.FieldsSeq(rights) {
		l.Rights = append(l.Rights, Right(r))
	}
	l.From, l.Until, l.Revoked = store.Time(from), store.Time(until), store.Time(revoked)
	return l, err
}

// Caregivers answers who may do something for a patient now.
func (s *Service) Caregivers(tx *store.Tx, org OrgID, patient ID, right Right) ([]Person, error) {
	links, err := s.Links(tx, org, patient)
	if err != nil {
		return nil, err
	}
	var out []Person
	for _, l := range links {
		if !l.Live(s.clock.Now()) || !slices.Contains(l.Rights, right) {
			continue
		}
		p, err := s.Get(tx, org, l.Caregiver)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// SaveShift records who answers for a role in a team, from when to when.
func (s *Service) SaveShift(tx *store.Tx, org OrgID, sh Shift) error {
	if !sh.From.Before(sh.Until) {
		return fault.Invalidf("A shift must end after it begins.")
	}
	_, err := tx.Exec("INSERT INTO shift (org, person, role, team, from_at, until_at) VALUES ($1, $2, $3, $4, $5, $6)",
		string(org), string(sh.Person), string(sh.Role), string(sh.Team), store.Micros(sh.From), store.Micros(sh.Until))
	return err
}

// OnDuty answers whose shift it is for a role in any of the teams, the longest-serving first. Nobody is a valid answer: the
// caller must then turn to the whole role.
func (s *Service) OnDuty(tx *store.Tx, org OrgID, role Role, teams []TeamID, at time.Time) ([]Shift, error) {
	all, err := store.All(tx, `SELECT person, role, team, from_at, until_at FROM shift WHERE org = $1 AND role = $2 AND until_at > $3 AND from_at <= $3
		ORDER BY from_at, person`, []any{string(org), string(role), store.Micros(at)}, func(scan func(...any) error) (Shift, error) {
		var sh Shift
		var from, until int64
		err := scan(&sh.Person, &sh.Role, &sh.Team, &from, &until)
		sh.From, sh.Until = store.Time(from), store.Time(until)
		return sh, err
	})
	return slices.DeleteFunc(all, func(sh Shift) bool { return !slices.Contains(teams, sh.Team) }), err
}
