// Package path evaluates FHIRPath over JSON: conditions and values of pathways and questionnaires. It is no part of what every write goes through.
//
// The engine is gofhir/fhirpath; this package keeps it behind a few calls, gives it the caller's clock instead of the machine's, and turns what it answers into
// FHIR's JSON.
package path

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/gofhir/fhirpath"
	"github.com/gofhir/fhirpath/types"

	"doorstep/internal/fault"
)

// Bounds of an expression and of its work.
const (
	MaxLength = 8 << 10
	maxTime   = 2 * time.Second
	maxValues = 10_000
)

// Expr is an expression, ready to be evaluated by many at once.
type Expr struct {
	text string
	expr *fhirpath.Expression
}

// Env is what an expression can see besides the resource it is evaluated on.
type Env struct {
	Now  time.Time                  // in the zone whose date today() is
	Vars map[string]json.RawMessage // %name: JSON of a resource, an element, or a list of them
}

// Value is one value of an answer as FHIR's JSON writes it, with its type.
type Value struct {
	Type string // Boolean, String, Integer, Decimal, Date, DateTime, Time, Quantity, or that of a resource or element
	JSON json.RawMessage
}

// Compile reads an expression.
func Compile(text string) (*Expr, error) {
	if len(text) > MaxLength {
		return nil, fault.Invalidf("the expression is longer than %d bytes", MaxLength)
	}
	var e *fhirpath.Expression
	err := guarded(func() (err error) { e, err = fhirpath.Compile(clocked(text)); return err })
	if err != nil {
		return nil, fault.Invalidf("the expression %q cannot be read: %s", cut(text), cut(oneLine(err.Error())))
	}
	return &Expr{text, e}, nil
}

func (e *Expr) String() string { return e.text }

// Eval answers the values of an expression on a resource, or on any JSON object.
func (e *Expr) Eval(resource json.RawMessage, env Env) ([]Value, error) {
	opts := []fhirpath.EvalOption{fhirpath.WithTimeout(maxTime), fhirpath.WithMaxCollectionSize(maxValues),
		fhirpath.WithVariable("doorstepNow", types.Collection{types.NewDateTimeFromTime(env.Now)}), fhirpath.WithVariable("doorstepToday", types.Collection{types.NewDateFromTime(env.Now)})}
	for name, raw := range env.Vars {
		list, err := types.JSONToCollection(raw)
		if err != nil {
			return nil, fault.Invalidf("%%%s is no JSON", name)
		}
		opts = append(opts, fhirpath.WithVariable(name, list))
	}
	var list types.Collection
	err := guarded(func() (err error) { list, err = e.expr.EvaluateWithOptions(resource, opts...); return err })
	if err != nil {
		return nil, fault.Invalidf("the expression %q cannot be evaluated: %s", cut(e.text), cut(oneLine(err.Error())))
	}
	out := make([]Value, 0, len(list))
	for _, v := range list {
		raw, err := encode(v)
		if err != nil {
			return nil, fault.Invalidf("the expression %q answers what FHIR cannot say: %s", cut(e.text), err)
		}
		out = append(out, Value{v.Type(), raw})
	}
	return out, nil
}

// True reports whether an expression holds. Nothing at all is false; more than one value, or one that is no Boolean, is an error.
func (e *Expr) True(resource json.RawMessage, env Env) (bool, error) {
	list, err := e.Eval(resource, env)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if len(list) > 1 || list[0].Type != "Boolean" {
		return false, fault.Invalidf("the expression %q answers no single true or false", cut(e.text))
	}
	return string(list[0].JSON) == "true", nil
}

// guarded turns a panic of the engine into an error: expressions come from outside.
func guarded(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return do()
}

var clocks = regexp.MustCompile(`'(?:[^'\\]|\\.)*'|\b(now|today|timeOfDay)\(\s*\)`)

// clocked puts the caller's clock into an expression, outside its texts.
func clocked(text string) string {
	return clocks.ReplaceAllStringFunc(text, func(s string) string {
		switch {
		case s[0] == '\'':
			return s
		case strings.HasPrefix(s, "now"):
			return "%doorstepNow"
		case strings.HasPrefix(s, "today"):
			return "%doorstepToday"
		}
		return "%doorstepNow.toTime()"
	})
}

func encode(v types.Value) (json.RawMessage, error) {
	switch v := v.(type) {
	case types.Boolean, types.Integer, types.Decimal:
		if raw := json.RawMessage(v.String()); json.Valid(raw) {
			return raw, nil
		}
		return nil, fmt.Errorf("%s", v)
	case types.Quantity:
		var q struct {
			Value json.RawMessage `json:"value"`
			Unit  string          `json:"unit,omitempty"`
		}
		number, unit, _ := strings.Cut(v.String(), " ")
		q.Value, q.Unit = json.RawMessage(number), strings.Trim(unit, "'")
		return json.Marshal(q)
	case *types.ObjectValue:
		return json.RawMessage(v.Data()), nil
	}
	return json.Marshal(v.String())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// cut keeps messages short.
func cut(s string) string {
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}
