package gatt

import "doorstep/internal/reading/sample"

// weight reads 2A9D: 0.005 kg or 0.01 lb, 0.1 kg/m2, 0.001 m or 0.1 in.
func (m *Measurement) weight(r *reader) {
	flags := r.u8()
	imperial := flags&1 != 0
	if raw := r.u16(); raw != 0xffff { // measurement unsuccessful
		if imperial {
			m.add(sample.Weight, number{float64(raw) / 100, 2}, "[lb_av]")
		} else {
			m.add(sample.Weight, number{float64(raw) / 200, 3}, "kg")
		}
	}
	if flags&2 != 0 {
		m.Local = r.dateTime()
	}
	if flags&4 != 0 {
		m.user(r.u8())
	}
	if flags&8 != 0 {
		m.aside(sample.BMI, number{float64(r.u16()) / 10, 1}, "kg/m2", "")
		if height := float64(r.u16()); imperial {
			m.aside(sample.Height, number{height / 10, 1}, "[in_i]", "")
		} else {
			m.aside(sample.Height, number{height / 1000, 3}, "m", "")
		}
	}
}

var temperatureSites = [...]string{"", "armpit", "body", "ear", "finger", "gastro-intestinal tract", "mouth", "rectum", "toe", "eardrum"}

// temperature reads 2A1C.
func (m *Measurement) temperature(r *reader) {
	flags := r.u8()
	unit := "Cel"
	if flags&1 != 0 {
		unit = "[degF]"
	}
	m.add(sample.Temperature, r.float(), unit)
	if flags&2 != 0 {
		m.Local = r.dateTime()
	}
	if flags&4 != 0 {
		if site := int(r.u8()); site < len(temperatureSites) {
			m.Site = temperatureSites[site]
		}
	}
}
