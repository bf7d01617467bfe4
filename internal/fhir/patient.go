package fhir

// Patient is a person in care (hl7.org/fhir/R4/patient.html), the parts that the program's own logic reads.
type Patient struct {
	ResourceType  string          `json:"resourceType"`
	ID            string          `json:"id,omitempty"`
	Identifier    []Identifier    `json:"identifier,omitempty"`
	Active        *bool           `json:"active,omitempty"`
	Name          []HumanName     `json:"name,omitempty"`
	Telecom       []ContactPoint  `json:"telecom,omitempty"`
	Gender        string          `json:"gender,omitempty"` // male | female | other | unknown
	BirthDate     DateTime        `json:"birthDate,omitempty"`
	Address       []Address       `json:"address,omitempty"`
	Communication []Communication `json:"communication,omitempty"`
}

// Called answers the name a patient is called by: the usual or official one, else the first; "" when there is none.
func (p *Patient) Called() string {
	for _, use := range []string{"usual", "official"} {
		for _, n := range p.Name {
			if n.Use == use {
				return n.String()
			}
		}
	}
	if len(p.Name) > 0 {
		return p.Name[0].String()
	}
	return ""
}

// HumanName is a name in parts.
type HumanName struct {
	Use    string   `json:"use,omitempty"` // usual | official | temp | nickname | anonymous | old | maiden
	Text   string   `json:"text,omitempty"`
	Family string   `json:"family,omitempty"`
	Given  []string `json:"given,omitempty"`
	Prefix []string `json:"prefix,omitempty"`
	Suffix []string `json:"suffix,omitempty"`
}

// String answers the name as written, else given names and family name.
func (n HumanName) String() string {
	if n.Text != "" {
		return n.Text
	}
	out := ""
	for _, part := range append(append([]string{}, n.Given...), n.Family) {
		if part != "" && out != "" {
			out += " "
		}
		out += part
	}
	return out
}

// ContactPoint is a way to reach somebody.
type ContactPoint struct {
	System string `json:"system,omitempty"` // phone | fax | email | pager | url | sms | other
	Value  string `json:"value,omitempty"`
	Use    string `json:"use,omitempty"` // home | work | temp | old | mobile
	Rank   int    `json:"rank,omitempty"`
}

// Address is a postal address.
type Address struct {
	Use        string   `json:"use,omitempty"`
	Text       string   `json:"text,omitempty"`
	Line       []string `json:"line,omitempty"`
	City       string   `json:"city,omitempty"`
	District   string   `json:"district,omitempty"`
	State      string   `json:"state,omitempty"`
	PostalCode string   `json:"postalCode,omitempty"`
	Country    string   `json:"country,omitempty"`
}

// Communication is a language (BCP 47) and whether it is the one to use.
type Communication struct {
	Language  CodeableConcept `json:"language"`
	Preferred bool            `json:"preferred,omitempty"`
}
