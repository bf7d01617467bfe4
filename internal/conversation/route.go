package conversation

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Route says what becomes of words that hold one of its phrases: who answers, and how soon. Of several that fit, the one with the
// shortest time is taken.
type Route struct {
	ID      string      `json:"-"`
	Name    string      `json:"name"`    // for the clinic's eyes
	Words   []string    `json:"words"`   // phrases; case, accents and what stands between words do not matter
	Role    person.Role `json:"role"`    // nurse or desk
	Minutes int         `json:"minutes"` // until there is an answer
	Red     bool        `json:"red,omitempty"`
}

// redMinutes is how soon somebody must look at words that raise a red flag.
const redMinutes = 10

// Validate says what is wrong with a route.
func (r Route) Validate() error {
	switch {
	case r.ID == "" || strings.TrimSpace(r.Name) == "":
		return fault.Invalidf("A rule for words needs a name.")
	case len(r.Words) == 0 || len(r.Words) > 200:
		return fault.Invalidf("A rule for words needs from 1 to 200 words or phrases.")
	case r.Role != person.Nurse && r.Role != person.Desk:
		return fault.Invalidf("Who answers: a nurse or the desk.")
	case r.Minutes < 5 || r.Minutes > 3*24*60:
		return fault.Invalidf("An answer comes within 5 minutes to 3 days.")
	}
	for _, w := range r.Words {
		if plain(w) == "" || len(w) > 100 {
			return fault.Invalidf("%q is no word or phrase.", w)
		}
	}
	return nil
}

// Usual are the rules with which an organization begins: words after which a person looks at once, and two everyday matters.
var Usual = []Route{
	{ID: "red", Name: "At once", Role: person.Nurse, Minutes: redMinutes, Red: true, Words: []string{
		"chest pain", "chest hurts", "cannot breathe", "can't breathe", "trouble breathing", "short of breath", "passed out", "fainted", "stroke", "face drooping", "bleeding", "suicide",
		"kill myself", "want to die", "overdose", "took too many", "fell down", "emergency",
		"dolor de pecho", "me duele el pecho", "no puedo respirar", "falta el aire", "me falta aire", "me desmayé", "derrame", "sangrando", "suicidio", "quiero morir", "matarme", "sobredosis",
		"tomé demasiadas", "me caí", "emergencia"}},
	{ID: "refill", Name: "Refills", Role: person.Desk, Minutes: 8 * 60, Words: []string{"refill", "pharmacy", "prescription", "receta", "farmacia", "más pastillas"}},
	{ID: "visit", Name: "Visits", Role: person.Desk, Minutes: 2 * 60, Words: []string{"appointment", "reschedule", "cita", "visita", "cambiar la hora"}},
}

// plain answers a text in lower case without accents, its words apart by one space, with a space at either end.
func plain(text string) string {
	var b strings.Builder
	apart := true
	for _, c := range norm.NFD.String(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Mn, c) || c == '\'' || c == '’':
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			if apart {
				b.WriteByte(' ')
			}
			b.WriteRune(c)
			apart = false
		default:
			apart = true
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + " "
}

// Choose answers the route of words; the zero Route, with the usual time of an answer, when none fits.
func Choose(routes []Route, body string) Route {
	text := plain(body)
	best := Route{ID: "", Role: person.Nurse, Minutes: int(within.Minutes())}
	fits := slices.DeleteFunc(slices.Clone(routes), func(r Route) bool {
		return !slices.ContainsFunc(r.Words, func(w string) bool { return strings.Contains(text, plain(w)) })
	})
	if len(fits) == 0 {
		return best
	}
	return slices.MinFunc(fits, func(a, b Route) int {
		return cmp.Or(cmp.Compare(yes(b.Red), yes(a.Red)), a.Minutes-b.Minutes, cmp.Compare(a.ID, b.ID))
	})
}

// Routes answers the organization's rules; those that every organization begins with until it has saved its own.
func (s *Service) Routes(tx *store.Tx, org person.OrgID) ([]Route, error) {
	own, err := store.All(tx, "SELECT id, body FROM conversation_route WHERE org = $1 ORDER BY id", []any{string(org)}, func(scan func(...any) error) (Route, error) {
		var r Route
		var body string
		if err := scan(&r.ID, &body); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(body), &r)
	})
	if err != nil || len(own) > 0 {
		return own, err
	}
	return Usual, nil
}

// SaveRoute makes a rule or changes it. The first that an organization saves brings the usual ones with it. The rule of red flags can be
// changed, and not be taken away.
func (s *Service) SaveRoute(tx *store.Tx, v person.Viewer, r Route) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can change these rules.")
	}
	if err := r.Validate(); err != nil {
		return err
	}
	if r.ID == "red" {
		r.Red, r.Role, r.Minutes = true, person.Nurse, min(r.Minutes, redMinutes)
	}
	all, err := s.Routes(tx, v.Org)
	if err != nil {
		return err
	}
	all = append(slices.DeleteFunc(slices.Clone(all), func(x Route) bool { return x.ID == r.ID }), r)
	return tx.Put("conversation_route", []string{"org", "id", "body"}, 2, len(all), func(i int) []any {
		b, _ := json.Marshal(all[i])
		return []any{string(v.Org), all[i].ID, string(b)}
	})
}

// Template is an answer that is written again and again, in each language that patients read.
type Template struct {
	ID   string            `json:"-"`
	Name string            `json:"name"`
	Text map[string]string `json:"text"` // by language
}

// Templates answers the organization's templates, by name.
func (s *Service) Templates(tx *store.Tx, org person.OrgID) ([]Template, error) {
	list, err := store.All(tx, "SELECT id, body FROM conversation_template WHERE org = $1", []any{string(org)}, func(scan func(...any) error) (Template, error) {
		var t Template
		var body string
		if err := scan(&t.ID, &body); err != nil {
			return t, err
		}
		return t, json.Unmarshal([]byte(body), &t)
	})
	slices.SortFunc(list, func(a, b Template) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return list, err
}

// SaveTemplate makes a template or changes it. Each language needs its own words: nobody is answered in one that she does not read.
func (s *Service) SaveTemplate(tx *store.Tx, v person.Viewer, t Template) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can change these rules.")
	}
	if strings.TrimSpace(t.Name) == "" {
		return fault.Invalidf("The answer needs a name.")
	}
	for _, lang := range person.Languages {
		if text := strings.TrimSpace(t.Text[lang]); text == "" || len(text) > 2000 {
			return fault.Invalidf("Please write the answer in English and in Spanish (2,000 letters at most).")
		}
	}
	if t.ID == "" {
		t.ID = s.ids.New()
	}
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return tx.Put("conversation_template", []string{"org", "id", "body"}, 2, 1, func(int) []any { return []any{string(v.Org), t.ID, string(b)} })
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}
