package apple

import "doorstep/internal/reading/sample"

// kind is what a record's type means. What is not in the table is answered under Apple's own name.
type kind struct {
	name   string // as in the file
	series string
	unit   string // where Apple counts ("count"); "" takes the record's
	word   bool   // a category: the value is a word
	twice  bool   // it may come again as the member of a correlation
}

const (
	quantity = "HKQuantityTypeIdentifier"
	category = "HKCategoryTypeIdentifier"
)

var quantities = map[string]kind{
	"HeartRate":                     {series: sample.HeartRate},
	"RestingHeartRate":              {series: sample.RestingHeartRate},
	"WalkingHeartRateAverage":       {series: sample.WalkingHeartRate},
	"HeartRateVariabilitySDNN":      {series: sample.SDNN},
	"HeartRateVariabilityRMSSD":     {series: sample.RMSSD},
	"OxygenSaturation":              {series: sample.OxygenSaturation},
	"RespiratoryRate":               {series: sample.Respiration},
	"BodyTemperature":               {series: sample.Temperature},
	"BasalBodyTemperature":          {series: sample.Temperature},
	"AppleSleepingWristTemperature": {series: sample.SkinTemperature},
	"BodyMass":                      {series: sample.Weight},
	"Height":                        {series: sample.Height},
	"BodyMassIndex":                 {series: sample.BMI, unit: "kg/m2"},
	"BodyFatPercentage":             {series: sample.BodyFat},
	"LeanBodyMass":                  {series: sample.LeanMass},
	"BloodPressureSystolic":         {series: sample.Systolic, twice: true},
	"BloodPressureDiastolic":        {series: sample.Diastolic, twice: true},
	"BloodGlucose":                  {series: sample.BloodGlucose},
	"StepCount":                     {series: sample.Steps, unit: "{steps}"},
	"DistanceWalkingRunning":        {series: sample.Distance},
	"ActiveEnergyBurned":            {series: sample.Energy},
	"BasalEnergyBurned":             {series: sample.BasalEnergy},
	"FlightsClimbed":                {series: sample.Floors, unit: "1"},
	"VO2Max":                        {series: sample.VO2Max},
	"AppleExerciseTime":             {series: sample.ActiveMinutes},
	"AppleStandTime":                {series: sample.StandMinutes},
	"InsulinDelivery":               {series: sample.Insulin},
	"DietaryCarbohydrates":          {series: sample.Carbohydrates},
}

// sleep are the words of sleep analysis behind "HKCategoryValueSleepAnalysis".
var sleep = map[string]string{
	"InBed": "in-bed", "Awake": "awake", "Asleep": "asleep", "AsleepUnspecified": "asleep", "AsleepCore": "core", "AsleepDeep": "deep", "AsleepREM": "rem",
}

// said are the notes of metadata: key, value, note.
var said = map[[2]string][]string{
	{"HKWasUserEntered", "1"}:                    {"entered by hand"},
	{"HKMetadataKeyHeartRateMotionContext", "1"}: {"at rest"},
	{"HKMetadataKeyHeartRateMotionContext", "2"}: {"in motion"},
	{"HKBloodGlucoseMealTime", "1"}:              {"before a meal"},
	{"HKBloodGlucoseMealTime", "2"}:              {"after a meal"},
	{"HKHeartRateSensorLocation", "1"}:           {"chest"},
	{"HKMetadataKeyInsulinDeliveryReason", "1"}:  {"basal"},
	{"HKInsulinDeliveryReason", "1"}:             {"basal"},
	{"HKInsulinDeliveryReason", "2"}:             {"bolus"},
}
