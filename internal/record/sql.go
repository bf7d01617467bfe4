package record

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// builder writes one SELECT. $1 is always the organization.
type builder struct {
	engine store.Engine
	args   []any
	where  []string
	driver string // the table that the walk begins in, as FROM has it; "" : record_resource alone
	date   string // the column that holds the principal date in walking order
	n      string
}

func (b *builder) arg(v any) string {
	b.args = append(b.args, v)
	return fmt.Sprintf("$%d", len(b.args))
}

// in writes "column IN (…)" or an equality.
func (b *builder) in(column string, values []int64) string {
	if len(values) == 1 {
		return column + " = " + b.arg(values[0])
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = b.arg(v)
	}
	return column + " IN (" + strings.Join(parts, ", ") + ")"
}

func keys(paths []fhir.Path) []int64 {
	out := make([]int64, len(paths))
	for i, p := range paths {
		out[i] = p.Key
	}
	return out
}

// whereTokens is the condition on record_token (as x) but for n: for the driver and for probes.
func (b *builder) whereTokens(f *filter, t token) string {
	paths := keys(f.param.Paths)
	if t.path != 0 {
		paths = []int64{t.path}
	}
	c := "x.org = $1 AND " + b.in("x.path", paths)
	if !t.anyCode {
		c += " AND x.code = " + b.arg(t.code)
	}
	if !t.anySystem {
		c += " AND x.system = " + b.arg(t.system)
	}
	return c
}

func (b *builder) whereTexts(f *filter, text string) string {
	c := "x.org = $1 AND " + b.in("x.path", keys(f.param.Paths))
	switch {
	case f.contains && b.engine == store.SQLite:
		return c + " AND instr(x.value, " + b.arg(text) + ") > 0"
	case f.contains:
		return c + " AND strpos(x.value, " + b.arg(text) + ") > 0"
	}
	return c + " AND x.value >= " + b.arg(text) + " AND x.value < " + b.arg(text+"\U0010FFFF")
}

// whereRefs is the condition on record_ref (as x).
func (b *builder) whereRefs(paths []fhir.Path, targets []int64) string {
	return "x.org = $1 AND " + b.in("x.path", keys(paths)) + " AND " + b.in("x.target", targets)
}

// one writes "there is such a row" in a form that PostgreSQL does not turn into a join: it would gather every row of the
// organization that fits (all vital signs, to find one patient's), where a probe is one step down an index.
func (b *builder) one(from string) string { return "(SELECT 1 FROM " + from + " LIMIT 1) IS NOT NULL" }

// probe writes a filter as a condition on the resource r that is being looked at. Every probe is a short walk of one key,
// but for "any code of a system" and texts, which are gathered once.
func (b *builder) probe(f *filter, targets []int64) string {
	var or []string
	for _, t := range f.tokens {
		if t.anyCode {
			or = append(or, "r.n IN (SELECT x.n FROM record_token x WHERE "+b.whereTokens(f, t)+")")
		} else {
			or = append(or, b.one("record_token x WHERE "+b.whereTokens(f, t)+" AND x.n = r.n"))
		}
	}
	for _, text := range f.texts {
		or = append(or, "r.n IN (SELECT x.n FROM record_string x WHERE "+b.whereTexts(f, text)+")")
	}
	if len(targets) > 0 {
		or = append(or, b.one("record_ref x WHERE "+b.whereRefs(f.param.Paths, targets)+" AND x.date = r.date AND x.n = r.n"))
	}
	for _, d := range f.dates {
		or = append(or, b.one("record_date x WHERE x.org = $1 AND x.n = r.n AND "+b.in("x.path", keys(f.param.Paths))+
			" AND "+b.dated(d, "x.low", "x.high")))
	}
	for _, a := range f.amounts {
		or = append(or, b.one("record_quantity x WHERE x.org = $1 AND x.n = r.n AND "+b.in("x.path", keys(f.param.Paths))+
			" AND "+b.amount(a)))
	}
	c := "(" + strings.Join(or, " OR ") + ")"
	if f.not {
		c = "NOT " + c
	}
	return c
}

// dated compares a span in the database with the one asked for (hl7.org/fhir/R4/search.html#prefix).
func (b *builder) dated(d dated, low, high string) string {
	l, h := func() string { return b.arg(d.span.Low) }, func() string { return b.arg(d.span.High) }
	within := func() string { return low + " >= " + l() + " AND " + high + " <= " + h() }
	switch d.prefix {
	case "ne":
		return "NOT (" + within() + ")"
	case "gt":
		return high + " > " + h()
	case "lt":
		return low + " < " + l()
	case "ge":
		return "(" + high + " > " + h() + " OR " + within() + ")"
	case "le":
		return "(" + low + " < " + l() + " OR " + within() + ")"
	case "sa":
		return low + " >= " + h()
	case "eb":
		return high + " <= " + l()
	case "ap":
		return low + " < " + h() + " AND " + high + " > " + l()
	}
	return within()
}

func (b *builder) amount(a amount) string {
	v := func(f float64) string { return b.arg(f) }
	var c string
	switch a.prefix {
	case "ne":
		c = "NOT (x.value >= " + v(a.value-a.half) + " AND x.value < " + v(a.value+a.half) + ")"
	case "gt", "sa":
		c = "x.value > " + v(a.value)
	case "lt", "eb":
		c = "x.value < " + v(a.value)
	case "ge":
		c = "x.value >= " + v(a.value)
	case "le":
		c = "x.value <= " + v(a.value)
	case "ap":
		c = "x.value >= " + v(a.value-a.half) + " AND x.value <= " + v(a.value+a.half)
	default:
		c = "x.value >= " + v(a.value-a.half) + " AND x.value < " + v(math.Nextafter(a.value+a.half, math.Inf(1)))
	}
	switch {
	case a.unit && a.code != 0:
		c += " AND (x.code = " + b.arg(a.code) + " OR x.unit = " + b.arg(a.code) + ")"
	case a.code != 0:
		c += " AND x.code = " + b.arg(a.code)
	}
	if a.system != 0 {
		c += " AND x.system = " + b.arg(a.system)
	}
	return c
}

// rareMost is how many rows a filter may leave and still drive a search whose answer is sorted afterwards; with more, the
// walk goes along the date index and probes.
const rareMost = 2000

// plan chooses the driver and writes FROM and WHERE. A reference drives when there is one (its key is in date order), then
// a token or text that leaves few rows, else the type itself in date order.
func (b *builder) plan(tx *store.Tx, q *query, targets map[int][]int64) error {
	free, paths, self := q.scope.places(q.typ)
	order := make([]int, len(q.filters))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return q.filters[x].selectivity() - q.filters[y].selectivity() })
	driving := -1
	b.date, b.n = "r.date", "r.n"
	switch {
	case self:
		b.where = append(b.where, "r.id = "+b.arg(q.scope.Patient))
	case !free:
		me := []int64{fhir.Hash("Patient/" + q.scope.Patient)}
		if len(paths) == 0 {
			b.where = append(b.where, "r.n < 0") // sees nothing of the type
		} else {
			b.drive("record_ref", b.whereRefs(paths, me), len(paths) > 1)
		}
	case q.ids != nil || len(order) == 0:
	default:
		i := order[0]
		f := &q.filters[i]
		if len(targets[i]) > 0 {
			b.drive("record_ref", b.whereRefs(f.param.Paths, targets[i]), len(f.param.Paths)*len(targets[i]) > 1)
			driving = i
			break
		}
		if f.selectivity() >= 9 || len(f.tokens)+len(f.texts) != 1 {
			break
		}
		table := "record_token"
		cond := func(b *builder) string {
			if len(f.texts) > 0 {
				return b.whereTexts(f, f.texts[0])
			}
			return b.whereTokens(f, f.tokens[0])
		}
		if len(f.texts) > 0 {
			table = "record_string"
		}
		count := &builder{engine: b.engine, args: b.args[:1:1]}
		var n int64
		if _, err := tx.Row("SELECT COUNT(*) FROM (SELECT 1 FROM "+table+" x WHERE "+cond(count)+" LIMIT "+fmt.Sprint(rareMost+1)+") c", count.args, &n); err != nil {
			return err
		}
		if n <= rareMost {
			b.driver = "(SELECT DISTINCT x.n FROM " + table + " x WHERE " + cond(b) + ") d CROSS JOIN record_resource r"
			b.where = append(b.where, "r.n = d.n")
			driving = i
		}
	}
	if b.driver == "" {
		b.where = append(b.where, "r.type = "+b.arg(q.typ))
	}
	b.where = append(b.where, "r.org = $1", "r.deleted = 0")
	for _, i := range order {
		if i != driving {
			b.where = append(b.where, b.probe(&q.filters[i], targets[i]))
		}
	}
	if q.ids != nil {
		parts := []string{"''"}
		for _, id := range q.ids {
			parts = append(parts, b.arg(id))
		}
		b.where = append(b.where, "r.id IN ("+strings.Join(parts, ", ")+")")
	}
	for _, at := range q.at {
		var or []string
		for _, d := range at {
			or = append(or, b.dated(d, "r.at", "r.at + 1"))
		}
		b.where = append(b.where, "("+strings.Join(or, " OR ")+")")
	}
	return nil
}

func (b *builder) drive(table, cond string, repeated bool) {
	if repeated { // the same resource may stand under two paths or names
		b.driver = "(SELECT DISTINCT x.date, x.n FROM " + table + " x WHERE " + cond + ") d CROSS JOIN record_resource r"
	} else {
		b.driver = table + " x CROSS JOIN record_resource r"
		b.where = append(b.where, cond, "r.n = x.n")
		b.date, b.n = "x.date", "x.n"
		return
	}
	b.where = append(b.where, "r.n = d.n")
	b.date, b.n = "d.date", "d.n"
}

// text answers the SELECT of columns; order and limit as the query wants them.
func (b *builder) text(columns string, q *query, limit int) string {
	from := b.driver
	if from == "" {
		from = "record_resource r"
	}
	where, order := b.where, ""
	column := b.date
	if q.order == byAt {
		column, b.n = "r.at", "r.n"
	}
	if q.order != byValues {
		less, dir := ">", ""
		if q.desc {
			less, dir = "<", " DESC"
		}
		if q.from != nil {
			where = append(slices.Clone(where), fmt.Sprintf("(%s, %s) %s (%s, %s)", column, b.n, less, b.arg(q.from.key), b.arg(q.from.n)))
		}
		order = fmt.Sprintf(" ORDER BY %s%s, %s%s", column, dir, b.n, dir)
	}
	text := "SELECT " + columns + " FROM " + from + " WHERE " + strings.Join(where, " AND ") + order
	if limit > 0 {
		text += fmt.Sprintf(" LIMIT %d", limit)
	}
	return text
}
