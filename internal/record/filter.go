package record

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
)

// filter is one condition on a type's resources: any of its alternatives on any of the parameter's paths.
type filter struct {
	param    *fhir.Param
	not      bool
	contains bool
	tokens   []token
	targets  []string // references as the rows have them
	texts    []string // folded
	dates    dates
	amounts  []amount
}

// token is "code", "system|code", "|code" (no system) or "system|" (any code).
type token struct {
	code, system       int64
	anyCode, anySystem bool
	path               int64 // another path than the parameter's: the identifier of a reference; 0: none
}

// dates are alternatives, each a prefix and a span.
type dates []dated

type dated struct {
	prefix string
	span   fhir.Span
}

type amount struct {
	prefix       string
	value, half  float64 // half of the last digit's unit: what equality allows
	system, code int64
	unit         bool // compare code with the unit as well
}

func (q *query) filter(p *fhir.Param, modifier, value string) error {
	f := filter{param: p}
	unsupported := func() error {
		return fault.Invalidf("%s:%s is not supported", p.Code, clip(modifier))
	}
	if modifier == "missing" {
		want := value == "true"
		if value != "true" && value != "false" {
			return fault.Invalidf("%s:missing is true or false", p.Code)
		}
		q.residual = append(q.residual, func(ix *fhir.Index, _ []byte) bool { return has(ix, p) != want })
		return nil
	}
	var err error
	switch p.Kind {
	case fhir.KindToken, fhir.KindURI:
		if f.not = modifier == "not"; !f.not && modifier != "" {
			return unsupported()
		}
		for _, v := range split(value) {
			f.tokens = append(f.tokens, parseToken(p, v))
		}
	case fhir.KindReference:
		err = f.reference(modifier, value)
	case fhir.KindString:
		err = q.text(&f, modifier, value)
	case fhir.KindDate:
		if modifier != "" {
			return unsupported()
		}
		f.dates, err = parseDates(value)
	default:
		if modifier != "" {
			return unsupported()
		}
		for _, v := range split(value) {
			a, err := parseAmount(p, v)
			if err != nil {
				return err
			}
			f.amounts = append(f.amounts, a)
		}
	}
	if err != nil {
		return err
	}
	q.filters = append(q.filters, f)
	return nil
}

// has reports whether an index holds anything for a parameter.
func has(ix *fhir.Index, p *fhir.Param) bool {
	return slices.ContainsFunc(p.Paths, func(path fhir.Path) bool {
		k := path.Key
		return slices.ContainsFunc(ix.Tokens, func(r fhir.TokenRow) bool { return r.Path == k }) ||
			slices.ContainsFunc(ix.Refs, func(r fhir.RefRow) bool { return r.Path == k }) ||
			slices.ContainsFunc(ix.Strings, func(r fhir.StringRow) bool { return r.Path == k }) ||
			slices.ContainsFunc(ix.Dates, func(r fhir.DateRow) bool { return r.Path == k }) ||
			slices.ContainsFunc(ix.Quantities, func(r fhir.QuantityRow) bool { return r.Path == k })
	})
}

func parseToken(p *fhir.Param, v string) token {
	if p.Kind == fhir.KindURI {
		return token{code: fhir.Hash(unescape.Replace(v)), anySystem: true}
	}
	system, code, both := strings.Cut(v, "|")
	if !both {
		return token{code: fhir.Hash(unescape.Replace(v)), anySystem: true}
	}
	t := token{code: fhir.Hash(unescape.Replace(code)), system: fhir.Hash(unescape.Replace(system)), anyCode: code == ""}
	if !slices.ContainsFunc(p.Paths, func(path fhir.Path) bool { return path.Type != "code" && path.Type != "boolean" }) {
		t.anySystem = true // a plain code has its system by definition, not in the bytes
	}
	return t
}

func (f *filter) reference(modifier, value string) error {
	p := f.param
	if modifier == "identifier" {
		for _, v := range split(value) {
			for _, path := range p.Paths {
				t := parseToken(p, v)
				t.path = fhir.IdentifierKey(path.Key)
				f.tokens = append(f.tokens, t)
			}
		}
		return nil
	}
	if modifier != "" && !fhir.KnownType(modifier) {
		return fault.Invalidf("%s:%s is not supported", p.Code, clip(modifier))
	}
	for _, v := range split(value) {
		v = unescape.Replace(v)
		switch {
		case modifier != "":
			f.targets = append(f.targets, modifier+"/"+strings.TrimPrefix(v, modifier+"/"))
		case strings.Contains(v, "/") || strings.Contains(v, ":") || len(p.Targets) == 0:
			f.targets = append(f.targets, v)
		default:
			for _, t := range p.Targets {
				f.targets = append(f.targets, t+"/"+v)
			}
		}
	}
	if len(p.Targets) == 1 && p.Code == "patient" { // a Group is not a patient
		f.targets = slices.DeleteFunc(f.targets, func(t string) bool { return !strings.HasPrefix(t, "Patient/") && !strings.Contains(t, ":") })
		if len(f.targets) == 0 {
			f.targets = []string{""}
		}
	}
	return nil
}

func (q *query) text(f *filter, modifier, value string) error {
	if f.contains = modifier == "contains"; !f.contains && modifier != "" && modifier != "exact" {
		return fault.Invalidf("%s:%s is not supported", f.param.Code, clip(modifier))
	}
	var exact []string
	for _, v := range split(value) {
		v = unescape.Replace(v)
		exact = append(exact, v)
		f.texts = append(f.texts, fhir.Fold(v))
	}
	if modifier == "exact" {
		p := f.param
		q.residual = append(q.residual, func(_ *fhir.Index, body []byte) bool {
			return slices.ContainsFunc(fhir.Values(body, p), func(s string) bool { return slices.Contains(exact, s) })
		})
	}
	return nil
}

var prefixes = []string{"eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap"}

func cutPrefix(v string) (prefix, rest string) {
	if len(v) > 2 && slices.Contains(prefixes, v[:2]) {
		return v[:2], v[2:]
	}
	return "eq", v
}

func parseDates(value string) (dates, error) {
	var out dates
	for _, v := range split(value) {
		prefix, rest := cutPrefix(v)
		span, err := fhir.ParseSpan(strings.ReplaceAll(rest, " ", "+"), nil) // a "+" that nobody escaped
		if err != nil {
			return nil, fault.New(fault.Invalid, "a date parameter: %w", err)
		}
		out = append(out, dated{prefix, span})
	}
	return out, nil
}

func parseAmount(p *fhir.Param, v string) (amount, error) {
	prefix, rest := cutPrefix(v)
	parts := strings.Split(rest, "|")
	f, err := strconv.ParseFloat(parts[0], 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || len(parts) != 1 && len(parts) != 3 {
		return amount{}, fault.Invalidf("%s is not a number, or number|system|code", p.Code)
	}
	a := amount{prefix: prefix, value: f, half: precision(parts[0]) / 2}
	if prefix == "ap" {
		a.half = math.Abs(f) / 10
	}
	if len(parts) == 3 {
		a.system, a.code = fhir.Hash(parts[1]), fhir.Hash(parts[2])
		a.unit = parts[1] == ""
	}
	return a, nil
}

// precision answers the unit of the last digit that is written: 0.01 for "5.40", 1 for "100", 10 for "1e1".
func precision(s string) float64 {
	mantissa, exp, _ := strings.Cut(strings.ToLower(s), "e")
	e, _ := strconv.Atoi(exp)
	if _, decimals, ok := strings.Cut(mantissa, "."); ok {
		e -= len(decimals)
	}
	return math.Pow10(e)
}

// selectivity ranks filters by how few resources they usually leave, for the choice of the one that drives a search.
func (f *filter) selectivity() int {
	switch {
	case f.not:
		return 9
	case len(f.targets) > 0:
		return 0
	case f.param.Code == "identifier":
		return 1
	case len(f.texts) > 0 && !f.contains:
		return 2
	case len(f.tokens) > 0 && !slices.ContainsFunc(f.tokens, func(t token) bool { return t.anyCode }):
		return cmp.Compare(f.param.Code, "code")*cmp.Compare(f.param.Code, "code") + 3
	}
	return 9
}
