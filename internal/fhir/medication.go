package fhir

// MedicationRequest is an order for medication, the parts that dosing needs (hl7.org/fhir/R4/medicationrequest.html).
// The record keeps the whole resource; this is a reading of it, never what is stored.
type MedicationRequest struct {
	ResourceType              string           `json:"resourceType"`
	ID                        string           `json:"id,omitempty"`
	Identifier                []Identifier     `json:"identifier,omitempty"`
	Status                    string           `json:"status,omitempty"` // active | on-hold | cancelled | completed | entered-in-error | stopped | draft | unknown
	Intent                    string           `json:"intent,omitempty"` // proposal | plan | order | original-order | reflex-order | filler-order | instance-order | option
	DoNotPerform              bool             `json:"doNotPerform,omitempty"`
	MedicationCodeableConcept *CodeableConcept `json:"medicationCodeableConcept,omitempty"` // one of these two
	MedicationReference       *Reference       `json:"medicationReference,omitempty"`
	Subject                   Reference        `json:"subject"`
	Encounter                 *Reference       `json:"encounter,omitempty"`
	AuthoredOn                DateTime         `json:"authoredOn,omitempty"`
	Requester                 *Reference       `json:"requester,omitempty"`
	Note                      []Annotation     `json:"note,omitempty"`
	DosageInstruction         []Dosage         `json:"dosageInstruction,omitempty"`
	DispenseRequest           *DispenseRequest `json:"dispenseRequest,omitempty"`
	PriorPrescription         *Reference       `json:"priorPrescription,omitempty"`
}

// DispenseRequest says how the medication is to be handed out.
type DispenseRequest struct {
	DispenseInterval       *Quantity `json:"dispenseInterval,omitempty"`
	ValidityPeriod         *Period   `json:"validityPeriod,omitempty"`
	NumberOfRepeatsAllowed int       `json:"numberOfRepeatsAllowed,omitempty"`
	Quantity               *Quantity `json:"quantity,omitempty"`
	ExpectedSupplyDuration *Quantity `json:"expectedSupplyDuration,omitempty"`
}

// Dosage is how a medication is taken (hl7.org/fhir/R4/dosage.html).
type Dosage struct {
	Sequence                 int               `json:"sequence,omitempty"` // equal numbers are taken together, rising ones after each other
	Text                     string            `json:"text,omitempty"`
	AdditionalInstruction    []CodeableConcept `json:"additionalInstruction,omitempty"`
	PatientInstruction       string            `json:"patientInstruction,omitempty"`
	Timing                   *Timing           `json:"timing,omitempty"`
	AsNeededBoolean          *bool             `json:"asNeededBoolean,omitempty"` // one of these two
	AsNeededCodeableConcept  *CodeableConcept  `json:"asNeededCodeableConcept,omitempty"`
	Site                     *CodeableConcept  `json:"site,omitempty"`
	Route                    *CodeableConcept  `json:"route,omitempty"`
	Method                   *CodeableConcept  `json:"method,omitempty"`
	DoseAndRate              []DoseAndRate     `json:"doseAndRate,omitempty"`
	MaxDosePerPeriod         *Ratio            `json:"maxDosePerPeriod,omitempty"`
	MaxDosePerAdministration *Quantity         `json:"maxDosePerAdministration,omitempty"`
	MaxDosePerLifetime       *Quantity         `json:"maxDosePerLifetime,omitempty"`
	ModifierExtension        []Extension       `json:"modifierExtension,omitempty"` // changes the meaning of the rest: whoever does not know it must not go on
}

// AsNeeded reports whether the dose is taken only when needed (a concept says for what).
func (d *Dosage) AsNeeded() bool {
	return d.AsNeededCodeableConcept != nil || d.AsNeededBoolean != nil && *d.AsNeededBoolean
}

// DoseAndRate is the amount of one dose; at most one of the doses and one of the rates is set.
type DoseAndRate struct {
	Type         *CodeableConcept `json:"type,omitempty"` // ordered | calculated
	DoseRange    *Range           `json:"doseRange,omitempty"`
	DoseQuantity *Quantity        `json:"doseQuantity,omitempty"`
	RateRatio    *Ratio           `json:"rateRatio,omitempty"`
	RateRange    *Range           `json:"rateRange,omitempty"`
	RateQuantity *Quantity        `json:"rateQuantity,omitempty"`
}

// Timing is when something happens, once or again and again (hl7.org/fhir/R4/datatypes.html#Timing).
type Timing struct {
	Event  []DateTime       `json:"event,omitempty"` // the instants, when they are named one by one
	Repeat *Repeat          `json:"repeat,omitempty"`
	Code   *CodeableConcept `json:"code,omitempty"` // BID | TID | QID | AM | PM | QD | QOD | Q4H | Q6H | …; where it and Repeat differ, Repeat's facts win

	Extension         []Extension `json:"extension,omitempty"` // DaysOfCycle is the one that is read
	ModifierExtension []Extension `json:"modifierExtension,omitempty"`
}

// DaysOfCycle is the extension of a Timing that names the days of a cycle that comes again and again, each as a nested "day"
// (hl7.org/fhir/R4/extension-timing-daysofcycle.html). The cycle's length is Repeat's period.
const DaysOfCycle = "http://hl7.org/fhir/StructureDefinition/timing-daysOfCycle"

// Extension is a fact that R4 has no element for, of the kinds that are read here.
type Extension struct {
	URL          string      `json:"url"`
	ValueInteger int         `json:"valueInteger,omitempty"`
	Extension    []Extension `json:"extension,omitempty"`
}

// Repeat is the rule of a Timing. Zero means absent for every number: R4's own rules ask for values above zero
// (Offset, which may be 0, means the same absent and 0).
type Repeat struct {
	BoundsDuration *Quantity  `json:"boundsDuration,omitempty"` // one of the three bounds: how long it goes on
	BoundsRange    *Range     `json:"boundsRange,omitempty"`
	BoundsPeriod   *Period    `json:"boundsPeriod,omitempty"`
	Count          int        `json:"count,omitempty"` // occurrences over the whole bounds
	CountMax       int        `json:"countMax,omitempty"`
	Duration       Decimal    `json:"duration,omitempty"` // how long one occurrence takes, in DurationUnit
	DurationMax    Decimal    `json:"durationMax,omitempty"`
	DurationUnit   string     `json:"durationUnit,omitempty"` // s | min | h | d | wk | mo | a (UCUM)
	Frequency      int        `json:"frequency,omitempty"`    // occurrences per period; absent means 1
	FrequencyMax   int        `json:"frequencyMax,omitempty"`
	Period         Decimal    `json:"period,omitempty"` // in PeriodUnit
	PeriodMax      Decimal    `json:"periodMax,omitempty"`
	PeriodUnit     string     `json:"periodUnit,omitempty"` // s | min | h | d | wk | mo | a (UCUM)
	DayOfWeek      []string   `json:"dayOfWeek,omitempty"`  // mon | tue | wed | thu | fri | sat | sun
	TimeOfDay      []WallTime `json:"timeOfDay,omitempty"`  // wall times "08:00:00" in the patient's zone
	When           []string   `json:"when,omitempty"`       // MORN | AFT | EVE | NIGHT | HS | WAKE | C | CM | CD | CV | AC… | PC… | PHS
	Offset         int        `json:"offset,omitempty"`     // minutes from When: before for AC…, after for PC…
}

// MedicationDispense is a hand-out of medication (hl7.org/fhir/R4/medicationdispense.html), the parts that supply needs.
type MedicationDispense struct {
	ResourceType              string           `json:"resourceType"`
	ID                        string           `json:"id,omitempty"`
	Status                    string           `json:"status,omitempty"`
	MedicationCodeableConcept *CodeableConcept `json:"medicationCodeableConcept,omitempty"`
	MedicationReference       *Reference       `json:"medicationReference,omitempty"`
	Subject                   *Reference       `json:"subject,omitempty"`
	AuthorizingPrescription   []Reference      `json:"authorizingPrescription,omitempty"`
	Quantity                  *Quantity        `json:"quantity,omitempty"`
	DaysSupply                *Quantity        `json:"daysSupply,omitempty"`
	WhenPrepared              DateTime         `json:"whenPrepared,omitempty"`
	WhenHandedOver            DateTime         `json:"whenHandedOver,omitempty"`
	DosageInstruction         []Dosage         `json:"dosageInstruction,omitempty"`
}
