package fhir

import (
	"math"
	"strconv"
	"strings"
)

// condition is the where(x = 'y') of a path's expression, and what is taken below the object that passes it.
type condition struct{ key, value, below string }

// parseCondition takes "ContactPoint?system=email" apart.
func parseCondition(dt string) (string, condition) {
	name, rest, ok := strings.Cut(dt, "?")
	if !ok {
		return dt, condition{}
	}
	key, value, _ := strings.Cut(rest, "=")
	value, below, _ := strings.Cut(value, ".")
	return name, condition{key, value, below}
}

var hashTrue, hashFalse = Hash("true"), Hash("false")

// take turns one element into rows, by the kind of the parameter and the data type of the element
// (hl7.org/fhir/R4/search.html, the tables under each parameter type).
func (x *extractor) take(a *act, v []byte) {
	if a.cond.key != "" {
		if memberString(v, a.cond.key) != a.cond.value {
			return
		}
		if a.cond.below != "" {
			if v = member(v, a.cond.below); v == nil {
				return
			}
		}
	}
	switch a.kind {
	case KindToken:
		x.token(a, v)
	case KindReference:
		x.reference(a, v)
	case KindString:
		x.text(a, v)
	case KindDate:
		x.date(a, v)
	case KindNumber, KindQuantity:
		x.amount(a, v)
	case KindURI:
		x.addToken(a.key, stringOf(v), "")
	}
}

func (x *extractor) addToken(path int64, code, system string) {
	if code != "" {
		x.out.Tokens = append(x.out.Tokens, TokenRow{path, Hash(code), Hash(system)})
	}
}

func (x *extractor) token(a *act, v []byte) {
	switch {
	case a.dt == "CodeableConcept":
		items(member(v, "coding"), func(c []byte) { x.addToken(a.key, memberString(c, "code"), memberString(c, "system")) })
	case a.dt == "Identifier" || a.dt == "ContactPoint":
		x.addToken(a.key, memberString(v, "value"), memberString(v, "system"))
	case v[0] == '{':
		x.addToken(a.key, memberString(v, "code"), memberString(v, "system"))
	case a.dt == "deceased" && v[0] == '"':
		x.out.Tokens = append(x.out.Tokens, TokenRow{a.key, hashTrue, 0})
	case v[0] == '"':
		x.addToken(a.key, stringOf(v), "")
	case v[0] == 't':
		x.out.Tokens = append(x.out.Tokens, TokenRow{a.key, hashTrue, 0})
	case v[0] == 'f':
		x.out.Tokens = append(x.out.Tokens, TokenRow{a.key, hashFalse, 0})
	}
}

// IdentifierKey is the key of the token rows that a reference's own identifier makes, for the modifier :identifier.
func IdentifierKey(path int64) int64 { return Hash("identifier of " + strconv.FormatInt(path, 36)) }

func (x *extractor) reference(a *act, v []byte) {
	if v[0] == '"' { // canonical, uri
		target := stringOf(v)
		x.addRef(a.key, target)
		if bare, _, ok := strings.Cut(target, "|"); ok {
			x.addRef(a.key, bare)
		}
		return
	}
	if a.dt == "Attachment" {
		x.addRef(a.key, memberString(v, "url"))
		return
	}
	if target := memberString(v, "reference"); target != "" && target[0] != '#' {
		x.addRef(a.key, Versionless(target))
	}
	if id := member(v, "identifier"); id != nil {
		if value := memberString(id, "value"); value != "" {
			x.out.Tokens = append(x.out.Tokens, TokenRow{IdentifierKey(a.key), Hash(value), Hash(memberString(id, "system"))})
		}
	}
}

// Versionless takes "/_history/n" off a reference.
func Versionless(target string) string {
	if i := strings.Index(target, "/_history/"); i >= 0 {
		return target[:i]
	}
	return target
}

func (x *extractor) addRef(path int64, target string) {
	if target != "" {
		x.out.Refs = append(x.out.Refs, RefRow{path, Hash(target)})
	}
}

func (x *extractor) addString(path int64, s string) {
	if s = Fold(s); s != "" {
		x.out.Strings = append(x.out.Strings, StringRow{path, s})
	}
}

func (x *extractor) text(a *act, v []byte) {
	if v[0] == '"' {
		x.addString(a.key, stringOf(v))
		return
	}
	for _, s := range Texts(a.dt, v) {
		x.addString(a.key, s)
	}
}

// Texts answers the parts of a HumanName or Address that a string search looks at.
func Texts(dt string, v []byte) []string {
	var out []string
	fields(v, func(key []byte, from, to int) bool {
		switch string(key) {
		case "family", "given", "prefix", "suffix", "text", "line", "city", "district", "state", "postalCode", "country":
			items(v[from:to], func(item []byte) {
				if s := stringOf(item); s != "" {
					out = append(out, s)
				}
			})
		}
		return true
	})
	return out
}

func (x *extractor) date(a *act, v []byte) {
	if s, ok := spanOf(a.dt, v); ok {
		x.out.Dates = append(x.out.Dates, DateRow{a.key, s})
	}
}

// spanOf answers the span of a date, Period or Timing; for a Timing from its first to its last event and bound.
func spanOf(dt string, v []byte) (Span, bool) {
	if v[0] == '"' {
		s, err := ParseSpan(stringOf(v), nil)
		return s, err == nil
	}
	switch dt {
	case "Period":
		return periodOf(v)
	case "Timing":
		out, some := Span{Never, Ever}, false
		widen := func(s Span, ok bool) {
			if ok {
				out, some = Span{min(out.Low, s.Low), max(out.High, s.High)}, true
			}
		}
		items(member(v, "event"), func(e []byte) { widen(spanOf("dateTime", e)) })
		if repeat := member(v, "repeat"); repeat != nil {
			if bounds := member(repeat, "boundsPeriod"); bounds != nil {
				widen(periodOf(bounds))
			}
		}
		return out, some
	}
	return Span{}, false
}

func periodOf(v []byte) (Span, bool) {
	p := Period{Start: DateTime(memberString(v, "start")), End: DateTime(memberString(v, "end"))}
	s, err := PeriodSpan(p, nil)
	return s, err == nil && (p.Start != "" || p.End != "")
}

func (x *extractor) amount(a *act, v []byte) {
	if v[0] != '{' {
		if f, err := strconv.ParseFloat(string(v), 64); err == nil {
			x.out.Quantities = append(x.out.Quantities, QuantityRow{Path: a.key, Value: f})
		}
		return
	}
	if a.dt == "Range" {
		for _, side := range []string{"low", "high"} {
			if q := member(v, side); q != nil {
				x.quantity(a.key, q)
			}
		}
		return
	}
	x.quantity(a.key, v)
}

func (x *extractor) quantity(path int64, v []byte) {
	f, err := strconv.ParseFloat(string(member(v, "value")), 64)
	if err != nil {
		return
	}
	code, system := memberString(v, "code"), memberString(v, "system")
	if currency := memberString(v, "currency"); currency != "" { // Money
		code, system = currency, "urn:iso:std:iso:4217"
	}
	x.out.Quantities = append(x.out.Quantities, QuantityRow{path, f, Hash(system), Hash(code), Hash(memberString(v, "unit"))})
}

// Values answers the texts, as written, that a string parameter looks at. b must have passed Extract.
func Values(b []byte, p *Param) []string {
	var out []string
	for _, path := range p.Paths {
		reach(b, strings.Split(path.Text, "."), func(v []byte) {
			if v[0] == '"' {
				out = append(out, stringOf(v))
				return
			}
			out = append(out, Texts(path.Type, v)...)
		})
	}
	return out
}

// reach calls fn for every value at the end of a path.
func reach(b []byte, path []string, fn func(v []byte)) {
	v := member(b, path[0])
	if v == nil {
		return
	}
	items(v, func(item []byte) {
		if len(path) == 1 {
			fn(item)
		} else {
			reach(item, path[1:], fn)
		}
	})
}

// Key answers what a resource is sorted by under a parameter: its least value, or for a descending order its greatest,
// numbers and dates in a form that sorts as text; "" when it has none. b must have passed Extract.
func Key(ix *Index, b []byte, p *Param, desc bool) string {
	key := ""
	keep := func(s string) {
		if s != "" && (key == "" || s < key != desc) {
			key = s
		}
	}
	for _, path := range p.Paths {
		for _, r := range ix.Dates {
			if r.Path == path.Key {
				keep(sortable(float64(r.Span.Low)))
			}
		}
		for _, r := range ix.Quantities {
			if r.Path == path.Key {
				keep(sortable(r.Value))
			}
		}
		for _, r := range ix.Strings {
			if r.Path == path.Key {
				keep(r.Value)
			}
		}
		if p.Kind == KindToken || p.Kind == KindReference || p.Kind == KindURI {
			reach(b, strings.Split(path.Text, "."), func(v []byte) {
				for _, name := range []string{"reference", "code", "value"} {
					keep(memberString(v, name))
				}
				items(member(v, "coding"), func(c []byte) { keep(memberString(c, "code")) })
				switch v[0] {
				case '"':
					keep(stringOf(v))
				case 't', 'f':
					keep(string(v))
				}
			})
		}
	}
	return key
}

// sortable writes a number so that texts sort as numbers do: its bits, turned round for the negative ones.
func sortable(f float64) string {
	bits := math.Float64bits(f)
	if f < 0 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return strconv.FormatUint(bits>>1|1<<63, 16)
}

// Identifiers answers a resource's own identifiers. b must have passed Extract.
func Identifiers(b []byte) []Identifier {
	var out []Identifier
	items(member(b, "identifier"), func(v []byte) {
		if value := memberString(v, "value"); value != "" {
			out = append(out, Identifier{System: memberString(v, "system"), Value: value})
		}
	})
	return out
}
