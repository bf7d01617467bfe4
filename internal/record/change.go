package record

import (
	"context"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Outcome is what came of one interaction that writes.
type Outcome struct {
	Resource
	Created bool // there was none before
	Same    bool // nothing was written
}

// Create writes a new resource under an id of ours, whatever id it came with. With a condition (ifNoneExist, the search
// part of a URL) it writes only when nothing fits, and answers the one that does; several are fault.Conflict.
func (s *Service) Create(ctx context.Context, org, typ string, body []byte, ifNoneExist string) (out Outcome, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		out, err = s.create(tx, org, typ, body, ifNoneExist, s.ids.New())
		return err
	})
	return out, err
}

func (s *Service) create(tx *store.Tx, org, typ string, body []byte, ifNoneExist, id string) (Outcome, error) {
	ix, err := readAs(body, typ, "")
	if err != nil {
		return Outcome{}, err
	}
	if ifNoneExist != "" {
		refs, err := s.match(tx, org, typ+"?"+strings.TrimPrefix(ifNoneExist, "?"), nil)
		if err != nil {
			return Outcome{}, err
		}
		if len(refs) > 1 {
			return Outcome{}, severalFit(typ)
		}
		if len(refs) == 1 {
			row, _, err := current(tx, org, typ, strings.TrimPrefix(refs[0], typ+"/"))
			return Outcome{Resource: row.Resource, Same: true}, err
		}
	}
	ix.ID = id
	return s.write(tx, org, &change{ix: ix, body: fhir.WithID(body, id)})
}

func severalFit(typ string) error {
	return fault.Conflictf("the condition fits more than one %s", typ)
}

// readAs is read, and that the resource is what the URL says.
func readAs(body []byte, typ, id string) (*fhir.Index, error) {
	ix, err := read(body)
	if err != nil {
		return nil, err
	}
	if ix.Type != typ {
		return nil, fault.Invalidf("resourceType: the address says %s", clip(typ))
	}
	if id != "" && ix.ID != id {
		return nil, fault.Invalidf("id: the address says another id than the resource")
	}
	return ix, nil
}

func (s *Service) write(tx *store.Tx, org string, c *change) (Outcome, error) {
	if err := s.apply(tx, org, []*change{c}); err != nil {
		return Outcome{}, err
	}
	row, _, err := current(tx, org, c.ix.Type, c.ix.ID)
	return Outcome{Resource: row.Resource, Created: c.fate == created, Same: c.fate == same}, err
}

// Update writes the next version of a resource, or the first under a client's id. ifMatch, when not 0, must be the
// current version (else fault.Conflict).
func (s *Service) Update(ctx context.Context, org, typ, id string, body []byte, ifMatch int) (out Outcome, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		out, err = s.update(tx, org, typ, id, body, ifMatch)
		return err
	})
	return out, err
}

func (s *Service) update(tx *store.Tx, org, typ, id string, body []byte, ifMatch int) (Outcome, error) {
	if !fhir.ValidID(id) {
		return Outcome{}, fault.Invalidf("the id in the address is not valid")
	}
	ix, err := readAs(body, typ, id)
	if err != nil {
		return Outcome{}, err
	}
	if err := matches(tx, org, typ, id, ifMatch); err != nil {
		return Outcome{}, err
	}
	return s.write(tx, org, &change{ix: ix, body: body})
}

func matches(tx *store.Tx, org, typ, id string, ifMatch int) error {
	if ifMatch == 0 {
		return nil
	}
	row, found, err := current(tx, org, typ, id)
	if err != nil {
		return err
	}
	if !found || row.Version != ifMatch {
		return fault.Conflictf("%s is not at version %d any more", describe(typ, id), ifMatch)
	}
	return nil
}

// UpdateWhere is a conditional update: of the one resource that fits, or a create when none does (under the resource's
// own id when it brings a new one).
func (s *Service) UpdateWhere(ctx context.Context, org, typ, condition string, body []byte) (out Outcome, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		out, err = s.updateWhere(tx, org, typ, condition, body, s.ids.New())
		return err
	})
	return out, err
}

func (s *Service) updateWhere(tx *store.Tx, org, typ, condition string, body []byte, fresh string) (Outcome, error) {
	ix, err := readAs(body, typ, "")
	if err != nil {
		return Outcome{}, err
	}
	refs, err := s.match(tx, org, typ+"?"+condition, nil)
	if err != nil {
		return Outcome{}, err
	}
	id := ix.ID
	switch len(refs) {
	case 0:
		if id == "" {
			id = fresh
		} else if _, found, err := current(tx, org, typ, id); err != nil || found {
			if err == nil {
				err = fault.Conflictf("%s exists and does not fit the condition", describe(typ, id))
			}
			return Outcome{}, err
		}
	case 1:
		fits := strings.TrimPrefix(refs[0], typ+"/")
		if id != "" && id != fits {
			return Outcome{}, fault.Invalidf("id: another resource fits the condition")
		}
		id = fits
	default:
		return Outcome{}, severalFit(typ)
	}
	if ix.ID == "" {
		body, ix.ID = fhir.WithID(body, id), id
	}
	return s.write(tx, org, &change{ix: ix, body: body})
}

// Delete deletes a resource; its versions stay. Deleting what is not there does nothing.
func (s *Service) Delete(ctx context.Context, org, typ, id string, ifMatch int) (out Outcome, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		out, err = s.delete(tx, org, typ, id, ifMatch)
		return err
	})
	return out, err
}

func (s *Service) delete(tx *store.Tx, org, typ, id string, ifMatch int) (Outcome, error) {
	if !fhir.KnownType(typ) {
		return Outcome{}, fault.NotFoundf("R4 has no resource type %q", clip(typ))
	}
	if err := matches(tx, org, typ, id, ifMatch); err != nil {
		return Outcome{}, err
	}
	return s.write(tx, org, &change{ix: &fhir.Index{Type: typ, ID: id, Date: fhir.Ever}})
}
