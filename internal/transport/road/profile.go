package road

import (
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/osm"
)

// tagsRead are the tags of ways that matter to a profile, or to who looks at the map.
var tagsRead = []string{"highway", "name", "oneway", "oneway:bicycle", "junction", "access", "motor_vehicle", "motorcar", "vehicle", "foot", "wheelchair", "maxspeed", "surface", "smoothness",
	"incline", "service", "area", "sidewalk", "tracktype", "kerb"}

// carSpeed is what is driven on an empty street where no limit is known, in km/h.
var carSpeed = map[string]float64{"motorway": 100, "motorway_link": 55, "trunk": 80, "trunk_link": 45, "primary": 58, "primary_link": 40, "secondary": 48, "secondary_link": 36,
	"tertiary": 40, "tertiary_link": 32, "unclassified": 32, "residential": 26, "living_street": 10, "service": 14, "road": 25}

// footWays are walked on; what is not in it is not, unless foot says yes.
var footWays = []string{"primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service", "road", "pedestrian",
	"footway", "path", "steps", "track", "cycleway", "bridleway", "corridor", "crossing", "platform"}

const (
	footKMH  = 4.8
	stepsKMH = 2.0
	chairKMH = 3.6
)

// usable reports whether any profile can use a way.
func usable(tags osm.Tags) bool {
	kind := tags.Find("highway")
	return (carSpeed[kind] > 0 || slices.Contains(footWays, kind) || tags.Find("foot") == "yes") && kind != "proposed" && kind != "construction" && tags.Find("area") != "yes"
}

// speeds answers how fast a way is gone along and against its direction, in km/h; 0: not at all.
func (p Profile) speeds(tags map[string]string) (along, against float64) {
	switch p {
	case Car:
		return carSpeeds(tags)
	case Foot:
		v := footSpeed(tags)
		return v, v
	case Wheelchair:
		v := chairSpeed(tags)
		return v, v
	}
	return 0, 0
}

func carSpeeds(tags map[string]string) (along, against float64) {
	kind := tags["highway"]
	v := carSpeed[kind]
	if v == 0 || !allowed(tags, "motorcar", "motor_vehicle", "vehicle", "access") {
		return 0, 0
	}
	if limit := maxSpeed(tags["maxspeed"]); limit > 0 {
		v = min(limit*0.9, 130) // nobody drives at the limit from end to end
	}
	switch tags["surface"] {
	case "unpaved", "gravel", "dirt", "ground", "grass", "sand", "mud":
		v = min(v, 25)
	}
	switch way := tags["oneway"]; {
	case way == "-1" || way == "reverse":
		return 0, v
	case way == "yes" || way == "true" || way == "1":
		return v, 0
	case way == "no":
		return v, v
	case tags["junction"] == "roundabout" || tags["junction"] == "circular" || kind == "motorway" || kind == "motorway_link":
		return v, 0
	}
	return v, v
}

// allowed follows the most special key that says anything.
func allowed(tags map[string]string, keys ...string) bool {
	for _, k := range keys {
		switch tags[k] {
		case "no", "private", "agricultural", "forestry", "emergency", "military":
			return false
		case "":
		default:
			return true
		}
	}
	return true
}

// maxSpeed reads 50, "50 mph", "30 km/h"; 0: nothing that is a number.
func maxSpeed(s string) float64 {
	num, unit, _ := strings.Cut(strings.TrimSpace(s), " ")
	if n, ok := strings.CutSuffix(num, "mph"); ok {
		num, unit = n, "mph"
	}
	v, err := strconv.ParseFloat(num, 64)
	if err != nil || !(v >= 5 && v <= 200) {
		return 0
	}
	if unit == "mph" {
		return v * 1.609344
	}
	return v
}

func footSpeed(tags map[string]string) float64 {
	kind := tags["highway"]
	foot := tags["foot"]
	if foot == "no" || foot == "private" || foot != "yes" && foot != "designated" && (!slices.Contains(footWays, kind) || !allowed(tags, "foot", "access")) {
		return 0
	}
	if kind == "steps" {
		return stepsKMH
	}
	return footKMH
}

// chairSpeed follows what OpenStreetMap's wheelchair routing asks for: no steps, no steep or soft ground, whatever says no.
func chairSpeed(tags map[string]string) float64 {
	if footSpeed(tags) == 0 || tags["highway"] == "steps" && tags["wheelchair"] != "yes" || tags["wheelchair"] == "no" || raised(tags["kerb"]) {
		return 0
	}
	if tags["wheelchair"] == "yes" || tags["wheelchair"] == "designated" {
		return chairKMH
	}
	if steep(tags["incline"]) {
		return 0
	}
	switch tags["surface"] {
	case "sand", "mud", "grass", "gravel", "pebblestone", "dirt", "ground", "earth", "unhewn_cobblestone":
		return 0
	case "cobblestone", "sett", "unpaved", "grass_paver", "fine_gravel":
		return chairKMH / 2
	}
	switch tags["smoothness"] {
	case "bad":
		return chairKMH / 2
	case "very_bad", "horrible", "very_horrible", "impassable":
		return 0
	}
	switch tags["highway"] {
	case "path", "bridleway", "track":
		if tags["surface"] == "" {
			return 0 // a path of which nobody says what it is made of
		}
	}
	return chairKMH
}

func raised(kerb string) bool { return kerb == "raised" || kerb == "yes" || kerb == "rolled" }

// steep reports more than 6 %, about what the standards allow a ramp (1:12 is 8 %, 1:16 is 6 %).
func steep(incline string) bool {
	s := strings.TrimLeft(strings.TrimSpace(incline), "-+")
	if n, ok := strings.CutSuffix(s, "%"); ok {
		v, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
		return err == nil && v > 6
	}
	return s == "steep"
}

// passes reports whether a profile gets past what stands at a point.
func (p Profile) passes(tags osm.Tags) bool {
	if p == Wheelchair && raised(tags.Find("kerb")) && tags.Find("wheelchair") != "yes" {
		return false
	}
	kind := tags.Find("barrier")
	says := func(keys ...string) bool {
		all := map[string]string{}
		for _, k := range keys {
			all[k] = tags.Find(k)
		}
		return allowed(all, keys...)
	}
	switch {
	case kind == "" || kind == "no":
		return true
	case p == Car:
		switch kind {
		case "bollard", "block", "cycle_barrier", "chain", "stile", "kissing_gate", "turnstile", "jersey_barrier", "log", "kerb", "planter", "debris":
			return tags.Find("motor_vehicle") == "yes" || tags.Find("motorcar") == "yes"
		}
		return says("motorcar", "motor_vehicle", "vehicle", "access")
	case p == Foot:
		return says("foot", "access")
	}
	switch kind {
	case "stile", "kissing_gate", "turnstile", "cycle_barrier", "log", "debris", "step":
		return tags.Find("wheelchair") == "yes"
	}
	return tags.Find("wheelchair") != "no" && says("foot", "access")
}

// keeps reports whether a profile has to keep a turn restriction.
func (p Profile) keeps(t Turn) bool {
	return p == Car && !slices.Contains(t.Except, "motorcar")
}

func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ";")
}
