// Package fhir reads FHIR R4 (hl7.org/fhir/R4) as raw JSON bytes. Its promise: nothing here changes a byte of a resource
// but what was asked for. A scanner walks the bytes and an extractor takes out what search needs, without building maps;
// small typed structs exist for the few resources whose contents the program's own logic reads.
//
// It is pure: values in, values out, no clock, no database.
package fhir

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Decimal is the verbatim text of a JSON number, "" when absent: FHIR's decimals carry their precision ("1.00" is not "1").
type Decimal string

// Float answers the value, 0 when absent.
func (d Decimal) Float() float64 {
	f, _ := strconv.ParseFloat(string(d), 64)
	return f
}

// IsZero reports whether the number is absent.
func (d Decimal) IsZero() bool { return d == "" }

func (d *Decimal) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*d = Decimal(n)
	return nil
}

func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("null"), nil
	}
	return json.Marshal(json.Number(d))
}

// DateTime is a FHIR date, dateTime or instant as written: "2024", "2024-05", "2024-05-03" or with time and offset.
// ParseRange reads it.
type DateTime string

// WallTime is a FHIR time: "hh:mm:ss", without a zone.
type WallTime string

// Identifier is a business identifier.
type Identifier struct {
	Use    string           `json:"use,omitempty"`
	Type   *CodeableConcept `json:"type,omitempty"`
	System string           `json:"system,omitempty"`
	Value  string           `json:"value,omitempty"`
}

// Coding is one code of a code system.
type Coding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

// CodeableConcept is a concept by codes, by words, or both.
type CodeableConcept struct {
	Coding []Coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

// Words answers the concept for a person: its text, else the first display, else the first code, else "".
func (c *CodeableConcept) Words() string {
	if c == nil {
		return ""
	}
	if c.Text != "" {
		return c.Text
	}
	for _, coding := range c.Coding {
		if coding.Display != "" {
			return coding.Display
		}
	}
	if len(c.Coding) > 0 {
		return c.Coding[0].Code
	}
	return ""
}

// Code answers the concept's code in a system, "" when it has none.
func (c *CodeableConcept) Code(system string) string {
	if c != nil {
		for _, coding := range c.Coding {
			if coding.System == system {
				return coding.Code
			}
		}
	}
	return ""
}

// Quantity is an amount with a unit. Code is the UCUM code where System is http://unitsofmeasure.org.
type Quantity struct {
	Value      Decimal `json:"value,omitempty"`
	Comparator string  `json:"comparator,omitempty"` // < | <= | >= | >
	Unit       string  `json:"unit,omitempty"`
	System     string  `json:"system,omitempty"`
	Code       string  `json:"code,omitempty"`
}

// Range is a low and a high amount, either may be absent.
type Range struct {
	Low  *Quantity `json:"low,omitempty"`
	High *Quantity `json:"high,omitempty"`
}

// Ratio is an amount per amount.
type Ratio struct {
	Numerator   *Quantity `json:"numerator,omitempty"`
	Denominator *Quantity `json:"denominator,omitempty"`
}

// Period is a span of time; an absent side is open. The end includes its last unit ("2024-05" ends with May).
type Period struct {
	Start DateTime `json:"start,omitempty"`
	End   DateTime `json:"end,omitempty"`
}

// Reference points to a resource: "Type/id", an absolute URL, "#contained", or by identifier only.
type Reference struct {
	Reference  string      `json:"reference,omitempty"`
	Type       string      `json:"type,omitempty"`
	Identifier *Identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

// Local answers the type and id of a reference of the form "Type/id" (a history part is passed over), "" and "" for others.
func (r Reference) Local() (typ, id string) {
	typ, rest, ok := strings.Cut(r.Reference, "/")
	if !ok || !ValidType(typ) {
		return "", ""
	}
	id, version, _ := strings.Cut(rest, "/")
	if !ValidID(id) || version != "" && !strings.HasPrefix(version, "_history/") {
		return "", ""
	}
	return typ, id
}

// Annotation is a note by somebody.
type Annotation struct {
	AuthorString string   `json:"authorString,omitempty"`
	Time         DateTime `json:"time,omitempty"`
	Text         string   `json:"text,omitempty"`
}

// ValidID reports whether s may be a resource's id: [A-Za-z0-9\-\.]{1,64}.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// ValidType reports whether s has the form of a resource type: an upper case letter, then letters. It need not exist.
func ValidType(s string) bool {
	if len(s) == 0 || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
