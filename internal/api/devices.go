package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

type device struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"`
	Source     string    `json:"source,omitempty" doc:"Of the kind import: what measured, as the file told it."`
	Registered time.Time `json:"registered"`
}

// newDevice is a device with its key, which is shown this once.
type newDevice struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Key  string `json:"key" doc:"Shown this once: only its hash is kept."`
}

type assignment struct {
	Device  string    `json:"device"`
	Patient person.ID `json:"patient"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until,omitzero" doc:"Absent while it is open."`
}

func (s *server) deviceRoutes(mux *http.ServeMux) {
	get(s, "list-devices", "/devices", "The organization's devices. Staff and operators.", s.devices)
	post(s, "register-device", "/devices", "Registers a device and answers its key, once. Staff and operators.", http.StatusCreated, s.register)
	post(s, "change-device-key", "/devices/{id}/key", "Gives a device a new key and answers it, once. The old one stops working, and a session with it is ended. Staff and operators.",
		http.StatusCreated, s.changeKey)
	post(s, "assign-device", "/devices/{id}/assignments", "Says that a device measures a patient from an instant until another. Staff only.", http.StatusCreated, s.assign)
	post(s, "end-assignment", "/devices/{id}/assignments/end", "Ends a patient's open assignment of a device: it came back, or changes hands. Staff only.", http.StatusOK, s.endAssignment)
	get(s, "list-assignments", "/patients/{id}/devices", "Which devices measured a patient, and when.", s.assignments)
	if s.Devices == nil {
		return
	}
	const path = root + "/devices/{device}/readings"
	mux.Handle("POST "+path, s.Devices)
	s.api.OpenAPI().AddOperation(&huma.Operation{OperationID: "send-readings", Method: http.MethodPost, Path: path, Security: []map[string][]string{{"device": {}}},
		Summary:    "A device's readings: a JSON object or array, the raw bytes of a GATT characteristic, or a file of a device or health app by its media type. Answers once they are durable.",
		Parameters: []*huma.Param{{Name: "device", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {}, "application/vnd.doorstep.gatt+{uuid16}": {}, "application/vnd.doorstep.{format}": {}, "application/vnd.ant.fit": {},
			"text/csv": {}, "application/xml": {}, "text/xml": {}, "application/fhir+json": {}, "application/fhir+ndjson": {}}},
		Responses: map[string]*huma.Response{"200": {Description: `{"stored":n,"known":n,"refused":[{"index","reason"}]}`}, "default": {Description: "A problem document."}}})
}

func staffOrOperator(c *caller) error {
	if c.Role == person.Operator {
		return nil
	}
	return staffOnly(c)
}

type devicesInput struct{ Part }

func (s *server) devices(ctx context.Context, c *caller, in *devicesInput) (list[device], error) {
	if err := staffOrOperator(c); err != nil {
		return list[device]{}, err
	}
	all, err := s.Reading.Devices(ctx, string(c.Org))
	if err != nil {
		return list[device]{}, err
	}
	return cut(all, in.Part, func(d reading.Device) string { return d.ID }, func(d reading.Device) (device, error) {
		return device{ID: d.ID, Kind: d.Kind, Source: d.Source, Registered: d.Registered}, nil
	})
}

type registerInput struct {
	Write
	Body struct {
		Kind string `json:"kind" minLength:"1" maxLength:"64" example:"scale"`
	}
}

func (s *server) register(ctx context.Context, c *caller, in *registerInput) (newDevice, error) {
	if err := staffOrOperator(c); err != nil {
		return newDevice{}, err
	}
	return onceApart(ctx, s, c, in.Write, func() (newDevice, error) {
		id, key, err := s.Reading.Register(ctx, string(c.Org), in.Body.Kind)
		return newDevice{ID: id, Kind: in.Body.Kind, Key: key}, err
	})
}

// changeKey is audited with the patient who has the device now, if anybody has: whoever holds its key can write readings into
// that chart, so staff change it only for patients for whom they may act.
func (s *server) changeKey(ctx context.Context, c *caller, in *takeInput) (newDevice, error) {
	if err := staffOrOperator(c); err != nil {
		return newDevice{}, err
	}
	d, err := s.ownDevice(ctx, c, in.ID)
	if err != nil {
		return newDevice{}, err
	}
	holder, err := s.Reading.Holder(ctx, d)
	if err != nil {
		return newDevice{}, err
	}
	if holder != "" && c.Role != person.Operator {
		if _, err := s.enter(ctx, c, person.Act, person.ID(holder), "change a device's key"); err != nil {
			return newDevice{}, err
		}
	}
	return once(ctx, s, c, Write{Key: in.Key}, func(tx *store.Tx) (newDevice, error) {
		key, err := s.Reading.Rotate(tx, d.Org, d.ID)
		if err == nil {
			err = s.Person.Audit(tx, c.Viewer, person.ID(holder), "change", "device key "+d.ID)
		}
		return newDevice{ID: d.ID, Kind: d.Kind, Key: key}, err
	})
}

type assignInput struct {
	ID string `path:"id"`
	Write
	Body struct {
		Patient person.ID `json:"patient" minLength:"1"`
		From    time.Time `json:"from,omitzero" doc:"Now when left out."`
		Until   time.Time `json:"until,omitzero" doc:"Open when left out."`
	}
}

func (s *server) assign(ctx context.Context, c *caller, in *assignInput) (assignment, error) {
	d, p, err := s.deviceFor(ctx, c, in.ID, in.Body.Patient, "assign a device")
	if err != nil {
		return assignment{}, err
	}
	a := reading.Assignment{Device: d.ID, Patient: string(p.ID), From: in.Body.From.UTC(), Until: in.Body.Until.UTC()}
	if a.From.IsZero() {
		a.From = s.Clock.Now()
	}
	return onceApart(ctx, s, c, in.Write, func() (assignment, error) {
		err := s.Reading.Assign(ctx, string(c.Org), d.ID, a.Patient, a.From, a.Until)
		if fault.Is(err, fault.Conflict) {
			err = s.sameAgain(ctx, p, a, err)
		}
		return assignment{Device: d.ID, Patient: p.ID, From: a.From, Until: a.Until}, err
	})
}

// deviceFor answers a device of the caller's organization and the patient for whom a member of staff may act.
func (s *server) deviceFor(ctx context.Context, c *caller, id string, patient person.ID, what string) (reading.Device, person.Person, error) {
	if err := staffOnly(c); err != nil {
		return reading.Device{}, person.Person{}, err
	}
	p, err := s.enter(ctx, c, person.Act, patient, what)
	if err != nil {
		return reading.Device{}, p, err
	}
	d, err := s.ownDevice(ctx, c, id)
	return d, p, err
}

// ownDevice answers a device of the caller's organization.
func (s *server) ownDevice(ctx context.Context, c *caller, id string) (reading.Device, error) {
	d, err := s.Reading.Device(ctx, id)
	if err == nil && d.Org != string(c.Org) || fault.Is(err, fault.NotFound) {
		err = fault.NotFoundf("There is no such device.")
	}
	return d, err
}

// sameAgain forgives a conflict with the very same assignment: it was made before, and only its answer was lost.
func (s *server) sameAgain(ctx context.Context, p person.Person, a reading.Assignment, conflict error) error {
	all, err := s.Reading.DevicesOf(ctx, string(p.Org), string(p.ID))
	if err != nil {
		return err
	}
	for _, had := range all {
		if had.Device == a.Device && had.From.Equal(a.From) && had.Until.Equal(a.Until) {
			return nil
		}
	}
	return conflict
}

type endInput struct {
	ID string `path:"id"`
	Write
	Body struct {
		Patient person.ID `json:"patient" minLength:"1"`
		At      time.Time `json:"at,omitzero" doc:"Now when left out."`
	}
}

func (s *server) endAssignment(ctx context.Context, c *caller, in *endInput) (assignment, error) {
	d, p, err := s.deviceFor(ctx, c, in.ID, in.Body.Patient, "end an assignment")
	if err != nil {
		return assignment{}, err
	}
	at := in.Body.At.UTC()
	if at.IsZero() {
		at = s.Clock.Now()
	}
	return onceApart(ctx, s, c, in.Write, func() (assignment, error) {
		all, err := s.Reading.DevicesOf(ctx, string(c.Org), string(p.ID))
		if err != nil {
			return assignment{}, err
		}
		i := slices.IndexFunc(all, func(a reading.Assignment) bool { return a.Device == d.ID && a.Until.IsZero() })
		if i < 0 {
			return assignment{}, fault.Conflictf("The patient does not have this device now.")
		}
		err = s.Reading.Unassign(ctx, string(c.Org), d.ID, at)
		return assignment{Device: d.ID, Patient: p.ID, From: all[i].From, Until: at}, err
	})
}

type assignmentsInput struct {
	ID person.ID `path:"id"`
	Part
}

func (s *server) assignments(ctx context.Context, c *caller, in *assignmentsInput) (list[assignment], error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "devices")
	if err != nil {
		return list[assignment]{}, err
	}
	all, err := s.Reading.DevicesOf(ctx, string(c.Org), string(p.ID))
	if err != nil {
		return list[assignment]{}, err
	}
	return cut(all, in.Part, func(a reading.Assignment) string { return timeKey(a.From) + "/" + a.Device }, func(a reading.Assignment) (assignment, error) {
		return assignment{Device: a.Device, Patient: p.ID, From: a.From, Until: a.Until}, nil
	})
}
