package omh

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed schemas.json
var openmhealth []byte

//go:embed ieee.json
var ieee []byte

// schema is a JSON schema, as far as these schemas use the language (drafts 4 and 7).
type schema struct {
	Ref         string             `json:"$ref"`
	Type        string             `json:"type"`
	Properties  map[string]*schema `json:"properties"`
	Definitions map[string]*schema `json:"definitions"`
	Required    []string           `json:"required"`
	Enum        []any              `json:"enum"`
	AllOf       []*schema          `json:"allOf"`
	AnyOf       []*schema          `json:"anyOf"`
	OneOf       []*schema          `json:"oneOf"`
	Pattern     string             `json:"pattern"`
	Format      string             `json:"format"`
	Items       *schema            `json:"items"`
	MinItems    int                `json:"minItems"`
}

// library is every schema by "namespace/name-version", and the latest minor version of each "namespace/name-major".
type library struct {
	schemas map[string]*schema
	latest  map[string]string
}

// known answers the library, read once.
var known = sync.OnceValue(func() library {
	l := library{schemas: map[string]*schema{}, latest: map[string]string{}}
	for _, b := range [][]byte{openmhealth, ieee} {
		if err := json.Unmarshal(b, &l.schemas); err != nil {
			panic(err) // the files are embedded above
		}
	}
	for name := range l.schemas {
		stem, minor, _ := strings.Cut(name, ".")
		if best, ok := l.latest[stem]; !ok || number(minor) > number(strings.TrimPrefix(best, stem+".")) {
			l.latest[stem] = name
		}
	}
	return l
})

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// find answers a schema and its full name: of the version, or of the latest one with the same major version where the version is
// "1.x" or a minor one that is not known.
func (l library) find(namespace, name, version string) (*schema, string) {
	full := namespace + "/" + name + "-" + version
	if s := l.schemas[full]; s != nil {
		return s, full
	}
	major, _, _ := strings.Cut(version, ".")
	full = l.latest[namespace+"/"+name+"-"+major]
	return l.schemas[full], full
}

// fault is where a document does not fit its schema, and how.
type fault struct{ at, reason string }

func (f *fault) Error() string {
	if f.at == "" {
		return f.reason
	}
	return f.at + ": " + f.reason
}

// check judges a value; root is the schema of the file and its name, against which references are read.
type check struct {
	l    library
	root *schema
	name string
	deep int
}

// deepest is how many references may follow each other.
const deepest = 100

func (c check) value(s *schema, v any, at string) *fault {
	if s == nil {
		return nil
	}
	if s.Ref != "" { // what stands beside a reference counts nothing
		if c.deep++; c.deep > deepest {
			return &fault{at, "the schema refers to itself without end"}
		}
		to, next := c.follow(s.Ref)
		if to == nil {
			return &fault{at, fmt.Sprintf("the schema %s is not known", s.Ref)}
		}
		return next.value(to, v, at)
	}
	if f := c.kind(s, v, at); f != nil {
		return f
	}
	for _, one := range s.AllOf {
		if f := c.value(one, v, at); f != nil {
			return f
		}
	}
	if len(s.AnyOf) > 0 {
		var first *fault
		for _, one := range s.AnyOf {
			f := c.value(one, v, at)
			if f == nil {
				first = nil
				break
			}
			if first == nil {
				first = f
			}
		}
		if first != nil {
			return first
		}
	}
	if len(s.OneOf) > 0 {
		fits, last := 0, (*fault)(nil)
		for _, one := range s.OneOf {
			if f := c.value(one, v, at); f == nil {
				fits++
			} else {
				last = f
			}
		}
		switch {
		case fits > 1:
			return &fault{at, "it fits more than one of the shapes of which it may have one"}
		case fits == 0 && len(s.OneOf) > 1:
			return &fault{at, "it fits none of the shapes that it may have; of the last: " + last.Error()}
		case fits == 0:
			return last
		}
	}
	return nil
}

// follow answers what a reference means: of the same file, of one beside it, or by its address.
func (c check) follow(ref string) (*schema, check) {
	if name, ok := strings.CutPrefix(ref, "#/definitions/"); ok {
		return c.root.Definitions[name], c
	}
	namespace, _, _ := strings.Cut(c.name, "/")
	switch {
	case strings.Contains(ref, "/ieee-1752-schema/"):
		namespace = "ieee"
	case strings.Contains(ref, "/"):
		namespace = path.Base(path.Dir(ref))
	}
	base := strings.TrimSuffix(path.Base(ref), ".json")
	i := strings.LastIndexByte(base, '-')
	name, version := base, "1.x" // IEEE's have addresses without a version too
	if i > 0 && strings.ContainsRune(base[i:], '.') {
		name, version = base[:i], base[i+1:]
	}
	s, full := c.l.find(namespace, name, version)
	return s, check{c.l, s, full, c.deep}
}

// kind judges what is said of the value itself.
func (c check) kind(s *schema, v any, at string) *fault {
	if s.Type != "" && !is(s.Type, v) {
		return &fault{at, "it is no " + s.Type}
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(v) }) {
		return &fault{at, fmt.Sprintf("%.60q is not one of the values that it may have", fmt.Sprint(v))}
	}
	if text, ok := v.(string); ok {
		if s.Format == "date-time" {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				return &fault{at, fmt.Sprintf("%.60q is not a time with its zone (RFC 3339)", text)}
			}
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text) {
			return &fault{at, fmt.Sprintf("%.60q does not have the form %s", text, s.Pattern)}
		}
	}
	if list, ok := v.([]any); ok {
		if len(list) < s.MinItems {
			return &fault{at, fmt.Sprintf("it has %d elements, want %d", len(list), s.MinItems)}
		}
		for i, x := range list {
			if f := c.value(s.Items, x, fmt.Sprintf("%s[%d]", at, i)); f != nil {
				return f
			}
		}
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range s.Required {
		if _, there := object[name]; !there {
			return &fault{at, name + " is missing"}
		}
	}
	for name, x := range object {
		if sub := s.Properties[name]; sub != nil {
			if f := c.value(sub, x, strings.TrimPrefix(at+"."+name, ".")); f != nil {
				return f
			}
		}
	}
	return nil
}

func is(typ string, v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return typ == "object"
	case []any:
		return typ == "array"
	case string:
		return typ == "string"
	case bool:
		return typ == "boolean"
	case nil:
		return typ == "null"
	case json.Number:
		whole := !strings.ContainsAny(v.String(), ".eE")
		if !whole {
			f, err := v.Float64()
			whole = err == nil && f == float64(int64(f))
		}
		return typ == "number" || typ == "integer" && whole
	}
	return false
}
