// Package person knows who there is and what each may see and do for whom: patients, caregivers, staff, teams, places.
//
// Its promise: there is one rule of access (May), in one place, and everyone who looks at a patient is written down before
// anything is shown. It never decides what a page looks like, and never sends anything.
package person

import (
	"embed"
	"io/fs"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

type (
	// OrgID names an organization; the first key of every table.
	OrgID string
	// ID names a person of an organization, whatever the role.
	ID string
	// TeamID names a team: the staff and the patients who belong together.
	TeamID string
)

// Role is what a person is to the organization.
type Role string

const (
	Patient   Role = "patient"
	Caregiver Role = "caregiver"
	Nurse     Role = "nurse"
	Desk      Role = "desk"
	Clinician Role = "clinician"
	Leader    Role = "leader"
	Operator  Role = "operator" // runs the server: settings, no charts
	Driver    Role = "driver"   // drives, and sees the stops of the day: no charts
	System    Role = "system"
)

// Staff reports whether the role works for the organization with patients.
func (r Role) Staff() bool { return r == Nurse || r == Desk || r == Clinician }

// Valid reports whether the role is known.
func (r Role) Valid() bool {
	switch r {
	case Patient, Caregiver, Nurse, Desk, Clinician, Leader, Operator, Driver:
		return true
	}
	return false
}

// Org is an organization.
type Org struct {
	ID       OrgID
	Name     string
	Zone     string // IANA, e.g. America/New_York
	Language string // of what is sent when a person's own is unknown
	Phone    string // the number to call, printed in every message
	Settings string // JSON of the edges: gateways
}

// Routine is a person's usual day, from which "before breakfast" gets a time.
type Routine struct {
	Wake, Breakfast, Lunch, Dinner, Bed clock.Wall
}

// UsualRoutine is assumed until the person says otherwise.
var UsualRoutine = Routine{
	Wake: clock.WallAt(7, 0), Breakfast: clock.WallAt(8, 0), Lunch: clock.WallAt(12, 30), Dinner: clock.WallAt(18, 30), Bed: clock.WallAt(22, 0),
}

// Person is anyone with a page or a message.
type Person struct {
	Org       OrgID
	ID        ID
	Role      Role
	Name      string // Ruth Abbott
	Called    string // Ruth
	BirthYear int    // confirms a sign-in; 0 for staff
	Language  string // en or es
	Zone      string // IANA
	Routine   Routine
	DayStart  clock.Wall // where one day of doses ends and the next begins; 03:00 unless set
	QuietFrom clock.Wall // no messages from here
	QuietTo   clock.Wall // to here, unless severe; equal: never quiet
	Record    string     // id of the FHIR Patient, or empty
	Active    bool
	Teams     []TeamID
}

// Location answers the person's zone; an unknown one is UTC (Validate refuses to store such).
func (p Person) Location() *time.Location {
	if z, err := clock.Zone(p.Zone); err == nil {
		return z
	}
	return time.UTC
}

// DayOf answers the person's day at an instant: until DayStart it is still yesterday.
func (p Person) DayOf(t time.Time) clock.Day {
	return clock.DayOf(t.Add(-time.Duration(p.DayStart)*time.Minute), p.Location())
}

// Quiet reports whether the person is not to be disturbed at an instant, and when that ends.
func (p Person) Quiet(t time.Time) (bool, time.Time) {
	if p.QuietFrom == p.QuietTo {
		return false, t
	}
	zone := p.Location()
	local := t.In(zone)
	now, day := clock.WallAt(local.Hour(), local.Minute()), clock.DayOf(t, zone)
	within := now >= p.QuietFrom && now < p.QuietTo
	if p.QuietFrom > p.QuietTo {
		within = now >= p.QuietFrom || now < p.QuietTo
		if now >= p.QuietFrom {
			day = day.Add(1)
		}
	}
	return within, clock.At(day, p.QuietTo, zone)
}

// Languages that Doorstep speaks.
var Languages = []string{"en", "es"}

// Validate says what is wrong with a person's data.
func (p Person) Validate() error {
	switch {
	case p.Name == "":
		return fault.Invalidf("A name is needed.")
	case len(p.Name) > 200:
		return fault.Invalidf("The name is too long (200 characters at most).")
	case !p.Role.Valid():
		return fault.Invalidf("%q is not a role.", p.Role)
	case p.Language != "en" && p.Language != "es":
		return fault.Invalidf("The language must be en or es.")
	case p.BirthYear != 0 && (p.BirthYear < 1880 || p.BirthYear > 2100):
		return fault.Invalidf("%d is not a year of birth.", p.BirthYear)
	case (p.Role == Patient || p.Role == Caregiver) && p.BirthYear == 0:
		return fault.Invalidf("A year of birth is needed: it confirms the sign-in.")
	}
	if _, err := clock.Zone(p.Zone); err != nil {
		return fault.Invalidf("%q is not a time zone (want one like America/New_York).", p.Zone)
	}
	for _, w := range []clock.Wall{p.Routine.Wake, p.Routine.Breakfast, p.Routine.Lunch, p.Routine.Dinner, p.Routine.Bed, p.DayStart, p.QuietFrom, p.QuietTo} {
		if w < 0 || w >= 24*60 {
			return fault.Invalidf("A time of day must lie between 00:00 and 23:59.")
		}
	}
	return nil
}

// Consent is a person's word on one channel.
type Consent string

const (
	Given     Consent = "given"
	Withdrawn Consent = "withdrawn" // STOP
	Unasked   Consent = "unasked"
)

// Channel is a way to reach a person.
type Channel string

const (
	SMS   Channel = "sms"
	Mail  Channel = "mail"
	Push  Channel = "push"  // the address is the browser's subscription as JSON
	Page  Channel = "page"  // always there, needs no consent
	Voice Channel = "voice" // a call that speaks: for a telephone that takes no texts
	Cue   Channel = "cue"   // a light or sound on a device; the address is the device
)

// Contact is one address of a person on one channel, with the person's consent, when and how it was given.
type Contact struct {
	Person  ID
	Rank    int // 0 is tried first
	Channel Channel
	Address string
	Consent Consent
	At      time.Time
	Source  string // "enrolment form", "text START", …
}

// Right is something that a caregiver may be allowed to do.
type Right string

const (
	See     Right = "see"     // read the chart's pages
	Act     Right = "act"     // answer for the patient
	Message Right = "message" // read and write the thread with the clinic
	Manage  Right = "manage"  // settings, grants, the plan
)

// CareLink lets a caregiver do some things for a patient, for a time.
type CareLink struct {
	Patient, Caregiver ID
	Rights             []Right
	Relation           string // daughter
	From, Until        time.Time
	Revoked            time.Time // zero: not revoked
	GivenBy            ID
}

// Live reports whether the link holds at an instant.
func (l CareLink) Live(at time.Time) bool {
	return !at.Before(l.From) && at.Before(l.Until) && (l.Revoked.IsZero() || at.Before(l.Revoked))
}

// Shift is a stretch of time in which a member of staff answers for a role in a team.
type Shift struct {
	Person      ID
	Role        Role
	Team        TeamID
	From, Until time.Time
}

// Place is where care happens.
type Place struct {
	ID                         string
	Name, Address, Zone, Phone string
	Point
}

// Team is a group of staff and the patients they look after.
type Team struct {
	ID   TeamID
	Name string
}

// Viewer is who is asking.
type Viewer struct {
	Org     OrgID
	Person  ID
	Role    Role
	Name    string
	Session string // what can be revoked; empty for the system
}

// SystemViewer is the server itself acting on a schedule.
func SystemViewer(org OrgID) Viewer { return Viewer{Org: org, Role: System, Name: "Doorstep"} }

// Shards is the number of parts into which the tables that grow with patients are divided, so that several workers can go
// through them side by side. It is part of primary keys: never change it.
const Shards = 64

// Shard answers the part in which a patient lies (FNV-1a).
func Shard(patient ID) int {
	h := uint32(2166136261)
	for i := range len(patient) {
		h = (h ^ uint32(patient[i])) * 16777619
	}
	return int(h % Shards)
}
