package record

import (
	"context"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// write resolves the references of a batch and writes it, in one transaction. It may run again after a conflict, so it
// changes nothing of the batch and counts only what was committed.
func (im *importer) write(ctx context.Context, batch []*incoming) error {
	var changes []*change
	var kept []*incoming
	var refused []*incoming
	open := 0
	err := im.s.db.Write(ctx, func(tx *store.Tx) error {
		changes, kept, refused, open = changes[:0], kept[:0], refused[:0], 0
		local := identifiers(batch)
		for _, it := range batch {
			c := &change{ix: it.ix, body: it.body, sum: it.sum, imported: true}
			if !it.deletes {
				ok, err := im.resolve(tx, c, local)
				if err != nil {
					return err
				}
				if !ok {
					refused = append(refused, it)
					continue
				}
				open += len(c.open)
			}
			changes, kept = append(changes, c), append(kept, it)
		}
		return im.s.apply(tx, im.org, changes)
	})
	if err != nil {
		return err
	}
	for _, it := range refused {
		where := it.where
		where.Reason = "a conditional reference fits more than one resource"
		im.refuse(where, it.typ)
	}
	for _, c := range changes {
		n := im.sum.ByType[c.ix.Type]
		switch c.fate {
		case created:
			n.New++
		case updated:
			n.Changed++
		default:
			n.Same++
		}
		im.sum.ByType[c.ix.Type] = n
	}
	im.sum.Unresolved += open
	return nil
}

// identifiers answers which conditional references the resources of a batch itself would answer.
func identifiers(batch []*incoming) map[fhir.TokenRow][]string {
	var wanted bool
	for _, it := range batch {
		for _, l := range it.ix.Links {
			wanted = wanted || conditional(l.Target)
		}
	}
	if !wanted {
		return nil
	}
	out := map[fhir.TokenRow][]string{}
	for _, it := range batch {
		p := fhir.FindParam(it.ix.Type, "identifier")
		if p == nil {
			continue
		}
		for _, row := range it.ix.Tokens {
			if row.Path == p.Paths[0].Key {
				out[row] = append(out[row], it.ix.Type+"/"+it.ix.ID)
			}
		}
	}
	return out
}

// conditional reports whether a reference is a search: "Practitioner?identifier=system|value".
func conditional(target string) bool {
	typ, _, ok := strings.Cut(target, "?")
	return ok && fhir.KnownType(typ)
}

// resolve puts real references in place of temporary and conditional ones. The sum stays that of the bytes as they came,
// so that the next import of the same bytes is known to bring nothing new. False: a condition fits more than one resource.
func (im *importer) resolve(tx *store.Tx, c *change, local map[fhir.TokenRow][]string) (bool, error) {
	if len(c.ix.Links) == 0 {
		return true, nil
	}
	to := map[string]string{}
	for _, l := range c.ix.Links {
		if target := im.urn[l.Target]; target != "" {
			to[l.Target] = target
		}
		if !conditional(l.Target) || to[l.Target] != "" {
			continue
		}
		if found := im.known[l.Target]; found != "" {
			to[l.Target] = found
			continue
		}
		refs, err := im.s.match(tx, im.org, l.Target, local)
		if err != nil && !fault.Is(err, fault.Invalid) {
			return false, err
		}
		switch len(refs) {
		case 0:
			c.open = append(c.open, fhir.Hash(l.Target))
		case 1:
			to[l.Target] = refs[0]
			if len(im.known) > 20000 {
				clear(im.known)
			}
			im.known[l.Target] = refs[0]
		default:
			return false, nil
		}
	}
	if len(to) == 0 {
		return true, nil
	}
	c.body = fhir.Relink(c.body, c.ix.Links, func(target string) (string, bool) {
		t, ok := to[target]
		return t, ok
	})
	ix := *c.ix // the batch's own stays as it was
	ix.Refs = append([]fhir.RefRow(nil), ix.Refs...)
	for from, target := range to {
		ix.Retarget(from, target)
	}
	c.ix = &ix
	return true, nil
}
