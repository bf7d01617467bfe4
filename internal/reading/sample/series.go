package sample

// LOINC codes of what the formats carry.
const (
	HeartRate        = "8867-4"
	RestingHeartRate = "40443-4"
	RRInterval       = "8637-1"
	SDNN             = "80404-7"
	OxygenSaturation = "59408-5" // by pulse oximeter
	Respiration      = "9279-1"
	Temperature      = "8310-5"
	Weight           = "29463-7"
	Height           = "8302-2"
	BMI              = "39156-5"
	BodyFat          = "41982-0"
	Systolic         = "8480-6"
	Diastolic        = "8462-4"
	MeanPressure     = "8478-0"
	BloodGlucose     = "2339-0"  // mass by volume
	BloodGlucoseMol  = "15074-8" // moles by volume
	TissueGlucose    = "99504-3" // by a sensor under the skin
	HbA1c            = "4548-4"
	Steps            = "55423-8"
	Distance         = "55430-3"
	Energy           = "41981-2" // burned
	SleepDuration    = "93832-4"
)

// Names of our own for what LOINC has no code for; docs/formats.md says what each is.
const (
	RMSSD            = "hrv-rmssd"
	SleepStage       = "sleep-stage" // a word: in-bed, awake, light, core, deep, rem, asleep, unmeasurable
	Stress           = "stress"
	PulseAmplitude   = "pulse-amplitude"
	GlucoseTrend     = "glucose-trend"
	GlucoseQuality   = "glucose-quality"
	Carbohydrates    = "carbohydrates"
	Exercise         = "exercise"   // how long
	Medication       = "medication" // how much
	Insulin          = "insulin"
	BodyWater        = "body-water"
	BoneMass         = "bone-mass"
	MuscleMass       = "muscle-mass"
	LeanMass         = "lean-mass"
	VisceralFat      = "visceral-fat"
	BasalEnergy      = "basal-energy"
	Floors           = "floors"
	VO2Max           = "vo2-max"
	Speed            = "speed"
	Cadence          = "cadence"
	Power            = "power"
	CoreTemperature  = "core-temperature"
	SkinTemperature  = "skin-temperature"
	ActiveMinutes    = "active-minutes"
	StandMinutes     = "stand-minutes"
	WalkingHeartRate = "walking-heart-rate"
)
