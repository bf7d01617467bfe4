package news2

// normal are values that score nothing, air or oxygen, on either scale.
var normal = Vitals{Respirations: 16, SpO2: 96, Systolic: 120, Pulse: 70, Temperature: 37}

// targetSpO2 scores nothing on scale 2, on air and on oxygen.
const targetSpO2 = 90

// Least answers the least that the score can be when some signs are not known, and which: NaN, or a value that no living person has,
// or Unknown; oxygen tells whether Vitals.Oxygen is known. Every sign only adds to the score, so the full one is this or more. The
// names are respirations, spo2, oxygen, systolic, pulse, consciousness, temperature.
func Least(v Vitals, oxygen bool) (r Result, unknown []string) {
	with := func(name string, value *float64, low, high, usual float64) {
		if !(*value >= low && *value <= high) {
			*value = usual
			unknown = append(unknown, name)
		}
	}
	usual := normal
	if v.Hypercapnic {
		usual.SpO2 = targetSpO2
	}
	with("respirations", &v.Respirations, 0, 100, usual.Respirations)
	with("spo2", &v.SpO2, 20, 100, usual.SpO2)
	if !oxygen {
		v.Oxygen = false
		unknown = append(unknown, "oxygen")
	}
	with("systolic", &v.Systolic, 20, 350, usual.Systolic)
	with("pulse", &v.Pulse, 10, 350, usual.Pulse)
	if v.Consciousness > Unresponsive {
		v.Consciousness = Alert
		unknown = append(unknown, "consciousness")
	}
	with("temperature", &v.Temperature, 20, 46, usual.Temperature)
	return points(v), unknown
}
