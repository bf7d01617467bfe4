package fit

import "doorstep/internal/reading/sample"

// names are the messages by number that this package knows by name.
var names = map[uint16]string{
	0: "file_id", 2: "device_settings", 3: "user_profile", 7: "zones_target", 8: "hr_zone", 12: "sport", 18: "session", 19: "lap", 20: "record", 21: "event", 23: "device_info",
	30: "weight_scale", 34: "activity", 35: "software", 49: "file_creator", 51: "blood_pressure", 55: "monitoring", 72: "training_file", 78: "hrv", 101: "length",
	103: "monitoring_info", 105: "pad", 132: "hr", 160: "gps_metadata", 206: "field_description", 207: "developer_data_id", 227: "stress_level", 269: "spo2_data",
	275: "sleep_level", 297: "respiration_rate", 346: "sleep_assessment", 370: "hrv_status_summary", 371: "hrv_value",
}

// Messages of which samples are made in their own way, and their fields.
const (
	fileID      = 0
	record      = 20
	weightScale = 30
	pressure    = 51
	monitoring  = 55
	hrv         = 78
	hr          = 132
	stress      = 227
	sleepLevel  = 275
)

// column is a field that is a sample by itself: value = raw / scale.
type column struct {
	field    byte
	series   string
	unit     string
	scale    float64
	decimals int
	detail   string
}

// plan is what becomes of a message. Of columns of the same series and detail the first that has a value counts.
type plan struct {
	kind    string
	columns []column
}

var plans = map[uint16]*plan{
	fileID: {kind: "file_id"},
	record: {"record", []column{
		{3, sample.HeartRate, "/min", 1, 0, ""},
		{108, sample.Respiration, "/min", 100, 2, ""}, {99, sample.Respiration, "/min", 1, 0, ""},
		{139, sample.CoreTemperature, "Cel", 100, 2, ""},
		{4, sample.Cadence, "/min", 1, 0, ""},
		{5, sample.Distance, "m", 100, 2, ""},
		{73, sample.Speed, "m/s", 1000, 3, ""}, {6, sample.Speed, "m/s", 1000, 3, ""},
		{7, sample.Power, "W", 1, 0, ""},
		{33, sample.Energy, "kcal", 1, 0, "since the beginning"},
	}},
	weightScale: {"weight_scale", []column{
		{0, sample.Weight, "kg", 100, 2, ""}, {1, sample.BodyFat, "%", 100, 2, ""}, {2, sample.BodyWater, "%", 100, 2, ""},
		{3, sample.VisceralFat, "kg", 100, 2, ""}, {4, sample.BoneMass, "kg", 100, 2, ""}, {5, sample.MuscleMass, "kg", 100, 2, ""}, {13, sample.BMI, "kg/m2", 10, 1, ""},
		{7, sample.BasalEnergy, "kcal/d", 4, 2, ""},
	}},
	pressure: {"blood_pressure", []column{
		{0, sample.Systolic, "mm[Hg]", 1, 0, ""}, {1, sample.Diastolic, "mm[Hg]", 1, 0, ""}, {2, sample.MeanPressure, "mm[Hg]", 1, 0, ""}, {6, sample.HeartRate, "/min", 1, 0, ""},
	}},
	monitoring: {"monitoring", []column{
		{27, sample.HeartRate, "/min", 1, 0, ""},
		{19, sample.Energy, "kcal", 1, 0, "active, since midnight"}, {1, sample.Energy, "kcal", 1, 0, "since midnight"},
		{2, sample.Distance, "m", 100, 2, "since midnight"},
	}},
	103:        {"monitoring_info", []column{{5, sample.BasalEnergy, "kcal/d", 1, 0, ""}}},
	hrv:        {kind: "hrv"},
	hr:         {kind: "hr"},
	stress:     {"stress_level", []column{{0, sample.Stress, "%", 1, 0, ""}}},
	269:        {"spo2_data", []column{{0, sample.OxygenSaturation, "%", 1, 0, ""}}},
	sleepLevel: {kind: "sleep_level"},
	297:        {"respiration_rate", []column{{0, sample.Respiration, "/min", 100, 2, ""}}},
	370: {"hrv_status_summary", []column{
		{0, sample.RMSSD, "ms", 128, 0, "weekly average"}, {1, sample.RMSSD, "ms", 128, 0, "last night, average"}, {2, sample.RMSSD, "ms", 128, 0, "last night, highest of 5 min"},
	}},
	371: {"hrv_value", []column{{0, sample.RMSSD, "ms", 128, 0, ""}}},
}

// details are the lists of one detail, so that none is made per sample.
var details = func() map[string][]string {
	m := map[string][]string{}
	for _, p := range plans {
		for _, c := range p.columns {
			if c.detail != "" {
				m[c.detail] = []string{c.detail}
			}
		}
	}
	return m
}()

// makers are the manufacturers that are common, by number.
var makers = map[uint64]string{1: "Garmin", 15: "Dynastream", 21: "A&D", 23: "Suunto", 32: "Wahoo", 123: "Polar", 260: "Zwift", 265: "Strava", 294: "COROS"}

// sleepLevels are the words of sleep_level.
var sleepLevels = [...]string{"unmeasurable", "awake", "light", "deep", "rem"}
