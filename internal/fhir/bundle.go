package fhir

import "encoding/json"

// Bundle is a container of resources, which stay raw (hl7.org/fhir/R4/bundle.html).
type Bundle struct {
	ResourceType string  `json:"resourceType"`
	ID           string  `json:"id,omitempty"`
	Type         string  `json:"type"` // transaction | batch | searchset | history | collection | document | …-response
	Total        *int    `json:"total,omitempty"`
	Link         []Where `json:"link,omitempty"`
	Entry        []Entry `json:"entry,omitempty"`
}

// Where is a link of a bundle: self, next.
type Where struct {
	Relation string `json:"relation"`
	URL      string `json:"url"`
}

// Entry is one resource of a bundle with what is to be done, or was done, with it.
type Entry struct {
	FullURL  string          `json:"fullUrl,omitempty"`
	Resource json.RawMessage `json:"resource,omitempty"`
	Search   *EntrySearch    `json:"search,omitempty"`
	Request  *EntryRequest   `json:"request,omitempty"`
	Response *EntryResponse  `json:"response,omitempty"`
}

// EntrySearch says why a resource is in a search's answer: match | include | outcome.
type EntrySearch struct {
	Mode string `json:"mode"`
}

// EntryRequest is what a client asks for in a transaction or batch, or what was done in a history.
type EntryRequest struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	IfNoneMatch string `json:"ifNoneMatch,omitempty"`
	IfMatch     string `json:"ifMatch,omitempty"`
	IfNoneExist string `json:"ifNoneExist,omitempty"`
}

// EntryResponse is what came of an entry.
type EntryResponse struct {
	Status       string            `json:"status"`
	Location     string            `json:"location,omitempty"`
	ETag         string            `json:"etag,omitempty"`
	LastModified string            `json:"lastModified,omitempty"`
	Outcome      *OperationOutcome `json:"outcome,omitempty"`
}

// EntryParts is an entry taken apart without reading its resource.
type EntryParts struct {
	FullURL  string
	Resource []byte // as it stands in the bundle; nil when there is none
	From     int    // where the resource starts in the entry
	Request  EntryRequest
	Asked    bool   // a request stands there
	Modified string // response.lastModified
}

// ParseEntry takes a bundle's entry apart. The entry may be broken JSON; its resource has still to pass Extract.
func ParseEntry(b []byte) (EntryParts, error) {
	var out EntryParts
	var err error
	s := scanner{b: b}
	s.space()
	members(&s, func(key []byte, from int) bool {
		to := min(skip(b, from), len(b))
		switch string(key) {
		case "fullUrl":
			out.FullURL = stringAt(b, from)
		case "resource":
			out.Resource, out.From = b[from:to], from
		case "request":
			out.Asked = true
			if json.Unmarshal(b[from:to], &out.Request) != nil {
				err = &SyntaxError{Offset: from, Path: "request", Reason: "cannot be read"}
			}
		case "response":
			var r EntryResponse
			if json.Unmarshal(b[from:to], &r) == nil {
				out.Modified = r.LastModified
			}
		}
		return err == nil
	})
	return out, err
}
