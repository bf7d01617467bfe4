// Package medication turns prescriptions into doses, doses into promises, and taps, texts and pill-box openings into evidence.
//
// Its promises: everything due at one time is one dose, made once however often it is planned; an opened box is called opened,
// never taken; nobody is reminded of a dose whose box was opened; a second opening is asked about, not counted.
package medication

import (
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication/timing"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are this room's tables.
var Migrations, _ = fs.Sub(migrations, "migrations")

// Kind of the promises of this room.
const Kind = "dose"

const (
	window = 2 * time.Hour    // a dose not answered by then is missed
	early  = time.Hour        // an opening so long before counts for the dose
	late   = 30 * time.Minute // taken later than this is taken late
	again  = 10 * time.Minute // openings closer together than this are one
	ahead  = 36 * time.Hour   // how far doses are promised
	replan = 12 * time.Hour   // planning runs again when less than this is left of ahead
)

// OpenedBefore is how long before its time an opening counts for a dose.
const OpenedBefore = early

// Ladders that promises of this room climb. A site may save newer versions of them.
const (
	Ladder         = "dose"
	CriticalLadder = "dose.critical"
	TravelLadder   = "travel"
	RefillLadder   = "refill"
)

// Regimen is one prescription as it is followed.
type Regimen struct {
	Org      person.OrgID
	Patient  person.ID
	ID       string
	Record   string // id of the MedicationRequest it comes from, or empty
	Name     string // of the medicine, as the patient knows it
	Dosage   []fhir.Dosage
	Authored clock.Day
	Critical bool // missing one is told to the caregiver, then to the desk
	Active   bool
	AsNeeded bool          // taken only when needed: never reminded
	Text     string        // how to take it, in the prescriber's words
	Policy   timing.Policy // which clock rules its times; empty: the wall clock
	Zone     string        // IANA; where it was begun. Empty: the patient's
	Made     time.Time
}

// Item is one medicine of a dose.
type Item struct {
	Regimen string  `json:"regimen"`
	Name    string  `json:"name"`
	Amount  float64 `json:"amount,omitempty"`
	Unit    string  `json:"unit,omitempty"`
	How     string  `json:"how,omitempty"`
}

// String answers the medicine with its amount: "Furosemide 40 mg (2 tablets)".
func (i Item) String() string {
	if i.Amount == 0 {
		return i.Name
	}
	amount := strconv.FormatFloat(i.Amount, 'f', -1, 64)
	return i.Name + " (" + strings.TrimSpace(amount+" "+i.Unit) + ")"
}

// Service owns the tables of regimens and doses.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	ids      *clock.IDs
	people   *person.Service
	promises *promise.Service
	messages *message.Service
}

// New answers the service.
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, promises *promise.Service, messages *message.Service) *Service {
	return &Service{db: db, clock: c, ids: ids, people: people, promises: promises, messages: messages}
}

// Save makes a regimen or changes one, and plans the patient's doses anew. A dosage that cannot be understood is refused with
// the element that is wrong.
func (s *Service) Save(tx *store.Tx, r Regimen) (Regimen, error) {
	if r.Name == "" {
		return r, fault.Invalidf("The medicine needs a name.")
	}
	if r.Policy == "" {
		r.Policy = timing.Wall
	}
	if !slices.Contains(timing.Policies, r.Policy) {
		return r, fault.Invalidf("policy: it must be wall, interval or home.")
	}
	p, err := s.people.Get(tx, r.Org, r.Patient)
	if err != nil {
		return r, err
	}
	if r.Zone == "" {
		r.Zone = p.Zone
	}
	if _, err := clock.Zone(r.Zone); err != nil {
		return r, fault.Invalidf("zone: %v", err)
	}
	parsed, err := timing.Parse(r.Dosage, r.Authored)
	if err != nil {
		return r, err
	}
	r.AsNeeded = parsed.AsNeeded
	if r.ID == "" {
		r.ID = s.ids.New()
	}
	dosage, err := json.Marshal(r.Dosage)
	if err != nil {
		return r, err
	}
	// A medicine that is changed stays on the clock on which it was begun.
	_, err = tx.Exec(`INSERT INTO regimen (org, shard, patient, id, record, name, dosage, authored, critical, active, as_needed, text, made_at, stopped_at, policy, zone)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, 0, $13, $14)
		ON CONFLICT (org, shard, patient, id) DO UPDATE SET name = excluded.name, dosage = excluded.dosage, authored = excluded.authored, critical = excluded.critical,
		active = 1, as_needed = excluded.as_needed, text = excluded.text, stopped_at = 0`,
		string(r.Org), person.Shard(r.Patient), string(r.Patient), r.ID, r.Record, r.Name, string(dosage), r.Authored.String(), flag(r.Critical), flag(r.AsNeeded), r.Text,
		store.Micros(s.clock.Now()), string(r.Policy), r.Zone)
	if err != nil {
		return r, err
	}
	r.Active = true
	return r, s.replan(tx, r.Org, r.Patient)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Stop ends a regimen; the doses that are still to come without it are planned anew.
func (s *Service) Stop(tx *store.Tx, org person.OrgID, patient person.ID, id string) error {
	n, err := tx.Exec("UPDATE regimen SET active = 0, stopped_at = $5 WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4 AND active = 1",
		string(org), person.Shard(patient), string(patient), id, store.Micros(s.clock.Now()))
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.NotFoundf("There is no such medicine in use.")
	}
	if err := s.dropRefill(tx, org, patient, id); err != nil {
		return err
	}
	return s.replan(tx, org, patient)
}

// Regimens answers a patient's regimens, those stopped too, by name.
func (s *Service) Regimens(tx *store.Tx, org person.OrgID, patient person.ID) ([]Regimen, error) {
	return store.All(tx, `SELECT id, record, name, dosage, authored, critical, active, as_needed, text, policy, zone, made_at FROM regimen WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY name, id`,
		[]any{string(org), person.Shard(patient), string(patient)}, func(scan func(...any) error) (Regimen, error) {
			r := Regimen{Org: org, Patient: patient}
			var dosage, authored string
			var critical, active, asNeeded int
			var made int64
			if err := scan(&r.ID, &r.Record, &r.Name, &dosage, &authored, &critical, &active, &asNeeded, &r.Text, &r.Policy, &r.Zone, &made); err != nil {
				return r, err
			}
			r.Made = store.Time(made)
			r.Critical, r.Active, r.AsNeeded = critical == 1, active == 1, asNeeded == 1
			var err error
			if r.Authored, err = clock.ParseDay(authored); err != nil {
				return r, err
			}
			return r, json.Unmarshal([]byte(dosage), &r.Dosage)
		})
}
