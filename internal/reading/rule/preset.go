package rule

import "time"

// Preset is a published rule, or a set that belongs together, with its source and what was measured of it.
type Preset struct {
	Name   string
	Source string // who published it
	Found  string // what was found of it, in English; empty: nothing that we know of
	Rules  []Rule
}

// Series that presets look at, LOINC codes. Symptoms is how many signs of heart failure a person reported on a day (swelling, short of
// breath, tired), from answers.
const (
	weight    = "29463-7"
	pulse     = "8867-4"
	systolic  = "8480-6"
	diastolic = "8462-4"
	oxygen    = "59408-5"
	glucose   = "2339-0" // mg/dL
	Symptoms  = "symptoms"
)

const (
	day   = 24 * time.Hour
	pound = 0.45359237 // kg
)

func fixed(v float64) Limit { return Limit{Kind: Absolute, Value: v} }

func change(v float64, over time.Duration) Limit { return Limit{Kind: Change, Value: v, Over: over} }

// felt is that symptoms were reported.
var felt = []Sign{{Series: Symptoms, Above: fixed(0), Within: day}}

// Presets answers every preset, each call its own copy.
func Presets() []Preset {
	return []Preset{
		{"weight-2kg-3d", "Ledwidge 2013; EHJ Digital Health 2023", "Sensitivity 21 %, PPV 6 %.", []Rule{
			{Series: weight, Above: change(2, 3*day), Hysteresis: 0.5, Severity: "urgent"}}},
		{"weight-3lb-1d", "Ledwidge 2013", "Sensitivity 46 %.", []Rule{
			{Series: weight, Above: change(1.36, day), Hysteresis: 0.5, Severity: "warning"}}},
		{"beat-hf", "BEAT-HF, Trials 2014;15:124, Table 1", "A gain without symptoms is silent in it: never the only rule.", []Rule{
			{Series: systolic, Above: fixed(170), Below: fixed(80), Severity: "urgent"},
			{Series: systolic, Above: fixed(160), Below: fixed(90), With: felt, Severity: "urgent"},
			{Series: pulse, Above: fixed(110), Severity: "urgent"},
			{Series: pulse, Above: fixed(100), With: felt, Severity: "urgent"},
			{Series: weight, Above: change(3*pound, day+6*time.Hour), With: felt, Severity: "urgent"},
			{Series: weight, Above: change(6*pound, 7*day+6*time.Hour), With: felt, Severity: "urgent"}}},
		{"heart-failure-own", "EHJ Digital Health 2023; Lucas 1990", "PPV of weight 6 % by rule of thumb and 16 % by own baseline, of heart rate 2 % and 92 %. Our limits are set in the simulator (docs/measured.md).", []Rule{
			{Series: weight, Above: Limit{Kind: EWMA, Value: 2.5}, Hysteresis: 1, With: []Sign{
				{Series: pulse, Above: Limit{Kind: EWMA, Value: 2.5}, Within: 2 * day}, {Series: Symptoms, Above: fixed(0), Within: 2 * day}}, Least: 1, Severity: "urgent"},
			{Series: pulse, Above: Limit{Kind: EWMA, Value: 5}, Hysteresis: 1, Severity: "warning"}}},
		{"pressure-crisis", "American Heart Association 2017", "", []Rule{
			{Series: systolic, Above: fixed(180), Hold: time.Minute, Hysteresis: 10, Severity: "urgent"},
			{Series: diastolic, Above: fixed(120), Hold: time.Minute, Hysteresis: 5, Severity: "urgent"}}},
		{"glucose-adult", "Diabetes Care 2019;42:1593", "Level 2 below 54 and above 250 mg/dL, level 1 below 70.", []Rule{
			{Series: glucose, Below: fixed(54), Hysteresis: 10, Repeat: time.Hour, Severity: "urgent"},
			{Series: glucose, Below: fixed(70), Hold: 15 * time.Minute, Hysteresis: 10, Severity: "warning"},
			{Series: glucose, Above: fixed(250), Hold: 2 * time.Hour, Hysteresis: 20, Severity: "warning"}}},
		{"oxygen-low", "NEWS2, Royal College of Physicians 2017", "91 % or less scores 3 on scale 1.", []Rule{
			{Series: oxygen, Below: fixed(92), Hold: 5 * time.Minute, Hysteresis: 1, Severity: "urgent"}}},
		{"news2", "NEWS2, Royal College of Physicians 2017", "5 or more asks for an urgent response, 7 or more for an emergency one. Made for wards: parts that are not measured at home are named.", []Rule{
			{Series: NEWS2, Above: fixed(4), Parts: &Parts{Within: 12 * time.Hour}, Severity: "urgent"},
			{Series: NEWS2, Above: fixed(6), Parts: &Parts{Within: 12 * time.Hour}, Severity: "severe"}}},
	}
}

// Named answers the preset of a name.
func Named(name string) (Preset, bool) {
	for _, p := range Presets() {
		if p.Name == name {
			for i := range p.Rules {
				p.Rules[i].Name = name
			}
			return p, true
		}
	}
	return Preset{}, false
}
