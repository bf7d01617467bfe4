package record

import (
	"slices"
	"strings"

	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// includedMost bounds what one page brings along.
const includedMost = 2000

// included answers what the matches refer to and what refers to them, as asked, each once, within the scope.
func (s *Service) included(tx *store.Tx, q *query, rows []stored) ([]Resource, error) {
	if len(q.include)+len(q.reverse) == 0 {
		return nil, nil
	}
	have := map[string]bool{}
	for _, r := range rows {
		have[r.Type+"/"+r.ID] = true
	}
	var out []Resource
	add := func(r stored) {
		if name := r.Type + "/" + r.ID; !r.Deleted && !have[name] && len(out) < includedMost && q.scope.sees(r.Type, r.ID, r.Body) {
			have[name] = true
			out = append(out, r.Resource)
		}
	}
	for _, r := range rows {
		for _, in := range q.include {
			if in.typ != r.Type {
				continue
			}
			for _, name := range s.pointed(tx, q.scope.Org, r.Body, in) {
				typ, id, _ := strings.Cut(name, "/")
				if have[name] || in.target != "" && in.target != typ {
					continue
				}
				row, found, err := current(tx, q.scope.Org, typ, id)
				if err != nil {
					return nil, err
				}
				if found {
					add(row)
				}
			}
		}
		for _, in := range q.reverse {
			sub := &query{typ: in.typ, scope: q.scope, order: byDate, desc: true}
			params := []*fhir.Param{in.param}
			if in.param == nil {
				params = slices.DeleteFunc(slices.Clone(fhir.Params(in.typ)), func(p *fhir.Param) bool { return p.Kind != fhir.KindReference })
			}
			for _, p := range params {
				sub.filters = []filter{{param: p, targets: []string{r.Type + "/" + r.ID}}}
				found, err := s.run(tx, sub, includedMost)
				if err != nil {
					return nil, err
				}
				for _, f := range found {
					add(f)
				}
			}
		}
	}
	return out, nil
}

// pointed answers the "Type/id" of what a resource refers to under a parameter; conditional references are looked up.
func (s *Service) pointed(tx *store.Tx, org string, body []byte, in include) []string {
	ix, err := fhir.Extract(body)
	if err != nil {
		return nil
	}
	var out []string
	for _, l := range ix.Links {
		target := fhir.Versionless(l.Target)
		if in.param != nil {
			h := fhir.Hash(target)
			if !slices.ContainsFunc(ix.Refs, func(r fhir.RefRow) bool {
				return r.Target == h && slices.ContainsFunc(in.param.Paths, func(p fhir.Path) bool { return p.Key == r.Path })
			}) {
				continue
			}
		}
		if conditional(target) {
			if refs, err := s.match(tx, org, target, nil); err == nil && len(refs) == 1 {
				out = append(out, refs[0])
			}
		} else if typ, id := (fhir.Reference{Reference: target}).Local(); id != "" {
			out = append(out, typ+"/"+id)
		}
	}
	return out
}
