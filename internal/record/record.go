// Package record keeps FHIR R4 resources: the bytes as they came (what is unknown to us is kept), every version of them,
// and rows to search them by. Its promises:
//
//   - A resource and its index rows are written in one transaction, the caller's where it has one.
//   - What is stored is what came, but for references that a bundle or a condition names and for the id that we give;
//     those are spliced into the bytes. versionId and lastUpdated are put in on the way out.
//   - Importing the same file again writes nothing.
//   - A parameter that is not understood is named in the answer, never passed over.
//   - A scope that is limited to one patient sees nothing of another, whichever way it asks.
//
// It never judges a resource's meaning: that is for the rooms that own it.
package record

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the room's tables; the room's name is "record".
var Migrations fs.FS = must(fs.Sub(files, "migrations"))

func must(f fs.FS, err error) fs.FS {
	if err != nil {
		panic(err)
	}
	return f
}

// MostBytes bounds one resource.
const MostBytes = 16 << 20

// Ref names one version of a resource.
type Ref struct {
	Type, ID string
	Version  int
}

// Resource is one version of a resource. Body holds the stored bytes, without the server's own meta (fhir.WithMeta adds
// it); it is empty when the version is a deletion.
type Resource struct {
	Type, ID string
	Version  int
	At       time.Time // when it was written, UTC
	Body     []byte
	Deleted  bool
}

// Scope is what a caller may see: a whole organization, or in it only what belongs to one patient and the directory.
type Scope struct {
	Org     string
	Patient string // FHIR id; "" for the whole organization
}

// Service reads and writes the record. Safe for concurrent use.
type Service struct {
	db    *store.DB
	clock clock.Clock
	ids   *clock.IDs
}

// New answers the service over a migrated database.
func New(db *store.DB, c clock.Clock, ids *clock.IDs) *Service {
	return &Service{db: db, clock: c, ids: ids}
}

// Put writes one resource of ours in the caller's transaction: a new one (with an id of ours when it has none) or the next
// version; the same bytes as the current version write nothing. Errors: fault.Invalid when it is not a resource.
func (s *Service) Put(tx *store.Tx, org string, resource []byte) (Ref, error) {
	ix, err := read(resource)
	if err != nil {
		return Ref{}, err
	}
	if ix.ID == "" {
		ix.ID = s.ids.New()
		resource = fhir.WithID(resource, ix.ID)
	}
	c := &change{ix: ix, body: resource}
	if err := s.apply(tx, org, []*change{c}); err != nil {
		return Ref{}, err
	}
	return c.ref(), nil
}

// read is fhir.Extract with the record's kinds of error and limit.
func read(resource []byte) (*fhir.Index, error) {
	if len(resource) > MostBytes {
		return nil, fault.New(fault.TooMuch, "the resource is longer than %d MB", MostBytes>>20)
	}
	ix, err := fhir.Extract(resource)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%w", err)
	}
	return ix, nil
}

// Get answers the current version. A resource that never was is fault.NotFound; one that was deleted comes with Deleted set.
func (s *Service) Get(ctx context.Context, org, typ, id string) (Resource, error) {
	return s.GetAs(ctx, Scope{Org: org}, typ, id)
}

// GetAs is Get within a scope; what lies outside is fault.NotFound.
func (s *Service) GetAs(ctx context.Context, scope Scope, typ, id string) (out Resource, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		out, err = get(tx, scope, typ, id)
		return err
	})
	return out, err
}

func get(tx *store.Tx, scope Scope, typ, id string) (Resource, error) {
	row, found, err := current(tx, scope.Org, typ, id)
	if err != nil {
		return Resource{}, err
	}
	if !found {
		return Resource{}, notFound(typ, id)
	}
	if row.Deleted && scope.Patient != "" { // whose it was is for the versions to say
		last, err := lastBody(tx, scope.Org, row.n)
		if err != nil || !scope.sees(typ, id, last) {
			return Resource{}, notFound(typ, id)
		}
	} else if !row.Deleted && !scope.sees(typ, id, row.Body) {
		return Resource{}, notFound(typ, id)
	}
	return row.Resource, nil
}

func notFound(typ, id string) error { return fault.NotFoundf("there is no %s/%s", clip(typ), clip(id)) }

// stored is a row of record_resource.
type stored struct {
	Resource
	n, sum int64
}

const resourceColumns = "r.n, r.type, r.id, r.version, r.at, r.deleted, r.sum, r.body"

func scanStored(scan func(...any) error) (stored, error) {
	var r stored
	var at, deleted int64
	var body []byte
	err := scan(&r.n, &r.Type, &r.ID, &r.Version, &at, &deleted, &r.sum, &body)
	if err == nil {
		r.At, r.Deleted = store.Time(at), deleted != 0
		r.Body = body
	}
	return r, err
}

func current(tx *store.Tx, org, typ, id string) (stored, bool, error) {
	if !fhir.ValidID(id) {
		return stored{}, false, nil
	}
	rows, err := store.All(tx, "SELECT "+resourceColumns+" FROM record_resource r WHERE r.org = $1 AND r.type = $2 AND r.id = $3",
		[]any{org, typ, id}, scanStored)
	if err != nil || len(rows) == 0 {
		return stored{}, false, err
	}
	return rows[0], true, nil
}

// Patient answers all current resources of a type that belong to a patient, newest first: the shortcut that the domains use.
func (s *Service) Patient(ctx context.Context, org, patientID, typ string) (out []Resource, err error) {
	q := &query{typ: typ, scope: Scope{Org: org, Patient: patientID}, order: byDate, desc: true}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := s.run(tx, q, 0)
		for _, r := range rows {
			out = append(out, r.Resource)
		}
		return err
	})
	return out, err
}

// Check reads a resource and that it is of the type; it answers the id it came with. Errors are fault.Invalid.
func Check(resource []byte, typ string) (id string, err error) {
	ix, err := readAs(resource, typ, "")
	if err != nil {
		return "", err
	}
	return ix.ID, nil
}
