package record

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
)

// orders in which a search answers from an index, and the one that has to look at every match.
type order uint8

const (
	byDate   order = iota // the type's principal date
	byAt                  // _lastUpdated
	byValues              // anything else: all matches are read and sorted
)

const (
	countUsual = 50
	countMost  = 1000
	// sortMost bounds the matches that are read to be sorted by a value without an index.
	sortMost = 5000
)

// query is a search that has been understood.
type query struct {
	typ      string
	scope    Scope
	filters  []filter
	ids      []string // _id; nil: any
	at       []dates  // _lastUpdated, all of them
	order    order
	desc     bool
	sorts    []sorting // byValues
	count    int       // 0: as many as there are
	from     *cursor
	include  []include
	reverse  []include
	total    bool // count every match
	onlyHow  bool // _summary=count: no resources
	residual []func(*fhir.Index, []byte) bool
	Unknown  []string
}

type sorting struct {
	param *fhir.Param
	id    bool
	at    bool
	desc  bool
}

// include is _include=Type:param:Target or, turned round, _revinclude.
type include struct {
	typ, target string
	param       *fhir.Param // nil: all references
}

// cursor is where the next page begins: after (key, n), or at an offset of a sorted answer.
type cursor struct {
	key, n int64
	offset int
}

func (c *cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.key, 36) + "." + strconv.FormatInt(c.n, 36) + "." + strconv.Itoa(c.offset)))
}

func parseCursor(s string) (*cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	f := strings.Split(string(b), ".")
	if err != nil || len(f) != 3 {
		return nil, fault.Invalidf("_cursor is not one of ours")
	}
	key, err1 := strconv.ParseInt(f[0], 36, 64)
	n, err2 := strconv.ParseInt(f[1], 36, 64)
	offset, err3 := strconv.Atoi(f[2])
	if err1 != nil || err2 != nil || err3 != nil || offset < 0 {
		return nil, fault.Invalidf("_cursor is not one of ours")
	}
	return &cursor{key, n, offset}, nil
}

// parseQuery understands a search's parameters; those it does not know it lists, in order.
func parseQuery(scope Scope, typ string, q url.Values) (*query, error) {
	if !fhir.KnownType(typ) {
		return nil, fault.NotFoundf("R4 has no resource type %q", clip(typ))
	}
	out := &query{typ: typ, scope: scope, order: byDate, desc: true, count: countUsual}
	names := make([]string, 0, len(q))
	for name := range q {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range q[name] {
			known, err := out.param(name, value)
			if err != nil {
				return nil, err
			}
			if !known {
				out.Unknown = append(out.Unknown, name)
				break
			}
		}
	}
	return out, nil
}

func (q *query) param(name, value string) (known bool, err error) {
	code, modifier, _ := strings.Cut(name, ":")
	switch code {
	case "_id":
		var ids []string
		for _, id := range split(value) {
			if fhir.ValidID(id) && (q.ids == nil || slices.Contains(q.ids, id)) {
				ids = append(ids, id)
			}
		}
		q.ids = append([]string{}, ids...)
	case "_lastUpdated":
		d, err := parseDates(value)
		if err != nil {
			return true, err
		}
		q.at = append(q.at, d)
	case "_count":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return true, fault.Invalidf("_count is not a number")
		}
		q.count = max(1, min(n, countMost))
		q.onlyHow = q.onlyHow || n == 0
		q.total = q.total || n == 0
	case "_sort":
		return q.sort(value)
	case "_cursor":
		q.from, err = parseCursor(value)
		return true, err
	case "_total":
		if value != "accurate" && value != "none" && value != "estimate" {
			return true, fault.Invalidf("_total is none, estimate or accurate")
		}
		q.total = value != "none"
	case "_summary":
		if value != "count" && value != "false" {
			return false, nil
		}
		if value == "count" {
			q.onlyHow, q.total = true, true
		}
	case "_format", "_pretty": // for the edge
	case "_include":
		if modifier != "" {
			return false, nil
		}
		return parseInclude(value, &q.include, q.typ)
	case "_revinclude":
		if modifier != "" {
			return false, nil
		}
		return parseInclude(value, &q.reverse, "")
	default:
		p := fhir.FindParam(q.typ, code)
		if p == nil {
			return false, nil
		}
		return true, q.filter(p, modifier, value)
	}
	return modifier == "", nil
}

func (q *query) sort(value string) (bool, error) {
	for _, part := range split(value) {
		code, desc := strings.CutPrefix(part, "-")
		s := sorting{desc: desc, id: code == "_id", at: code == "_lastUpdated"}
		if !s.id && !s.at {
			if s.param = fhir.FindParam(q.typ, code); s.param == nil {
				return true, fault.Invalidf("%s cannot be sorted by %q", q.typ, clip(code))
			}
		}
		q.sorts = append(q.sorts, s)
	}
	q.order = byValues
	if len(q.sorts) == 1 {
		s := q.sorts[0]
		switch principal := fhir.PrincipalDate(q.typ); {
		case s.at:
			q.order, q.desc = byAt, s.desc
		case s.param != nil && principal != nil && samePaths(s.param, principal):
			q.order, q.desc = byDate, s.desc
		}
	}
	return true, nil
}

func samePaths(a, b *fhir.Param) bool {
	return slices.EqualFunc(a.Paths, b.Paths, func(x, y fhir.Path) bool { return x.Key == y.Key })
}

func parseInclude(value string, list *[]include, from string) (bool, error) {
	f := strings.Split(value, ":")
	if value == "*" && from != "" {
		*list = append(*list, include{typ: from})
		return true, nil
	}
	if len(f) < 2 || len(f) > 3 || !fhir.KnownType(f[0]) {
		return true, fault.Invalidf("an include is written Type:parameter or Type:parameter:Target")
	}
	in := include{typ: f[0]}
	if f[1] != "*" {
		if in.param = fhir.FindParam(f[0], f[1]); in.param == nil || in.param.Kind != fhir.KindReference {
			return true, fault.Invalidf("%s has no reference parameter %q", f[0], clip(f[1]))
		}
	}
	if len(f) == 3 {
		in.target = f[2]
	}
	*list = append(*list, in)
	return true, nil
}

// split cuts the alternatives of a value at its commas; a backslash keeps one.
func split(value string) []string {
	if !strings.ContainsRune(value, '\\') {
		return strings.Split(value, ",")
	}
	var out []string
	start := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case ',':
			out = append(out, value[start:i])
			start = i + 1
		}
	}
	return append(out, value[start:])
}

var unescape = strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\|`, `|`, `\$`, `$`)

func clip(s string) string { return s[:min(len(s), 60)] }
