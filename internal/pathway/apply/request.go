package apply

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
)

// activityDefinition is an ActivityDefinition that can be followed.
type activityDefinition struct {
	wireActivity
	values []dynamic
}

type wireActivity struct {
	ResourceType, URL, Version, Name, Title, Description, Kind, Intent, Priority, Transform string
	Titles                                                                                  wireElement `json:"_title"`
	Code                                                                                    *fhir.CodeableConcept
	ProductCodeableConcept                                                                  *fhir.CodeableConcept
	Quantity                                                                                json.RawMessage
	Dosage                                                                                  json.RawMessage
	BodySite                                                                                json.RawMessage
	DoNotPerform                                                                            bool
	Participant                                                                             []struct{ Type string }
	DynamicValue                                                                            []wireDynamic
}

// kinds of requests that an activity can ask for, with the status and the element that says when.
var kinds = map[string]struct{ status, when string }{
	"Task": {"requested", ""}, "ServiceRequest": {"active", "occurrence"}, "CommunicationRequest": {"active", "occurrence"}, "DeviceRequest": {"active", "occurrence"},
	"SupplyRequest": {"active", "occurrence"}, "MedicationRequest": {"active", ""}, "NutritionOrder": {"active", ""}, "Appointment": {"proposed", ""},
}

func readActivity(raw json.RawMessage) (*activityDefinition, error) {
	a := &activityDefinition{}
	if err := json.Unmarshal(raw, &a.wireActivity); err != nil {
		return nil, fault.Invalidf("this is no ActivityDefinition: %s", err)
	}
	if a.Kind == "" {
		a.Kind = "Task"
	}
	if _, ok := kinds[a.Kind]; !ok {
		return nil, fault.Invalidf("ActivityDefinition.kind is %q, which is not followed", a.Kind)
	}
	if a.Transform != "" {
		return nil, fault.Invalidf("ActivityDefinition.transform is %q: maps are not followed", a.Transform)
	}
	var err error
	a.values, err = readDynamic(a.DynamicValue, "ActivityDefinition")
	return a, err
}

// described is what an action or its definition says of itself.
type described struct {
	title, words, performer string
	titles                  map[string]string
	codes                   []fhir.Coding
}

func (x *action) describe() described {
	d := described{x.title, x.words, x.performer, x.titles, x.codes}
	if def := x.activity; def != nil {
		if d.title == "" {
			d.titles = def.Titles.translations()
		}
		d.title = firstOf(d.title, def.Title, def.Name)
		d.words = firstOf(d.words, def.Description)
		if d.performer == "" && len(def.Participant) > 0 {
			d.performer = def.Participant[0].Type
		}
		if def.Code != nil {
			d.codes = append(slices.Clone(d.codes), def.Code.Coding...)
		}
	}
	return d
}

// request makes the resource that an action asks for.
func (a *applying) request(x *action, place string, when span, recurs bool) (Request, error) {
	kind := "Task"
	if x.activity != nil {
		kind = x.activity.Kind
	}
	d := x.describe()
	r := Request{Type: kind, ID: clock.DerivedID("pathway", a.plan.Canonical(), a.Episode, place, "request")}
	subject := map[string]any{"reference": "Patient/" + a.subject}
	body := map[string]any{"resourceType": kind, "id": r.ID, "status": kinds[kind].status}
	code := map[string]any{"text": d.title}
	if len(d.codes) > 0 {
		code["coding"] = d.codes
	}
	switch kind {
	case "Task":
		body["intent"], body["for"], body["description"], body["code"] = "plan", subject, firstOf(d.words, d.title), code
		body["restriction"] = map[string]any{"period": period(when)}
		if x.quest {
			body["input"] = []any{map[string]any{"type": map[string]any{"text": "Questionnaire"}, "valueCanonical": x.definition}}
		}
	case "Appointment":
		body["serviceType"], body["requestedPeriod"] = []any{code}, []any{period(when)}
		body["participant"] = []any{map[string]any{"actor": subject, "status": "needs-action"}}
	case "SupplyRequest":
		body["itemCodeableConcept"], body["deliverTo"], body["quantity"] = code, subject, map[string]any{"value": 1}
	case "MedicationRequest":
		body["intent"], body["subject"], body["medicationCodeableConcept"] = "plan", subject, concept(x.activity.ProductCodeableConcept, code)
		put(body, "dosageInstruction", x.activity.Dosage)
	case "NutritionOrder":
		body["intent"], body["patient"], body["dateTime"] = "plan", subject, when.from.Format(time.RFC3339)
		body["oralDiet"] = map[string]any{"type": []any{code}}
	case "CommunicationRequest":
		body["subject"], body["payload"] = subject, []any{map[string]any{"contentString": firstOf(d.words, d.title)}}
	case "DeviceRequest":
		body["intent"], body["subject"], body["codeCodeableConcept"] = "plan", subject, code
	default:
		body["intent"], body["subject"], body["code"] = "plan", subject, code
		put(body, "bodySite", x.activity.BodySite)
	}
	if at := kinds[kind].when; at != "" {
		if recurs {
			put(body, at+"Timing", x.timing.raw)
		} else {
			body[at+"Period"] = period(when)
		}
	}
	if x.activity != nil {
		put(body, "quantity", x.activity.Quantity)
		if x.activity.DoNotPerform {
			body["doNotPerform"] = true
		}
	}
	if p := x.priority; p != "" {
		body["priority"] = p
	}
	if x.definition != "" && kind != "Appointment" && kind != "SupplyRequest" && kind != "CommunicationRequest" {
		body["instantiatesCanonical"] = x.definition
		if kind != "Task" {
			body["instantiatesCanonical"] = []string{x.definition}
		}
	}
	values := x.values
	if x.activity != nil {
		values = append(slices.Clone(x.activity.values), values...)
	}
	for _, v := range values {
		if err := a.set(body, v); err != nil {
			return r, err
		}
	}
	var err error
	r.Body, err = json.Marshal(body)
	return r, err
}

func period(s span) map[string]any {
	return map[string]any{"start": s.from.Format(time.RFC3339), "end": s.by.Format(time.RFC3339)}
}

func concept(c *fhir.CodeableConcept, other map[string]any) any {
	if c != nil {
		return c
	}
	return other
}

func put(body map[string]any, key string, raw json.RawMessage) {
	if len(raw) > 0 {
		body[key] = raw
	}
}

// lists are elements of requests that are lists, so that one value becomes a list of one.
var lists = []string{"coding", "event", "note", "reasonCode", "reasonReference", "performer", "category", "payload", "medium", "recipient", "basedOn", "supportingInfo", "dosageInstruction", "input", "output",
	"bodySite", "orderDetail", "participant", "serviceType", "requestedPeriod", "timeOfDay", "dayOfWeek", "when", "given", "additionalInstruction", "doseAndRate", "contentAttachment", "parameter"}

// step is one part of the path of a dynamic value.
type step struct {
	name  string
	index int // -1: none is given
}

// steps reads a path like code.coding[0].display.
func steps(text string) (out []step, err error) {
	for _, part := range strings.Split(strings.TrimPrefix(text, "%resource."), ".") {
		s := step{part, -1}
		if name, rest, ok := strings.Cut(part, "["); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
			if err != nil || n < 0 || n > 100 || !strings.HasSuffix(rest, "]") {
				return nil, fmt.Errorf("is %q: %q is no index", text, rest)
			}
			s = step{name, n}
		}
		for _, r := range s.name {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
				return nil, fmt.Errorf("is %q (want names with dots between them)", text)
			}
		}
		if s.name == "" {
			return nil, fmt.Errorf("is %q (want names with dots between them)", text)
		}
		out = append(out, s)
	}
	return out, nil
}

// set puts a dynamic value into a draft.
func (a *applying) set(body map[string]any, v dynamic) error {
	draft, err := json.Marshal(body)
	if err != nil {
		return err
	}
	found, err := v.expr.Eval(a.Subject, a.env(draft))
	if err != nil || len(found) == 0 {
		return err // nothing to say leaves the element as it is
	}
	path, err := steps(v.path)
	if err != nil {
		return err
	}
	if path[0].name == "resourceType" || path[0].name == "id" || path[0].name == "status" && len(path) > 1 {
		return fmt.Errorf("its dynamic value would change %s", v.path)
	}
	last := path[len(path)-1]
	var value any
	switch {
	case len(found) > 1 || slices.Contains(lists, last.name) && last.index < 0:
		list := make([]json.RawMessage, len(found))
		for i := range found {
			list[i] = found[i].JSON
		}
		value = list
	default:
		value = found[0].JSON
	}
	return within(body, path, value)
}

// within puts a value at a path, making what is missing on the way.
func within(at map[string]any, path []step, value any) error {
	s := path[0]
	if raw, ok := at[s.name].(json.RawMessage); ok { // as it came from a definition: opened
		var open any
		if err := json.Unmarshal(raw, &open); err != nil {
			return err
		}
		at[s.name] = open
	}
	if c, ok := at[s.name].(*fhir.CodeableConcept); ok {
		at[s.name] = map[string]any{"text": c.Text, "coding": c.Coding}
	}
	isList := s.index >= 0 || len(path) > 1 && slices.Contains(lists, s.name)
	if isList {
		return withinList(at, s, path, value)
	}
	if len(path) == 1 {
		at[s.name] = value
		return nil
	}
	inner, ok := at[s.name].(map[string]any)
	if !ok {
		if at[s.name] != nil {
			return fmt.Errorf("%s is there already and has no parts", s.name)
		}
		inner = map[string]any{}
		at[s.name] = inner
	}
	return within(inner, path[1:], value)
}

func withinList(at map[string]any, s step, path []step, value any) error {
	var list []any
	switch old := at[s.name].(type) {
	case nil:
	case []any:
		list = old
	default: // a list of a known type
		b, err := json.Marshal(old)
		if err == nil {
			err = json.Unmarshal(b, &list)
		}
		if err != nil {
			return fmt.Errorf("%s is no list", s.name)
		}
	}
	i := max(0, s.index)
	for len(list) <= i {
		list = append(list, nil)
	}
	at[s.name] = list
	if len(path) == 1 {
		list[i] = value
		return nil
	}
	inner, ok := list[i].(map[string]any)
	if !ok {
		inner = map[string]any{}
		list[i] = inner
	}
	return within(inner, path[1:], value)
}

// carePlan writes the plan of the person, with its requests as activities.
func (a *applying) carePlan() {
	id := clock.DerivedID("pathway", a.plan.Canonical(), a.Episode, "careplan")
	var activities []any
	for _, r := range a.out.Requests {
		activities = append(activities, map[string]any{"reference": map[string]any{"reference": r.Type + "/" + r.ID}})
	}
	end := a.Start
	for _, x := range a.out.Activities {
		end = later(end, x.By)
	}
	body := map[string]any{"resourceType": "CarePlan", "id": id, "status": "active", "intent": "plan", "title": a.plan.Title, "subject": map[string]any{"reference": "Patient/" + a.subject},
		"instantiatesCanonical": []string{a.plan.Canonical()}, "period": period(span{a.Start, end})}
	if len(activities) > 0 {
		body["activity"] = activities
	}
	raw, _ := json.Marshal(body) // values that were marshalled before
	a.out.CarePlan = Request{"CarePlan", id, raw}
}
