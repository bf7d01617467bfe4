// Package noshow estimates the chance that a person does not come to a visit that is booked, and says how far the estimate can be
// trusted. It is pure: visits that are over go in, a model with its calibration comes out.
//
// The estimate may serve two things only: whom to remind sooner and with more help, and how many visits a day can hold. It never decides
// whether, or how soon, a person is given a time. What is known of the person beyond her visits (language, age, where she lives)
// does not enter: Visit has no field for it.
package noshow

// PriorSource says where the curve of Prior was counted.
const PriorSource = "110,527 visits of public clinics in Vitória, Brazil, April to June 2016 (KaggleV2-May-2016): share of missed visits by days from booking to the visit"

// Prior answers the chance of a missed visit by whole days between booking and the visit: what is used until there are visits of
// one's own to learn from. Counted elsewhere, it may be far off; the shape (same-day visits are kept, a long lead costs) is what it is for.
func Prior(leadDays int) float64 {
	switch {
	case leadDays <= 0:
		return 0.0465
	case leadDays == 1:
		return 0.214
	case leadDays <= 3:
		return 0.237
	case leadDays <= 7:
		return 0.252
	case leadDays <= 14:
		return 0.305
	case leadDays <= 30:
		return 0.326
	case leadDays <= 60:
		return 0.342
	}
	return 0.285
}
