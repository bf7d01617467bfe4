package sample

import "strings"

// said are the ways in which files write units, in lower case, and the UCUM code of each.
var said = map[string]string{
	"bpm": "/min", "count/min": "/min", "beats/min": "/min", "beats/minute": "/min", "breaths/min": "/min", "breaths/minute": "/min",
	"{beats}/min": "/min", "{breaths}/min": "/min", "1/min": "/min", "per_min": "/min", "min-1": "/min", "rpm": "/min",
	"mmhg": "mm[Hg]", "mm hg": "mm[Hg]", "kpa": "kPa", "cmaq": "cm[H2O]",
	"degc": "Cel", "c": "Cel", "°c": "Cel", "celsius": "Cel", "degf": "[degF]", "f": "[degF]", "°f": "[degF]", "fahrenheit": "[degF]", "k": "K",
	"lb": "[lb_av]", "lbs": "[lb_av]", "pounds": "[lb_av]", "st": "[stone_av]", "oz": "[oz_av]", "kilograms": "kg", "grams": "g", "mcg": "ug", "µg": "ug",
	"in": "[in_i]", "inches": "[in_i]", "ft": "[ft_i]", "mi": "[mi_i]", "mile": "[mi_i]", "miles": "[mi_i]", "yd": "[yd_i]", "meters": "m", "metre": "m",
	"Cal": "kcal", "calories": "kcal", "kilocalories": "kcal", "kj": "kJ", "joules": "J",
	"mg/dl": "mg/dL", "mmol/l": "mmol/L", "mgperdl": "mg/dL",
	"count": "1", "steps": "{steps}", "step": "{steps}", "percent": "%",
	"sec": "s", "seconds": "s", "minutes": "min", "hr": "h", "hours": "h", "msec": "ms", "milliseconds": "ms", "day": "d", "days": "d", "wk": "wk", "mo": "mo", "yr": "a",
	"ml/min·kg": "mL/(kg.min)", "ml/kg*min": "mL/(kg.min)", "ml/kg/min": "mL/(kg.min)", "ml/min/kg": "mL/(kg.min)", "w": "W", "watts": "W",
	"km/hr": "km/h", "mi/hr": "[mi_i]/h", "iu": "[iU]", "u": "[iU]", "dbaspl": "dB[SPL]", "ml": "mL", "l": "L", "l/min": "L/min", "fl_oz_us": "[foz_us]",
}

// Unit answers the UCUM code of a unit as a file writes it; a text that is not known comes back as it is, it may be a code.
func Unit(text string) string {
	if code, ok := said[text]; ok {
		return code
	}
	if code, ok := said[strings.ToLower(text)]; ok {
		return code
	}
	if strings.HasPrefix(text, "mmol<") && strings.HasSuffix(text, ">/L") { // Apple's, with the molar mass in it
		return "mmol/L"
	}
	return text
}

// measure is what a unit measures: value times factor plus offset is in the dimension's own unit.
type measure struct {
	dimension      string
	factor, offset float64
}

var measures = map[string]measure{
	"g": {"mass", 1e-3, 0}, "kg": {"mass", 1, 0}, "mg": {"mass", 1e-6, 0}, "ug": {"mass", 1e-9, 0}, "[lb_av]": {"mass", 0.45359237, 0},
	"[oz_av]": {"mass", 0.028349523125, 0}, "[stone_av]": {"mass", 6.35029318, 0},
	"m": {"length", 1, 0}, "cm": {"length", 1e-2, 0}, "mm": {"length", 1e-3, 0}, "km": {"length", 1e3, 0}, "[in_i]": {"length", 0.0254, 0},
	"[ft_i]": {"length", 0.3048, 0}, "[yd_i]": {"length", 0.9144, 0}, "[mi_i]": {"length", 1609.344, 0},
	"Cel": {"temperature", 1, 0}, "[degF]": {"temperature", 5. / 9, -160. / 9}, "K": {"temperature", 1, -273.15},
	"mm[Hg]": {"pressure", 1, 0}, "kPa": {"pressure", 1 / 0.133322387415, 0}, "Pa": {"pressure", 1 / 133.322387415, 0}, "cm[H2O]": {"pressure", 98.0665 / 133.322387415, 0},
	"ms": {"time", 1e-3, 0}, "s": {"time", 1, 0}, "min": {"time", 60, 0}, "h": {"time", 3600, 0}, "d": {"time", 86400, 0},
	"kcal": {"energy", 1, 0}, "kJ": {"energy", 1 / 4.184, 0}, "J": {"energy", 1 / 4184., 0},
	"/min": {"rate", 1, 0}, "Hz": {"rate", 60, 0}, "/s": {"rate", 60, 0},
	"mg/dL": {"glucose", 1, 0}, "g/L": {"glucose", 100, 0}, "mmol/L": {"glucose", mgPerMmol, 0},
	"%": {"share", 1, 0}, "1": {"share", 100, 0},
	"m/s": {"speed", 1, 0}, "km/h": {"speed", 1 / 3.6, 0}, "[mi_i]/h": {"speed", 0.44704, 0},
}

// mgPerMmol is how many mg/dL of glucose are a mmol/L.
const mgPerMmol = 18.0182

// canonical is the unit in which values of a series are compared.
var canonical = map[string]string{
	HeartRate: "/min", RestingHeartRate: "/min", WalkingHeartRate: "/min", RRInterval: "ms", SDNN: "ms", RMSSD: "ms", OxygenSaturation: "%", Respiration: "/min",
	Temperature: "Cel", CoreTemperature: "Cel", SkinTemperature: "Cel", Weight: "kg", Height: "cm", BodyFat: "%", BodyWater: "%", BoneMass: "kg", MuscleMass: "kg", LeanMass: "kg",
	Systolic: "mm[Hg]", Diastolic: "mm[Hg]", MeanPressure: "mm[Hg]", BloodGlucose: "mg/dL", BloodGlucoseMol: "mg/dL", TissueGlucose: "mg/dL",
	Distance: "m", Energy: "kcal", BasalEnergy: "kcal", SleepDuration: "min", Speed: "m/s", Carbohydrates: "g",
}

// Convert answers v in another unit; ok is false where the units do not measure the same. Glucose converts between mass and moles.
func Convert(v float64, from, to string) (out float64, ok bool) {
	if from == to {
		return v, true
	}
	a, known := measures[from]
	b, too := measures[to]
	if !known || !too || a.dimension != b.dimension {
		return v, false
	}
	return (v*a.factor + a.offset - b.offset) / b.factor, true
}

// Canonical answers the sample in its series' one unit (kg, Cel, mm[Hg], mg/dL, ms), with glucose by moles as BloodGlucose; what
// has none, or a unit that does not fit, comes back as it is. Decimals are then not known.
func (s Sample) Canonical() Sample {
	to, known := canonical[s.Series]
	if !known || to == s.Unit {
		return s
	}
	v, ok := Convert(s.Value, s.Unit, to)
	if !ok {
		return s
	}
	if s.Series == BloodGlucoseMol {
		s.Series = BloodGlucose
	}
	if s.Values != nil {
		list := make([]float64, len(s.Values))
		for i, x := range s.Values {
			list[i], _ = Convert(x, s.Unit, to)
		}
		s.Values = list
	}
	s.Value, s.Unit, s.Decimals = v, to, 0
	return s
}
