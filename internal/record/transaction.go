package record

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/store"
)

// Step is one entry of a transaction or batch, and what came of it.
type Step struct {
	fhir.EntryParts
	Method, Type, ID string
	Condition        string // the search part of the URL
	Reply            Reply
	Err              error

	fresh string // the id that a create gets
	order int
}

// Reply is what an entry is answered with.
type Reply struct {
	Status   int
	Resource Resource // of a read or write; zero for a search
	Page     *Page    // of a search

	wrote bool // false for a read, and for a create whose condition fitted something
}

// EntryError says which entry made a transaction fail.
type EntryError struct {
	Entry int
	Err   error
}

func (e *EntryError) Error() string {
	return "entry " + strconv.Itoa(e.Entry) + ": " + fault.Sentence(e.Err)
}
func (e *EntryError) Unwrap() error { return e.Err }

// ParseSteps reads a bundle's entries. Errors: fault.Invalid naming the entry.
func ParseSteps(bundle []byte) (kind string, steps []*Step, err error) {
	if len(bundle) > MostBytes {
		return "", nil, fault.New(fault.TooMuch, "the bundle is longer than %d MB", MostBytes>>20)
	}
	var head struct {
		ResourceType string
		Type         string
		Entry        []json.RawMessage
	}
	err = json.Unmarshal(bundle, &head)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return "", nil, fault.Invalidf("the bundle is not JSON (byte %d)", syntax.Offset)
	}
	if err != nil || head.ResourceType != "Bundle" {
		return "", nil, fault.Invalidf("a Bundle should stand here")
	}
	for i, raw := range head.Entry {
		parts, err := fhir.ParseEntry(raw)
		if err == nil && !parts.Asked {
			err = fault.Invalidf("request is missing")
		}
		st := &Step{EntryParts: parts, Method: parts.Request.Method}
		if err == nil {
			err = st.address(parts.Request.URL)
		}
		if err != nil {
			return "", nil, &EntryError{i, fault.New(fault.Invalid, "%w", err)}
		}
		steps = append(steps, st)
	}
	return head.Type, steps, nil
}

// address takes an entry's URL apart: "Type", "Type/id", "Type?search".
func (st *Step) address(address string) error {
	place, query, _ := strings.Cut(strings.TrimPrefix(address, "/"), "?")
	st.Type, st.ID, _ = strings.Cut(place, "/")
	st.Condition = query
	st.order = slices.Index([]string{"DELETE", "POST", "PUT", "GET"}, st.Method)
	switch {
	case st.order < 0:
		return fault.Invalidf("request.method %q is not supported", clip(st.Method))
	case !fhir.KnownType(st.Type):
		return fault.Invalidf("request.url names no resource type")
	case st.ID != "" && !fhir.ValidID(st.ID):
		return fault.Invalidf("request.url holds no valid id")
	case (st.Method == "POST" || st.Method == "PUT") && st.Resource == nil:
		return fault.Invalidf("resource is missing")
	case st.Method == "POST" && st.ID != "", st.Method == "DELETE" && st.ID == "", st.Method == "PUT" && st.ID == "" && query == "":
		return fault.Invalidf("request.url does not fit the method")
	}
	return nil
}

// Transact carries out a transaction: all of it, or nothing. Entries are handled in the order DELETE, POST, PUT, GET
// (hl7.org/fhir/R4/http.html#trules); temporary names and conditional references become real ones; replies stand in the
// steps. The error is an *EntryError where one entry is to blame.
func (s *Service) Transact(ctx context.Context, org string, steps []*Step) error {
	for _, st := range steps {
		if st.Method == "POST" || st.Method == "PUT" && st.ID == "" {
			st.fresh = s.ids.New()
		}
	}
	return s.db.Write(ctx, func(tx *store.Tx) error { return s.transact(tx, org, steps) })
}

func (s *Service) transact(tx *store.Tx, org string, steps []*Step) error {
	order := make([]int, len(steps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return steps[a].order - steps[b].order })
	names, err := s.names(tx, org, steps)
	if err != nil {
		return err
	}
	done := map[string]int{}
	for _, i := range order {
		st := steps[i]
		body, err := s.relinked(tx, org, st.Resource, names)
		if err == nil {
			st.Reply, err = s.step(tx, org, st, body)
		}
		if err != nil {
			return &EntryError{i, err}
		}
		if id := st.Reply.Resource.ID; st.Reply.wrote {
			if other, twice := done[st.Type+"/"+id]; twice {
				return &EntryError{i, fault.Invalidf("entry %d is about the same resource", other)}
			}
			done[st.Type+"/"+id] = i
		}
	}
	return nil
}

// names answers what the full URLs of entries stand for after the transaction. A condition that something fits already
// names that.
func (s *Service) names(tx *store.Tx, org string, steps []*Step) (map[string]string, error) {
	names := map[string]string{}
	for i, st := range steps {
		if st.Resource == nil {
			continue
		}
		id, condition := st.ID, ""
		switch {
		case st.Method == "POST":
			id, condition = st.fresh, strings.TrimPrefix(st.Request.IfNoneExist, "?")
		case st.Method == "PUT" && st.ID == "":
			condition = st.Condition
			if _, own, err := fhir.Head(st.Resource); err == nil && own != "" {
				id = own
			} else {
				id = st.fresh
			}
		}
		if condition != "" {
			refs, err := s.match(tx, org, st.Type+"?"+condition, nil)
			if err != nil {
				return nil, &EntryError{i, err}
			}
			if len(refs) == 1 {
				id = strings.TrimPrefix(refs[0], st.Type+"/")
			}
		}
		if st.FullURL != "" {
			if _, twice := names[st.FullURL]; twice {
				return nil, &EntryError{i, fault.Invalidf("fullUrl stands twice in the bundle")}
			}
			names[st.FullURL] = st.Type + "/" + id
		}
	}
	return names, nil
}

// relinked writes real references into a resource of a transaction.
func (s *Service) relinked(tx *store.Tx, org string, body []byte, names map[string]string) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	ix, err := read(body)
	if err != nil {
		return nil, err
	}
	for _, l := range ix.Links {
		if names[l.Target] != "" {
			continue
		}
		switch {
		case conditional(l.Target):
			refs, err := s.match(tx, org, l.Target, nil)
			if err != nil {
				return nil, err
			}
			if len(refs) != 1 {
				return nil, fault.Conflictf("a conditional reference to %s fits %s", clip(l.Target[:strings.IndexByte(l.Target, '?')]), howMany(len(refs)))
			}
			names[l.Target] = refs[0]
		case temporary(l.Target) && isReference(body, l):
			return nil, fault.Invalidf("a reference names an entry that is not in the bundle")
		}
	}
	return fhir.Relink(body, ix.Links, func(target string) (string, bool) {
		name, ok := names[target]
		return name, ok
	}), nil
}

func howMany(n int) string {
	if n == 0 {
		return "nothing"
	}
	return "more than one resource"
}

// isReference tells a Reference's link from another uri, which may hold any urn.
func isReference(body []byte, l fhir.Link) bool {
	head := strings.TrimRight(string(body[max(0, l.Start-200):l.Start-1]), " \t\r\n:")
	return strings.HasSuffix(head, `"reference"`)
}

// Batch carries out each step by itself; errors stand in the steps.
func (s *Service) Batch(ctx context.Context, org string, steps []*Step) {
	for _, st := range steps {
		if st.Method == "POST" || st.Method == "PUT" && st.ID == "" {
			st.fresh = s.ids.New()
		}
		st.Err = s.db.Write(ctx, func(tx *store.Tx) error {
			body, err := s.relinked(tx, org, st.Resource, map[string]string{})
			if err == nil {
				st.Reply, err = s.step(tx, org, st, body)
			}
			return err
		})
	}
}

// step carries out one entry.
func (s *Service) step(tx *store.Tx, org string, st *Step, body []byte) (Reply, error) {
	var out Outcome
	var err error
	version := 0
	if st.Request.IfMatch != "" {
		if version, err = ParseETag(st.Request.IfMatch); err != nil {
			return Reply{}, err
		}
	}
	switch st.Method {
	case "DELETE":
		if out, err = s.delete(tx, org, st.Type, st.ID, version); err == nil {
			out.ID = st.ID
		}
		return Reply{Status: http.StatusNoContent, Resource: out.Resource, wrote: true}, err
	case "POST":
		out, err = s.create(tx, org, st.Type, body, st.Request.IfNoneExist, st.fresh)
	case "PUT":
		if st.ID != "" {
			out, err = s.update(tx, org, st.Type, st.ID, body, version)
		} else {
			out, err = s.updateWhere(tx, org, st.Type, st.Condition, body, st.fresh)
		}
	default:
		return s.look(tx, org, st)
	}
	status := http.StatusOK
	if out.Created {
		status = http.StatusCreated
	}
	return Reply{Status: status, Resource: out.Resource, wrote: !out.Same || st.Method == "PUT"}, err
}

func (s *Service) look(tx *store.Tx, org string, st *Step) (Reply, error) {
	if st.ID != "" {
		r, err := get(tx, Scope{Org: org}, st.Type, st.ID)
		if err == nil && r.Deleted {
			err = notFound(st.Type, st.ID)
		}
		return Reply{Status: http.StatusOK, Resource: r}, err
	}
	v, err := url.ParseQuery(st.Condition)
	if err != nil {
		return Reply{}, fault.Invalidf("request.url cannot be read")
	}
	page, err := s.search(tx, Scope{Org: org}, st.Type, v)
	return Reply{Status: http.StatusOK, Page: &page}, err
}

// ParseETag reads the version of an ETag: W/"3".
func ParseETag(s string) (int, error) {
	text := strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "W/"), `"`)
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fault.Invalidf("an ETag is written W/\"version\"")
	}
	return n, nil
}
