package fhir

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Index is what search needs to know of one resource: compact rows, each under the Key of a Path.
type Index struct {
	Type, ID   string // ID is "" when the resource has none
	Date       int64  // the low end of the principal date, microseconds since 1970 UTC; Ever when it has none
	Tokens     []TokenRow
	Refs       []RefRow
	Strings    []StringRow
	Dates      []DateRow
	Quantities []QuantityRow
	Links      []Link
}

// ExtractVersion says which rows Extract answers: it grows whenever an Index of the same bytes would hold other ones, so that indexes that are
// stored are made anew.
const ExtractVersion = 1

// TokenRow is a code in a system, or an exact uri; System is 0 where there is none.
type TokenRow struct{ Path, Code, System int64 }

// RefRow is a reference; Target is the Hash of "Type/id", of an absolute URL, or of a conditional reference as written.
type RefRow struct{ Path, Target int64 }

// StringRow is a folded text.
type StringRow struct {
	Path  int64
	Value string
}

// DateRow is a span of time.
type DateRow struct {
	Path int64
	Span Span
}

// QuantityRow is an amount; System, Code and Unit are hashes, 0 where absent.
type QuantityRow struct {
	Path               int64
	Value              float64
	System, Code, Unit int64
}

// Link is a place in the bytes that names another resource: b[Start:End] are the characters between the quotes.
type Link struct {
	Start, End int
	Target     string // what it says
}

// node is a step of the trie that all paths of a type make: where its object's keys lead, and what is taken there.
type node struct {
	kids []kid
	acts []act
}

type kid struct {
	name string
	to   *node
}

type act struct {
	key  int64
	kind Kind
	dt   string
	cond condition
}

func (n *node) kid(name []byte) *node {
	if n == nil {
		return nil
	}
	for i := range n.kids {
		if n.kids[i].name == string(name) {
			return n.kids[i].to
		}
	}
	return nil
}

func makeTrie(params []*Param) *node {
	root, seen := &node{}, map[int64]bool{}
	for _, p := range params {
		for _, path := range p.Paths {
			if seen[path.Key] {
				continue
			}
			seen[path.Key] = true
			n := root
			for name := range strings.SplitSeq(path.Text, ".") {
				next := n.kid([]byte(name))
				if next == nil {
					next = &node{}
					n.kids = append(n.kids, kid{name, next})
				}
				n = next
			}
			dt, cond := parseCondition(path.Type)
			n.acts = append(n.acts, act{path.Key, p.Kind, dt, cond})
		}
	}
	return root
}

// extractor walks one resource.
type extractor struct {
	scanner
	t   *table
	out *Index
}

// Extract reads a resource once: that it is JSON, that it is a resource of a known type, that every date in it can be, and
// what search needs of it. Unknown elements and repeated keys are let pass. The error is a *SyntaxError.
func Extract(b []byte) (*Index, error) {
	x := &extractor{scanner: scanner{b: b, path: make([]step, 0, 16)}, t: tables(), out: &Index{Date: Ever}}
	if !utf8.Valid(b) {
		return nil, &SyntaxError{Offset: invalidAt(b), Reason: "not UTF-8"}
	}
	x.space()
	if x.i >= len(b) || b[x.i] != '{' {
		return nil, x.fail(x.i, "not a JSON object")
	}
	var err error
	if x.out.Type, x.out.ID, err = Head(b); err != nil {
		return nil, err
	}
	if err := x.value(x.t.tries[x.out.Type], false, 0); err != nil {
		return nil, err
	}
	x.space()
	if x.i < len(b) {
		return nil, x.fail(x.i, "something stands after the resource")
	}
	x.finish()
	return x.out, nil
}

func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

func (x *extractor) value(n *node, date bool, depth int) error {
	if depth > depthMost {
		return x.fail(x.i, "nested deeper than %d", depthMost)
	}
	if x.i >= len(x.b) {
		return x.fail(x.i, "the text ends too early")
	}
	switch c := x.b[x.i]; c {
	case '{':
		return x.object(n, depth)
	case '[':
		return x.array(n, date, depth)
	case '"':
		start := x.i
		raw, err := x.str()
		if err == nil && date {
			if _, err := ParseSpan(string(raw), nil); err != nil {
				return x.fail(start, "not a date that can be")
			}
		}
		return err
	case 't':
		return x.literal("true")
	case 'f':
		return x.literal("false")
	case 'n':
		return x.literal("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return x.number()
		}
		return x.fail(x.i, "not a value")
	}
}

func (x *extractor) array(n *node, date bool, depth int) error {
	x.i++
	x.space()
	if x.i < len(x.b) && x.b[x.i] == ']' {
		x.i++
		return nil
	}
	x.path = append(x.path, step{})
	for k := 0; ; k++ {
		x.path[len(x.path)-1].index = k
		x.space()
		if err := x.value(n, date, depth+1); err != nil {
			return err
		}
		x.space()
		if x.i >= len(x.b) {
			return x.fail(x.i, "the text ends too early")
		}
		switch x.b[x.i] {
		case ',':
			x.i++
			continue
		case ']':
			x.i++
			x.path = x.path[:len(x.path)-1]
			return nil
		}
		return x.fail(x.i, "a comma or ] should stand here")
	}
}

func (x *extractor) object(n *node, depth int) error {
	x.i++
	x.space()
	if x.i < len(x.b) && x.b[x.i] == '}' {
		x.i++
		return nil
	}
	for {
		x.space()
		key, err := x.str()
		if err != nil {
			return err
		}
		x.space()
		if x.i >= len(x.b) || x.b[x.i] != ':' {
			return x.fail(x.i, "a colon should stand here")
		}
		x.i++
		x.space()
		x.path = append(x.path, step{key: key})
		if err := x.member(n, key, depth); err != nil {
			return err
		}
		x.path = x.path[:len(x.path)-1]
		x.space()
		if x.i >= len(x.b) {
			return x.fail(x.i, "the text ends too early")
		}
		switch x.b[x.i] {
		case ',':
			x.i++
			continue
		case '}':
			x.i++
			return nil
		}
		return x.fail(x.i, "a comma or } should stand here")
	}
}

func (x *extractor) member(n *node, key []byte, depth int) error {
	start := x.i
	kid := n.kid(key)
	not, date := x.t.dates[string(key)]
	if err := x.value(kid, date && not != x.out.Type, depth+1); err != nil {
		return err
	}
	raw := x.b[start:x.i]
	if raw[0] == '"' && linking(key, raw) {
		x.out.Links = append(x.out.Links, Link{start + 1, x.i - 1, stringOf(raw)})
	}
	if kid != nil {
		for i := range kid.acts {
			a := &kid.acts[i]
			items(raw, func(item []byte) { x.take(a, item) })
		}
	}
	return nil
}

// linking reports whether a string names another resource: every reference, and the other uris that a bundle's temporary
// names may stand in. Contained ones ("#…") are no links.
func linking(key, raw []byte) bool {
	switch string(key) {
	case "reference":
		return len(raw) > 2 && raw[1] != '#'
	case "url", "valueUri", "valueUrl", "valueUuid", "valueOid", "valueCanonical":
		return bytes.HasPrefix(raw, []byte(`"urn:uuid:`)) || bytes.HasPrefix(raw, []byte(`"urn:oid:`))
	}
	return false
}

// finish puts the rows in order, each once: they are keys of tables.
func (x *extractor) finish() {
	o := x.out
	if o.Type == "Patient" { // its expression counts a missing "deceased" as false
		key := FindParam("Patient", "deceased").Paths[0].Key
		if !slices.ContainsFunc(o.Tokens, func(r TokenRow) bool { return r.Path == key || r.Code == hashTrue && isDeceased(r.Path) }) {
			o.Tokens = append(o.Tokens, TokenRow{key, hashFalse, 0})
		}
	}
	o.Tokens = unique(o.Tokens, func(a, b TokenRow) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Code, b.Code), cmp.Compare(a.System, b.System))
	})
	o.Refs = unique(o.Refs, func(a, b RefRow) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Target, b.Target)) })
	o.Strings = unique(o.Strings, func(a, b StringRow) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), strings.Compare(a.Value, b.Value))
	})
	o.Dates = unique(o.Dates, func(a, b DateRow) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Span.Low, b.Span.Low), cmp.Compare(a.Span.High, b.Span.High))
	})
	o.Quantities = unique(o.Quantities, func(a, b QuantityRow) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Value, b.Value), cmp.Compare(a.System, b.System),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Unit, b.Unit))
	})
	if p := x.t.principal[o.Type]; p != nil {
		for _, d := range o.Dates {
			for _, path := range p.Paths {
				if d.Path == path.Key && (o.Date == Ever || d.Span.Low < o.Date) {
					o.Date = d.Span.Low
				}
			}
		}
	}
}

func isDeceased(path int64) bool {
	return slices.ContainsFunc(FindParam("Patient", "deceased").Paths, func(p Path) bool { return p.Key == path })
}

func unique[T comparable](rows []T, less func(a, b T) int) []T {
	if len(rows) < 2 {
		return rows
	}
	slices.SortFunc(rows, less)
	return slices.Compact(rows)
}

// Retarget says that what stood as a reference is now another: the rows follow, the links keep what the bytes say.
func (o *Index) Retarget(from, to string) {
	old, now := Hash(from), Hash(to)
	for i := range o.Refs {
		if o.Refs[i].Target == old {
			o.Refs[i].Target = now
		}
	}
	o.Refs = unique(o.Refs, func(a, b RefRow) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Target, b.Target)) })
}
