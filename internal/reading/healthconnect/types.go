package healthconnect

import "doorstep/internal/reading/sample"

// field is a member of a record that is a sample.
type field struct {
	list         string // where it stands in each object of a list
	name         string
	series, unit string // unit of a number alone
	optional     bool
	words        map[string]string
}

// stages are the words of sleep, by name and by Health Connect's numbers.
var stages = map[string]string{
	"AWAKE": "awake", "AWAKE_IN_BED": "awake", "SLEEPING": "asleep", "OUT_OF_BED": "awake", "LIGHT": "light", "DEEP": "deep", "REM": "rem", "UNKNOWN": "unmeasurable",
	"0": "unmeasurable", "1": "awake", "2": "asleep", "3": "awake", "4": "light", "5": "deep", "6": "rem", "7": "awake",
	"STAGE_TYPE_AWAKE": "awake", "STAGE_TYPE_SLEEPING": "asleep", "STAGE_TYPE_LIGHT": "light", "STAGE_TYPE_DEEP": "deep", "STAGE_TYPE_REM": "rem",
	"STAGE_TYPE_OUT_OF_BED": "awake", "STAGE_TYPE_AWAKE_IN_BED": "awake", "STAGE_TYPE_UNKNOWN": "unmeasurable",
}

// types are the records that are read.
var types = map[string][]field{
	"HeartRateRecord":                 {{list: "samples", name: "beatsPerMinute", series: sample.HeartRate, unit: "/min"}},
	"RestingHeartRateRecord":          {{name: "beatsPerMinute", series: sample.RestingHeartRate, unit: "/min"}},
	"HeartRateVariabilityRmssdRecord": {{name: "heartRateVariabilityMillis", series: sample.RMSSD, unit: "ms"}},
	"BloodPressureRecord":             {{name: "systolic", series: sample.Systolic, unit: "mm[Hg]"}, {name: "diastolic", series: sample.Diastolic, unit: "mm[Hg]"}},
	"BloodGlucoseRecord":              {{name: "level", series: sample.BloodGlucose, unit: "mmol/L"}},
	"OxygenSaturationRecord":          {{name: "percentage", series: sample.OxygenSaturation, unit: "%"}},
	"RespiratoryRateRecord":           {{name: "rate", series: sample.Respiration, unit: "/min"}},
	"BodyTemperatureRecord":           {{name: "temperature", series: sample.Temperature, unit: "Cel"}},
	"BasalBodyTemperatureRecord":      {{name: "temperature", series: sample.Temperature, unit: "Cel"}},
	"WeightRecord":                    {{name: "weight", series: sample.Weight, unit: "kg"}},
	"HeightRecord":                    {{name: "height", series: sample.Height, unit: "m"}},
	"BodyFatRecord":                   {{name: "percentage", series: sample.BodyFat, unit: "%"}},
	"LeanBodyMassRecord":              {{name: "mass", series: sample.LeanMass, unit: "kg"}},
	"BoneMassRecord":                  {{name: "mass", series: sample.BoneMass, unit: "kg"}},
	"BodyWaterMassRecord":             {{name: "mass", series: sample.BodyWater, unit: "kg"}},
	"BasalMetabolicRateRecord":        {{name: "basalMetabolicRate", series: sample.BasalEnergy, unit: "kcal/d"}},
	"StepsRecord":                     {{name: "count", series: sample.Steps, unit: "{steps}"}},
	"DistanceRecord":                  {{name: "distance", series: sample.Distance, unit: "m"}},
	"ActiveCaloriesBurnedRecord":      {{name: "energy", series: sample.Energy, unit: "kcal"}},
	"FloorsClimbedRecord":             {{name: "floors", series: sample.Floors, unit: "1"}},
	"Vo2MaxRecord":                    {{name: "vo2MillilitersPerMinuteKilogram", series: sample.VO2Max, unit: "mL/(kg.min)"}},
	"SpeedRecord":                     {{list: "samples", name: "speed", series: sample.Speed, unit: "m/s"}},
	"PowerRecord":                     {{list: "samples", name: "power", series: sample.Power, unit: "W"}},
	"SleepSessionRecord":              {{list: "stages", name: "stage", series: sample.SleepStage, words: stages, optional: true}},
	"NutritionRecord":                 {{name: "totalCarbohydrate", series: sample.Carbohydrates, unit: "g", optional: true}},
}

// units are Health Connect's names of units, behind "in" and without underlines.
var units = map[string]string{
	"kilograms": "kg", "grams": "g", "pounds": "[lb_av]", "ounces": "[oz_av]", "meters": "m", "kilometers": "km", "miles": "[mi_i]", "inches": "[in_i]", "feet": "[ft_i]",
	"celsius": "Cel", "fahrenheit": "[degF]", "millimetersofmercury": "mm[Hg]", "millimolesperliter": "mmol/L", "milligramsperdeciliter": "mg/dL",
	"kilocalories": "kcal", "calories": "cal", "joules": "J", "kilojoules": "kJ", "kilocaloriesperday": "kcal/d", "watts": "W", "meterspersecond": "m/s", "kilometersperhour": "km/h",
	"milesperhour": "[mi_i]/h", "percent": "%",
}

// order is that in which the units of an amount that has several are looked for: those measured in first.
var order = []string{
	"inKilograms", "inGrams", "inPounds", "inOunces", "inMeters", "inKilometers", "inMiles", "inInches", "inFeet", "inCelsius", "inFahrenheit", "inMillimetersOfMercury",
	"inMillimolesPerLiter", "inMilligramsPerDeciliter", "inKilocaloriesPerDay", "inKilocalories", "inKilojoules", "inJoules", "inCalories", "inWatts", "inMetersPerSecond",
	"inKilometersPerHour", "inMilesPerHour",
}
