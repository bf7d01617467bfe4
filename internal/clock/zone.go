package clock

import (
	"sync"
	"time"
)

var zones sync.Map // name to *time.Location: reading one from the system's files takes longer than everything else

// Zone answers the zone of an IANA name; an unknown or empty one is an error.
func Zone(name string) (*time.Location, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, &UnknownZone{name}
	}
	zones.Store(name, z)
	return z, nil
}

// UnknownZone is the error for a name that is no time zone.
type UnknownZone struct{ Name string }

func (e *UnknownZone) Error() string {
	return "\"" + e.Name + "\" is not a time zone (want one like America/New_York)"
}
