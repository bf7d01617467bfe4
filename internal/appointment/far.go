package appointment

import (
	"math"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Travel is estimated until a road network is there: the great circle, made longer by the usual detour of streets, at the speed
// of a town, with the minutes that it takes to leave the house and to find the door.
const (
	detour  = 1.3
	speed   = 40.0 // km/h
	atDoors = 10   // minutes each way
)

// TravelMinutes estimates the way from one point to another and back, in minutes.
func TravelMinutes(from, to person.Point) int {
	return 2 * (int(math.Ceil(from.KM(to)*detour/speed*60)) + atDoors)
}

// far adds the travel to the options of a search.
func (s *Service) far(tx *store.Tx, q Search, found *Found, places []person.Place) error {
	if q.Patient == "" {
		return nil
	}
	home, err := s.people.HomeOf(tx, q.Org, q.Patient)
	if err != nil {
		return err
	}
	minutes := map[string]int{}
	for _, p := range places {
		if home.Known() && p.Known() {
			minutes[p.ID] = TravelMinutes(home.Point, p.Point)
		}
	}
	for _, list := range [][]Option{found.Options, found.Soonest} {
		for i := range list {
			o := &list[i]
			if o.Way != Clinic {
				o.Known = true
				continue
			}
			o.Travel, o.Known = minutes[o.Place], minutes[o.Place] > 0
		}
	}
	return nil
}
