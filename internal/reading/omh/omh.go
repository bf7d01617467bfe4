// Package omh reads data points of Open mHealth and IEEE 1752.1: {"header":…,"body":…}, one, a list, or one a line; and data
// series, whose body is a list.
//
// Its promise: a data point that does not fit the schemas of its header and of its body is refused with the place that does not
// fit; one whose schema is not known is read as far as its parts are values with units. Times without a zone are none here: the
// schemas refuse them, except days with a part of the day. The package is pure. Sources: the schemas of Open mHealth, and IEEE
// 1752.1-2021, in schemas.json and ieee.json (see NOTICE.md).
package omh

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"doorstep/internal/reading/sample"
)

// Is reports whether a file that begins so holds data points, or bodies alone.
func Is(head []byte) bool {
	head = bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n[")
	if len(head) == 0 || head[0] != '{' {
		return false
	}
	has := func(name string) bool { return bytes.Contains(head, []byte(`"`+name+`"`)) }
	return has("schema_id") && has("header") || has("effective_time_frame")
}

// Validate judges a document by a schema, "omh", "blood-glucose", "4.0"; a minor version that is not known, or "x", is the
// latest one. The error says what does not fit where.
func Validate(namespace, name, version string, document []byte) error {
	v, err := parse(document)
	if err != nil {
		return err
	}
	s, full := known().find(namespace, name, version)
	if s == nil {
		return fmt.Errorf("the schema %s:%s:%s is not known", namespace, name, version)
	}
	if f := (check{l: known(), root: s, name: full}).value(s, v, ""); f != nil {
		return f
	}
	return nil
}

// parse reads JSON with its numbers as they are written.
func parse(b []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if dec.More() {
		return nil, fmt.Errorf("there is something behind the document")
	}
	return v, nil
}

// Read answers the samples of data points.
func Read(r io.Reader, o sample.Options) sample.Seq {
	return func(yield func(sample.Sample, error) bool) {
		for item, err := range sample.Items(r) {
			if err != nil {
				if !yield(sample.Sample{}, err) {
					return
				}
				continue
			}
			list, err := point(item.Raw, o)
			if err != nil {
				if !yield(sample.Sample{}, item.Refuse("%v", err)) {
					return
				}
				continue
			}
			for _, s := range list {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// ReadBodies answers the samples of bodies without their header, of a schema "blood-glucose-4.0", or "omh/blood-glucose-4.0".
func ReadBodies(schema string, r io.Reader, o sample.Options) sample.Seq {
	namespace, rest, ok := strings.Cut(schema, "/")
	if !ok {
		namespace, rest = "omh", schema
	}
	name, version := rest, "x"
	if i := strings.LastIndexByte(rest, '-'); i > 0 && strings.ContainsAny(rest[i:], ".0123456789") {
		name, version = rest[:i], rest[i+1:]
	}
	h := header{Schema: schemaID{namespace, name, version}}
	return func(yield func(sample.Sample, error) bool) {
		for item, err := range sample.Items(r) {
			if err == nil {
				if invalid := Validate(namespace, name, version, item.Raw); invalid != nil {
					err = item.Refuse("%v", invalid)
				}
			}
			if err != nil {
				if !yield(sample.Sample{}, err) {
					return
				}
				continue
			}
			v, _ := parse(item.Raw) // Validate has read it
			body, _ := v.(map[string]any)
			o.Seen(name)
			for _, s := range samples(h, body, o) {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// Known reports whether there is a schema of that name, as ReadBodies takes it.
func Known(schema string) bool {
	namespace, rest, ok := strings.Cut(schema, "/")
	if !ok {
		namespace, rest = "omh", schema
	}
	i := strings.LastIndexByte(rest, '-')
	if i <= 0 {
		return false
	}
	s, _ := known().find(namespace, rest[:i], rest[i+1:])
	return s != nil
}

type schemaID struct{ Namespace, Name, Version string }

// header is what is wanted of either standard's header.
type header struct {
	UUID       string   `json:"uuid"` // of IEEE 1752.1
	Schema     schemaID `json:"schema_id"`
	Modality   string   `json:"modality"`
	Provenance struct {
		Source   string `json:"source_name"`
		Modality string `json:"modality"`
	} `json:"acquisition_provenance"`
	Datasheets []struct {
		Reference string `json:"datasheet_reference"`
	} `json:"external_datasheets"`
}

// measures are the schemas of bodies whose measured property is not named as they are.
var measures = map[string]string{"systolic_blood_pressure": "blood-pressure", "diastolic_blood_pressure": "blood-pressure", "kcal_burned": "calories-burned"}

// body answers the samples of a body without a header: its schema is the latest one of the property measured.
func body(raw []byte, o sample.Options) ([]sample.Sample, error) {
	v, err := parse(raw)
	if err != nil {
		return nil, err
	}
	object, _ := v.(map[string]any)
	for property := range object {
		name := measures[property]
		if name == "" {
			name = strings.ReplaceAll(property, "_", "-")
		}
		for major := 9; major > 0; major-- {
			s, full := known().find("omh", name, fmt.Sprint(major, ".x"))
			if s == nil || s.Properties[property] == nil {
				continue
			}
			if f := (check{l: known(), root: s, name: full}).value(s, v, ""); f != nil {
				return nil, fmt.Errorf("%s: %w", full, f)
			}
			o.Seen(name)
			return samples(header{Schema: schemaID{"omh", name, ""}}, object, o), nil
		}
	}
	return nil, fmt.Errorf("it is neither a data point (header and body) nor the body of a measure that is known")
}

// point answers the samples of a data point or series.
func point(raw []byte, o sample.Options) ([]sample.Sample, error) {
	var parts struct {
		Header json.RawMessage `json:"header"`
		Body   json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, fmt.Errorf("it is not a data point")
	}
	if parts.Header == nil && parts.Body == nil {
		return body(raw, o)
	}
	if parts.Header == nil || parts.Body == nil {
		return nil, fmt.Errorf("it is not a data point: header or body is missing")
	}
	var h header
	if err := json.Unmarshal(parts.Header, &h); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	standard, version := "omh", "1.x"
	if h.UUID != "" {
		standard = "ieee"
	}
	if err := Validate(standard, "header", version, parts.Header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	content, err := parse(parts.Body)
	if err != nil {
		return nil, err
	}
	list, isSeries := content.([]any)
	if !isSeries {
		list = []any{content}
	}
	o.Seen(h.Schema.Name)
	namespace := h.Schema.Namespace
	if namespace != "omh" && namespace != "granola" {
		namespace = "ieee"
	}
	s, full := known().find(namespace, h.Schema.Name, h.Schema.Version)
	var out []sample.Sample
	for i, one := range list {
		object, ok := one.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("body: it is no object")
		}
		if s != nil && len(object) > 0 { // an empty body holds nothing that could be wrong
			if f := (check{l: known(), root: s, name: full}).value(s, one, ""); f != nil {
				place := "body"
				if isSeries {
					place = fmt.Sprintf("body[%d]", i)
				}
				return nil, fmt.Errorf("%s: %w", place, f)
			}
		}
		out = append(out, samples(h, object, o)...)
	}
	return out, nil
}
