package pathway

import (
	"embed"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"sync"

	"doorstep/internal/fault"
	"doorstep/internal/pathway/apply"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

//go:embed shipped/*.json
var shippedFiles embed.FS

// loaded is a definition with its bytes.
type loaded struct {
	Definition
	body json.RawMessage
}

// shipped are the definitions that come with the program, written by us. A site loads its own beside them.
var shipped = sync.OnceValue(func() (out []loaded) {
	names, err := shippedFiles.ReadDir("shipped")
	if err != nil {
		panic(err)
	}
	for _, n := range names {
		b, err := shippedFiles.ReadFile(path.Join("shipped", n.Name()))
		if err != nil {
			panic(err)
		}
		var bundle struct {
			Entry []struct{ Resource json.RawMessage }
		}
		if err := json.Unmarshal(b, &bundle); err != nil {
			panic(n.Name() + ": " + err.Error())
		}
		for _, e := range bundle.Entry {
			d, err := head(e.Resource)
			if err != nil {
				panic(n.Name() + ": " + err.Error())
			}
			out = append(out, loaded{d, e.Resource})
		}
	}
	return out
})

// head reads what a definition is.
func head(body json.RawMessage) (Definition, error) {
	var h struct {
		ResourceType, URL, Version, Title, Name string
		Titles                                  json.RawMessage `json:"_title"`
	}
	if err := json.Unmarshal(body, &h); err != nil {
		return Definition{}, fault.Invalidf("This is no FHIR resource: %s", err)
	}
	d := Definition{URL: h.URL, Version: h.Version, Kind: h.ResourceType, Title: h.Title, Titles: apply.Translations(h.Titles)}
	if d.Title == "" {
		d.Title = h.Name
	}
	switch {
	case !slices.Contains([]string{"PlanDefinition", "ActivityDefinition", "Questionnaire"}, d.Kind):
		return d, fault.Invalidf("This is a %q (want a PlanDefinition, ActivityDefinition or Questionnaire).", d.Kind)
	case d.URL == "" || d.Version == "":
		return d, fault.Invalidf("%s.url and %s.version are needed: without them nobody knows what a person was promised.", d.Kind, d.Kind)
	case strings.ContainsAny(d.URL+d.Version, "| \n"):
		return d, fault.Invalidf("%s.url and %s.version hold no spaces or bars.", d.Kind, d.Kind)
	}
	return d, nil
}

// Load takes a definition. A PlanDefinition is followed through everything that it points to, which has to be here; a version that is here already stays as
// it is: the same bytes change nothing, others are refused.
func (s *Service) Load(tx *store.Tx, org person.OrgID, body []byte) (Definition, error) {
	d, err := head(body)
	if err != nil {
		return d, err
	}
	resolve, err := s.resolver(tx, org)
	if err != nil {
		return d, err
	}
	if old, ok := resolve(d.Canonical()); ok {
		if same(old, body) {
			return d, nil
		}
		return d, fault.Conflictf("Version %s of %s is here already, with other content. A version never changes: give the new one another version.", d.Version, d.URL)
	}
	if d.Kind == "PlanDefinition" {
		if _, err := apply.Load(body, resolve); err != nil {
			return d, err
		}
	}
	d.Loaded = s.clock.Now()
	_, err = tx.Exec("INSERT INTO pathway_definition (org, url, version, kind, title, body, loaded_at) VALUES ($1, $2, $3, $4, $5, $6, $7)", string(org), d.URL, d.Version, d.Kind, d.Title, string(body), store.Micros(d.Loaded))
	return d, err
}

// same compares two JSON texts by what they say.
func same(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}

// Definitions answers what is here, the shipped ones first, by title and version.
func (s *Service) Definitions(tx *store.Tx, org person.OrgID) ([]Definition, error) {
	all, err := s.all(tx, org)
	out := make([]Definition, len(all))
	for i, d := range all {
		out[i] = d.Definition
	}
	return out, err
}

func (s *Service) all(tx *store.Tx, org person.OrgID) ([]loaded, error) {
	own, err := store.All(tx, "SELECT url, version, kind, title, body, loaded_at FROM pathway_definition WHERE org = $1 ORDER BY title, url, loaded_at, version", []any{string(org)}, func(scan func(...any) error) (d loaded, err error) {
		var body string
		var at int64
		err = scan(&d.URL, &d.Version, &d.Kind, &d.Title, &body, &at)
		d.body, d.Loaded = json.RawMessage(body), store.Time(at)
		if err == nil {
			own, bad := head(d.body)
			d.Titles, err = own.Titles, bad
		}
		return d, err
	})
	return append(slices.Clone(shipped()), own...), err
}

// resolver answers definitions by url|version, and by url alone the one that was loaded last.
func (s *Service) resolver(tx *store.Tx, org person.OrgID) (apply.Resolve, error) {
	all, err := s.all(tx, org)
	if err != nil {
		return nil, err
	}
	return func(canonical string) (json.RawMessage, bool) {
		for _, d := range slices.Backward(all) {
			if canonical == d.Canonical() || canonical == d.URL {
				return d.body, true
			}
		}
		return nil, false
	}, nil
}

// plan answers the plan of a canonical, ready to be applied, and the definition.
func (s *Service) plan(tx *store.Tx, org person.OrgID, canonical string) (*apply.Plan, error) {
	resolve, err := s.resolver(tx, org)
	if err != nil {
		return nil, err
	}
	body, ok := resolve(canonical)
	if !ok {
		return nil, fault.NotFoundf("There is no such pathway here.")
	}
	return apply.Load(body, resolve)
}
