package record

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// Page is one page of a search's answer.
type Page struct {
	Matches  []Resource
	Included []Resource
	Next     string   // the value of _cursor for the next page; "" when this is the last
	Total    int      // of all pages; -1 when it was not asked for
	Unknown  []string // parameters that were not understood and had no effect
}

// Search answers the resources of a type that fit the parameters of a FHIR search URL: the type's own (fhir.Params) with
// their modifiers and prefixes, and _id, _lastUpdated, _count, _sort, _include, _revinclude, _total, _summary=count.
// Without _sort the newest by the type's principal date come first. Errors: fault.Invalid for a value that cannot be read.
func (s *Service) Search(ctx context.Context, org, typ string, q url.Values) (Page, error) {
	return s.SearchAs(ctx, Scope{Org: org}, typ, q)
}

// SearchAs is Search within a scope: neither matches, nor what they include, nor the total tell of anything outside it.
func (s *Service) SearchAs(ctx context.Context, scope Scope, typ string, q url.Values) (out Page, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		out, err = s.search(tx, scope, typ, q)
		return err
	})
	return out, err
}

func (s *Service) search(tx *store.Tx, scope Scope, typ string, v url.Values) (Page, error) {
	q, err := parseQuery(scope, typ, v)
	if err != nil {
		return Page{}, err
	}
	page := Page{Total: -1, Unknown: q.Unknown}
	if q.total {
		if page.Total, err = s.total(tx, q); err != nil || q.onlyHow {
			return page, err
		}
	}
	rows, err := s.run(tx, q, q.count+1)
	if err != nil {
		return Page{}, err
	}
	if len(rows) > q.count {
		last := rows[q.count-1]
		rows = rows[:q.count]
		next := &cursor{n: last.n}
		switch q.order {
		case byValues:
			next = &cursor{offset: q.count}
			if q.from != nil {
				next.offset += q.from.offset
			}
		case byAt:
			next.key = store.Micros(last.At)
		default:
			if next.key, err = dateOf(tx, scope.Org, last.n); err != nil {
				return Page{}, err
			}
		}
		page.Next = next.String()
	}
	for _, r := range rows {
		page.Matches = append(page.Matches, r.Resource)
	}
	page.Included, err = s.included(tx, q, rows)
	return page, err
}

func dateOf(tx *store.Tx, org string, n int64) (date int64, err error) {
	_, err = tx.Row("SELECT date FROM record_resource WHERE org = $1 AND n = $2", []any{org, n}, &date)
	return date, err
}

// run answers up to limit matches in order (0: all).
func (s *Service) run(tx *store.Tx, q *query, limit int) ([]stored, error) {
	targets, err := s.targets(tx, q)
	if err != nil {
		return nil, err
	}
	if q.order == byValues {
		return s.sorted(tx, q, targets, limit)
	}
	if len(q.residual) == 0 {
		return fetch(tx, q, targets, limit)
	}
	var out []stored
	walk := *q
	for step := max(200, limit); ; { // what only the bytes can tell: read on until enough fit
		rows, err := fetch(tx, &walk, targets, step)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if q.fits(r) {
				if out = append(out, r); len(out) == limit {
					return out, nil
				}
			}
		}
		if len(rows) < step {
			return out, nil
		}
		last := rows[len(rows)-1]
		key := store.Micros(last.At)
		if q.order == byDate {
			if key, err = dateOf(tx, q.scope.Org, last.n); err != nil {
				return nil, err
			}
		}
		walk.from = &cursor{key: key, n: last.n}
	}
}

func (q *query) fits(r stored) bool {
	if len(q.residual) == 0 {
		return true
	}
	ix, err := fhir.Extract(r.Body)
	return err == nil && !slices.ContainsFunc(q.residual, func(fn func(*fhir.Index, []byte) bool) bool { return !fn(ix, r.Body) })
}

func fetch(tx *store.Tx, q *query, targets map[int][]int64, limit int) ([]stored, error) {
	b := &builder{engine: tx.Engine(), args: []any{q.scope.Org}}
	if err := b.plan(tx, q, targets); err != nil {
		return nil, err
	}
	text := b.text(resourceColumns, q, limit)
	return store.All(tx, text, b.args, scanStored)
}

// sorted reads every match, up to sortMost, and sorts them by values that no index has in order.
func (s *Service) sorted(tx *store.Tx, q *query, targets map[int][]int64, limit int) ([]stored, error) {
	rows, err := fetch(tx, q, targets, sortMost+1)
	if err != nil {
		return nil, err
	}
	if len(rows) > sortMost {
		return nil, fault.New(fault.TooMuch, "more than %d resources would have to be sorted: narrow the search, or sort by date or _lastUpdated", sortMost)
	}
	type keyed struct {
		row  stored
		keys []string
	}
	all := make([]keyed, 0, len(rows))
	for _, r := range rows {
		ix, err := fhir.Extract(r.Body)
		if err != nil || !q.fits(r) {
			continue
		}
		k := keyed{row: r}
		for _, by := range q.sorts {
			switch {
			case by.id:
				k.keys = append(k.keys, r.ID)
			case by.at:
				k.keys = append(k.keys, r.At.Format("20060102150405.000000"))
			default:
				k.keys = append(k.keys, fhir.Key(ix, r.Body, by.param, by.desc))
			}
		}
		all = append(all, k)
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		for i, by := range q.sorts {
			c := cmp.Compare(a.keys[i], b.keys[i])
			switch {
			case c == 0:
				continue
			case a.keys[i] == "" || b.keys[i] == "": // those without a value come last, either way
				return -c
			case by.desc:
				return -c
			}
			return c
		}
		return cmp.Compare(a.row.n, b.row.n)
	})
	from := 0
	if q.from != nil {
		from = min(q.from.offset, len(all))
	}
	var out []stored
	for _, k := range all[from:] {
		if out = append(out, k.row); len(out) == limit {
			break
		}
	}
	return out, nil
}

// total counts every match.
func (s *Service) total(tx *store.Tx, q *query) (int, error) {
	all := *q
	all.from, all.order = nil, byDate
	if len(q.residual) > 0 {
		rows, err := s.run(tx, &all, 0)
		return len(rows), err
	}
	targets, err := s.targets(tx, &all)
	if err != nil {
		return 0, err
	}
	b := &builder{engine: tx.Engine(), args: []any{q.scope.Org}}
	if err := b.plan(tx, &all, targets); err != nil {
		return 0, err
	}
	all.order = byValues // no ORDER BY
	var n int
	_, err = tx.Row(b.text("COUNT(*)", &all, 0), b.args, &n)
	return n, err
}

// targets turns the references that filters ask for into what rows hold: also the conditional references that named the
// same resource but could not be resolved when they came in.
func (s *Service) targets(tx *store.Tx, q *query) (map[int][]int64, error) {
	out := map[int][]int64{}
	for i := range q.filters {
		for _, target := range q.filters[i].targets {
			out[i] = append(out[i], fhir.Hash(target))
			typ, id, ok := strings.Cut(target, "/")
			if !ok || !fhir.KnownType(typ) {
				continue
			}
			more, err := unresolved(tx, q.scope.Org, typ, id)
			if err != nil {
				return nil, err
			}
			out[i] = append(out[i], more...)
		}
	}
	return out, nil
}

func unresolved(tx *store.Tx, org, typ, id string) ([]int64, error) {
	var n int64
	if found, err := tx.Row("SELECT n FROM record_unresolved WHERE org = $1 LIMIT 1", []any{org}, &n); err != nil || !found {
		return nil, err
	}
	row, found, err := current(tx, org, typ, id)
	if err != nil || !found || row.Deleted {
		return nil, err
	}
	var out []int64
	for _, ident := range fhir.Identifiers(row.Body) {
		for _, text := range []string{ident.System + "|" + ident.Value, ident.Value} {
			target := fhir.Hash(typ + "?identifier=" + text)
			found, err := tx.Row("SELECT n FROM record_unresolved WHERE org = $1 AND target = $2 LIMIT 1", []any{org, target}, &n)
			if err != nil {
				return nil, err
			}
			if found {
				out = append(out, target)
			}
		}
	}
	return out, nil
}

// match answers the resources that a conditional reference or condition ("Type?parameters") names, two at the most. local
// are identifiers of resources that are about to be written.
func (s *Service) match(tx *store.Tx, org, condition string, local map[fhir.TokenRow][]string) ([]string, error) {
	typ, query, _ := strings.Cut(condition, "?")
	v, err := url.ParseQuery(query)
	if err != nil {
		return nil, fault.Invalidf("a condition on %s cannot be read", clip(typ))
	}
	q, err := parseQuery(Scope{Org: org}, typ, v)
	if err != nil {
		return nil, err
	}
	if len(q.Unknown) > 0 || len(q.filters) == 0 && q.ids == nil {
		return nil, fault.Invalidf("a condition on %s names no parameter that is known", typ)
	}
	rows, err := s.run(tx, q, 2)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		out = append(out, r.Type+"/"+r.ID)
	}
	if len(local) > 0 && len(q.filters) == 1 && q.filters[0].param.Code == "identifier" && len(q.filters[0].tokens) == 1 {
		t := q.filters[0].tokens[0]
		for _, ref := range local[fhir.TokenRow{Path: q.filters[0].param.Paths[0].Key, Code: t.code, System: t.system}] {
			if !slices.Contains(out, ref) {
				out = append(out, ref)
			}
		}
	}
	return out, nil
}
