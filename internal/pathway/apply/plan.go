package apply

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/fhir/path"
)

// Plan is a PlanDefinition that can be followed.
type Plan struct {
	URL, Version, Title, Status string
	Words                       string // description

	actions []*action
}

// Canonical answers url|version.
func (p *Plan) Canonical() string { return p.URL + "|" + p.Version }

// Actions answers how many actions the plan has, those within others with it.
func (p *Plan) Actions() int {
	var count func([]*action) int
	count = func(list []*action) (n int) {
		for _, x := range list {
			n += 1 + count(x.children)
		}
		return n
	}
	return count(p.actions)
}

// action is one step, or a group of steps.
type action struct {
	id, where  string // where: PlanDefinition.action[2]
	title      string
	titles     map[string]string
	words      string
	priority   string
	selection  string
	must       bool
	codes      []fhir.Coding
	performer  string
	conditions []*path.Expr
	timing     when
	related    []relation
	definition string
	activity   *activityDefinition
	plan       *Plan
	quest      bool // definition is a Questionnaire
	values     []dynamic
	children   []*action
}

type dynamic struct {
	path string
	expr *path.Expr
}

type relation struct {
	to           *action
	kind         string
	low, high    duration
	offset, wide bool // an offset is given; as a range
}

// wire is the part of a PlanDefinition that is read.
type wirePlan struct {
	ResourceType, URL, Version, Name, Title, Status, Description string
	Library                                                      []string
	Action                                                       []wireAction
}

type wireAction struct {
	ID, Prefix, Title, Description, TextEquivalent, Priority string
	Titles                                                   wireElement `json:"_title"`
	Code                                                     []fhir.CodeableConcept
	Condition                                                []struct {
		Kind       string
		Expression *wireExpression
	}
	RelatedAction []struct {
		ActionID       string `json:"actionId"`
		Relationship   string
		OffsetDuration *wireQuantity
		OffsetRange    *wireRange
	}
	wireTiming
	Participant         []struct{ Type string }
	SelectionBehavior   string
	RequiredBehavior    string
	DefinitionCanonical string
	DefinitionURI       string `json:"definitionUri"`
	Transform           string
	DynamicValue        []wireDynamic
	Action              []wireAction
}

// wireElement is what stands beside a text.
type wireElement struct {
	Extension []struct {
		URL       string
		Extension []struct{ URL, ValueCode, ValueString string }
	}
}

// translation is the extension of FHIR for other languages.
const translation = "http://hl7.org/fhir/StructureDefinition/translation"

// Translations answers what the element beside a text (_title) says of it in other languages; nil where it says nothing.
func Translations(raw json.RawMessage) map[string]string {
	var w wireElement
	if json.Unmarshal(raw, &w) != nil {
		return nil
	}
	return w.translations()
}

// translations answers a text in other languages.
func (w wireElement) translations() map[string]string {
	var out map[string]string
	for _, e := range w.Extension {
		if e.URL != translation {
			continue
		}
		lang, content := "", ""
		for _, x := range e.Extension {
			switch x.URL {
			case "lang":
				lang = x.ValueCode
			case "content":
				content = x.ValueString
			}
		}
		if lang != "" && content != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[lang] = content
		}
	}
	return out
}

type wireDynamic struct {
	Path       string
	Expression *wireExpression
}

type wireExpression struct{ Language, Expression, Reference string }

// loader reads plans within plans.
type loader struct {
	resolve Resolve
	around  []string // canonicals that are being read
	actions int
}

// Load reads a PlanDefinition with everything that it points to. What it cannot follow is an error that names the element.
func Load(raw json.RawMessage, resolve Resolve) (*Plan, error) {
	l := &loader{resolve: resolve}
	return l.load(raw)
}

func (l *loader) load(raw json.RawMessage) (*Plan, error) {
	var w wirePlan
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, fault.Invalidf("this is no PlanDefinition: %s", err)
	}
	switch {
	case w.ResourceType != "PlanDefinition":
		return nil, fault.Invalidf("this is a %q (want PlanDefinition)", w.ResourceType)
	case w.URL == "":
		return nil, fault.Invalidf("PlanDefinition.url is missing")
	case w.Version == "":
		return nil, fault.Invalidf("PlanDefinition.version is missing: without it nobody knows what a person was promised")
	case len(w.Action) == 0:
		return nil, fault.Invalidf("PlanDefinition.action is empty: there is nothing to do")
	}
	p := &Plan{URL: w.URL, Version: w.Version, Status: w.Status, Words: w.Description, Title: w.Title}
	if p.Title == "" {
		p.Title = w.Name
	}
	if slices.Contains(l.around, p.Canonical()) || len(l.around) >= maxDepth {
		return nil, fault.Invalidf("%s lies within itself, or more than %d deep", p.Canonical(), maxDepth)
	}
	l.around = append(l.around, p.Canonical())
	defer func() { l.around = l.around[:len(l.around)-1] }()
	named := map[string]*action{}
	var err error
	if p.actions, err = l.read(w.Action, "PlanDefinition.action", named); err != nil {
		return nil, err
	}
	if err := relate(w.Action, p.actions, named); err != nil {
		return nil, err
	}
	if err := acyclic(p.actions); err != nil {
		return nil, err
	}
	return p, nil
}

func (l *loader) read(list []wireAction, where string, named map[string]*action) ([]*action, error) {
	var out []*action
	for i, w := range list {
		at := fmt.Sprintf("%s[%d]", where, i)
		if l.actions++; l.actions > maxActions {
			return nil, fault.New(fault.TooMuch, "the plan has more than %d actions", maxActions)
		}
		x, err := l.action(w, at, i)
		if err != nil {
			return nil, err
		}
		if _, twice := named[x.id]; twice && w.ID != "" {
			return nil, fault.Invalidf("%s.id is %q, as another action's", at, w.ID)
		}
		named[x.id] = x
		if x.children, err = l.read(w.Action, at+".action", named); err != nil {
			return nil, err
		}
		if len(x.children) > 0 && w.DefinitionCanonical != "" {
			return nil, fault.Invalidf("%s has a definition and actions of its own", at)
		}
		out = append(out, x)
	}
	return out, nil
}

// behaviours of a group that are followed. Which of several is done is decided by conditions: where one is enough, it is the first that applies.
var selections = []string{"", "any", "all", "all-or-none", "exactly-one", "at-most-one", "one-or-more"}

func (l *loader) action(w wireAction, at string, i int) (*action, error) {
	x := &action{id: w.ID, where: at, title: firstOf(w.Title, w.TextEquivalent, w.Description, w.Prefix), words: firstOf(w.TextEquivalent, w.Description), titles: w.Titles.translations(), priority: w.Priority, selection: w.SelectionBehavior,
		must: w.RequiredBehavior == "must", definition: w.DefinitionCanonical}
	if x.id == "" {
		x.id = fmt.Sprint(i + 1)
	}
	if strings.Contains(x.id, "/") {
		return nil, fault.Invalidf("%s.id is %q (want no slash in it)", at, x.id)
	}
	switch {
	case w.Transform != "":
		return nil, fault.Invalidf("%s.transform is %q: maps are not followed", at, w.Transform)
	case w.DefinitionURI != "":
		return nil, fault.Invalidf("%s.definitionUri is %q: only canonical definitions are followed", at, w.DefinitionURI)
	case !slices.Contains(selections, w.SelectionBehavior):
		return nil, fault.Invalidf("%s.selectionBehavior is %q (want one of %s)", at, w.SelectionBehavior, strings.Join(selections[1:], ", "))
	}
	for _, c := range w.Code {
		x.codes = append(x.codes, c.Coding...)
	}
	if len(w.Participant) > 0 {
		x.performer = w.Participant[0].Type
	}
	for k, c := range w.Condition {
		if c.Kind != "applicability" {
			continue // start and stop are for whoever does the action
		}
		e, err := compile(c.Expression, fmt.Sprintf("%s.condition[%d].expression", at, k))
		if err != nil {
			return nil, err
		}
		x.conditions = append(x.conditions, e)
	}
	var err error
	if x.values, err = readDynamic(w.DynamicValue, at); err != nil {
		return nil, err
	}
	if x.timing, err = w.wireTiming.read(at); err != nil {
		return nil, err
	}
	return x, l.definition(x)
}

// definition reads what an action points to.
func (l *loader) definition(x *action) error {
	if x.definition == "" {
		return nil
	}
	at := x.where + ".definitionCanonical"
	raw, ok := l.resolve(x.definition)
	if !ok {
		return fault.Invalidf("%s is %q, which is not here: load it first", at, x.definition)
	}
	var kind struct{ ResourceType string }
	if err := json.Unmarshal(raw, &kind); err != nil {
		return fault.Invalidf("%s is %q, which cannot be read", at, x.definition)
	}
	var err error
	switch kind.ResourceType {
	case "PlanDefinition":
		x.plan, err = l.load(raw)
	case "ActivityDefinition":
		x.activity, err = readActivity(raw)
	case "Questionnaire":
		x.quest = true
		var q struct{ Title string }
		json.Unmarshal(raw, &q)
		x.title = firstOf(x.title, q.Title)
	default:
		return fault.Invalidf("%s is a %s (want PlanDefinition, ActivityDefinition or Questionnaire)", at, kind.ResourceType)
	}
	if err != nil {
		return fault.Invalidf("%s (%s): %s", at, x.definition, err)
	}
	return nil
}

// compile reads an expression in FHIRPath; other languages are refused by name.
func compile(w *wireExpression, at string) (*path.Expr, error) {
	switch {
	case w == nil || w.Expression == "":
		return nil, fault.Invalidf("%s is missing", at)
	case w.Language != "text/fhirpath":
		return nil, fault.Invalidf("%s.language is %q: only text/fhirpath is followed, no CQL", at, w.Language)
	}
	e, err := path.Compile(w.Expression)
	if err != nil {
		return nil, fault.Invalidf("%s: %s", at, err)
	}
	return e, nil
}

func readDynamic(list []wireDynamic, at string) (out []dynamic, err error) {
	for k, d := range list {
		where := fmt.Sprintf("%s.dynamicValue[%d]", at, k)
		if _, err := steps(d.Path); err != nil {
			return nil, fault.Invalidf("%s.path %s", where, err)
		}
		e, err := compile(d.Expression, where+".expression")
		if err != nil {
			return nil, err
		}
		out = append(out, dynamic{d.Path, e})
	}
	return out, nil
}

// relate joins actions to those that they are related to.
func relate(list []wireAction, actions []*action, named map[string]*action) error {
	for i, w := range list {
		x := actions[i]
		for k, r := range w.RelatedAction {
			at := fmt.Sprintf("%s.relatedAction[%d]", x.where, k)
			to := named[r.ActionID]
			if to == nil || to == x {
				return fault.Invalidf("%s.actionId is %q, which is no other action", at, r.ActionID)
			}
			if !slices.Contains(relationships, r.Relationship) {
				return fault.Invalidf("%s.relationship is %q (want one of %s)", at, r.Relationship, strings.Join(relationships, ", "))
			}
			rel := relation{to: to, kind: r.Relationship}
			var err error
			switch {
			case r.OffsetDuration != nil:
				rel.offset = true
				rel.low, err = r.OffsetDuration.duration()
				rel.high = rel.low
			case r.OffsetRange != nil:
				rel.offset, rel.wide = true, true
				rel.low, rel.high, err = r.OffsetRange.durations()
			}
			if err != nil {
				return fault.Invalidf("%s: its offset %s", at, err)
			}
			x.related = append(x.related, rel)
		}
		if err := relate(w.Action, x.children, named); err != nil {
			return err
		}
	}
	return nil
}

// acyclic refuses actions that wait for each other.
func acyclic(list []*action) error {
	state := map[*action]int{}
	var visit func(x *action) error
	visit = func(x *action) error {
		switch state[x] {
		case 1:
			return fault.Invalidf("%s waits for itself by way of others", x.where)
		case 2:
			return nil
		}
		state[x] = 1
		for _, r := range x.related {
			if err := visit(r.to); err != nil {
				return err
			}
		}
		state[x] = 2
		return nil
	}
	for _, x := range list {
		if err := visit(x); err != nil {
			return err
		}
		if err := acyclic(x.children); err != nil {
			return err
		}
	}
	return nil
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
